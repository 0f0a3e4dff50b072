"""`excerpt show`: the text of a file as the index holds it, or one passage of it, or its page as a picture."""

from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cli import exits
from cli.options import Json, Pipelines, Store, load, require_index
from cli.terminal.text import printable
from cli.terminal.words import near, plural

if TYPE_CHECKING:
    from haystack import Document

    from components.stores.contract import Source


def show(
    name: Annotated[
        str, typer.Argument(metavar="ID|PATH", help="A passage's id (document_id in the JSON), or a file of the index.")
    ],
    passages: Annotated[
        bool, typer.Option("--passages", help="The file's passages, each with its id and place.")
    ] = False,
    page: Annotated[
        int | None, typer.Option("--page", min=1, metavar="N", help="Draw page N of a PDF, the last answer marked.")
    ] = None,
    png: Annotated[
        Path | None, typer.Option("--png", metavar="FILE", help="Write the picture of the page to a file.")
    ] = None,
    pipelines: Pipelines = "embedded",
    store: Store = Path(".excerpt"),
    json: Json = False,
) -> None:
    """
    Show the text or the passages of an indexed file.

    Of a single passage, the other places where the same text stands are listed, too; a terminal that shows pictures
    shows its page. What is marked is the answer to your last question where it stands there, else the passage.

    excerpt show lease.pdf --passages
    """
    require_index(pipelines, store)
    from cli.commands.files.find import matching

    documents = load("ask", pipelines, store).document_store
    if passage := _passage(documents, name):
        if page is not None or png is not None:
            return _draw_passage(documents, passage, page, png)
        if not json:
            _show_passages([passage], json, others=_same_text(documents, passage))
            return _draw_where_seen(documents, passage)
        return _show_passages([passage], json, others=_same_text(documents, passage))
    found = matching(documents.sources.all(), name)
    if len(found) != 1:
        what = f"{plural(len(found), 'file')} of the index" if found else "neither a passage nor a file of the index"
        hint = "; name one of them" if found else "; excerpt list shows the files"
        raise exits.CommandError(f"`{name}` means {what}{hint}", exits.NOTHING_MATCHES if not found else exits.ERROR)
    if page is not None or png is not None:
        return _draw_file(documents, found[0], page, png)
    if passages:
        wanted = {"field": "meta.source_id", "operator": "==", "value": found[0].source_id}
        by_place = sorted(documents.filter_documents(wanted), key=lambda one: one.meta.get("split_idx_start", 0))
        return _show_passages(by_place, json)
    return _show_file(documents.sources.get(found[0].source_id), json)


def _draw_where_seen(documents: Any, passage: "Document") -> None:
    """A terminal that shows pictures gets the page, too; another one, a pipe or a file gets the text alone."""
    from cli.commands.files.page import protocol_here

    if protocol_here() != "file" and passage.meta.get("page_number") is not None:
        with suppress(exits.CommandError):  # not a PDF, or changed since: its text has been shown
            _draw_passage(documents, passage, None, None)


def _draw_passage(documents: Any, passage: "Document", page: int | None, png: Path | None) -> None:
    source = documents.sources.get(passage.meta.get("source_id"))
    start = passage.meta.get("split_idx_start")
    if source is None or not isinstance(start, int):
        raise exits.CommandError("this passage has no page: its file is not in the record of the index")
    _draw(documents, source, (start, start + len(passage.content or "")), page, png)


def _draw_file(documents: Any, source: "Source", page: int | None, png: Path | None) -> None:
    _draw(documents, documents.sources.get(source.source_id) or source, None, page, png)


def _draw(documents: Any, source: "Source", within: tuple[int, int] | None, page: int | None, png: Path | None) -> None:
    """Mark the last question's answer that stands there; without one, the characters `within`."""
    from cli.commands.files.last_answers import read_places
    from cli.commands.files.page import draw_page, marks

    low, high = within or (0, len(source.text or ""))
    answers = [
        (one.start, one.end)
        for one in read_places()
        if one.source_id == source.source_id and one.start is not None and one.end is not None
        and low <= one.start and one.end <= high
    ]  # fmt: skip
    marked = answers[0] if answers else within
    boxes = marks(documents, source, *marked) if marked else []
    draw_page(source, page or (boxes[0].page if boxes else 1), boxes, png)


def _passage(documents: Any, name: str) -> "Document | None":
    found = documents.filter_documents({"field": "id", "operator": "==", "value": name})
    return found[0] if found else None


def _same_text(documents: Any, passage: "Document") -> list["Document"]:
    same = documents.filter_documents({"field": "content", "operator": "==", "value": passage.content})
    return [one for one in same if one.id != passage.id]


def _show_passages(found: list["Document"], json: bool, others: list["Document"] | None = None) -> None:
    if json:
        from json import dumps

        for one in found:
            print(dumps({**_place(one), "text": one.content, "places": [_place(other) for other in others or []]}))
        return
    for one in found:
        print(_headline(one))
        print(printable(one.content or "", keep="\n"), end="\n\n")
    for other in others or []:
        print(f"also in {_headline(other)}")


def _place(one: "Document") -> dict[str, Any]:
    start = one.meta.get("split_idx_start")
    return {
        "document_id": one.id,
        "file": one.meta.get("file_path"),
        "page": one.meta.get("page_number"),
        "headings": one.meta.get("headings"),
        "start_in_file": start,
        "end_in_file": start + len(one.content or "") if isinstance(start, int) else None,
    }


def _headline(one: "Document") -> str:
    place = _place(one)
    parts = [near(str(place["file"] or "?"))]
    parts += [f"page {place['page']}"] if place["page"] is not None else []
    parts += [str(place["headings"])] if place["headings"] else []
    return printable(" · ".join([*parts, f"id {one.id}"]))


def _show_file(source: "Source", json: bool) -> None:
    text = (source.text or "").replace("\f", "\n")
    if json:
        from json import dumps

        keys = ("path", "state", "reason", "title", "mime_type", "passages", "page_starts", "text")
        print(dumps({key: getattr(source, key) for key in keys}, ensure_ascii=False))
    elif source.state == "refused":
        print(f"{printable(near(source.path))} is not in the index: {printable(source.reason or '')}")
    else:
        print(printable(text, keep="\n"))
