"""Where a document, its text, its file and a page of it can be had: the addresses that answers and passages carry."""

from typing import Any


def links(source_id: str | None, page: int | None = None, at: tuple[int, int] | None = None) -> dict[str, Any] | None:
    """
    :param page: the page to show, from 1; None where the format has none.
    :param at: characters of the document's text to mark there.
    """
    if source_id is None:
        return None
    place = f"?start={at[0]}&end={at[1]}" if at is not None else ""
    return {
        "document": f"/documents/{source_id}",
        "text": f"/documents/{source_id}/text{place}",
        "original": f"/documents/{source_id}/original",
        "page": f"/documents/{source_id}/pages/{page}{place}" if page is not None else None,
    }
