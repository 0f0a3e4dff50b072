"""Where does a passage come from? Its source, its place in it, and the page of a character."""

from collections.abc import Hashable

from haystack import Document


def find_origin(document: Document) -> tuple[Hashable, int]:
    """
    What a passage is cut from, and where it begins there: (source, character). A passage of unknown source is its own.
    """
    source, begin = document.meta.get("source_id"), document.meta.get("split_idx_start")
    if source is None or not isinstance(begin, int):
        return document.id, 0
    return (source, document.meta.get("source_version")), begin


def find_page(document: Document, character: int) -> int | None:
    """
    The page a character of the passage stands on: pages are separated by form feeds. None if the passage has no page.
    """
    page = document.meta.get("page_number")
    if not isinstance(page, int):
        return None
    return page + (document.content or "")[:character].count("\f")
