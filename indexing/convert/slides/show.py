"""A PPTX as a whole: one page a slide; its title is a heading, its notes and comments follow."""

from typing import Any

from indexing.convert.extracted import Extracted, TextBuilder
from indexing.convert.kinds import MIME_TYPES
from indexing.convert.office.package import A, Package, R
from indexing.convert.slides.shapes import P, SlideReader, placeholder_type
from indexing.convert.slides.words import paragraphs

_NO_TITLES = {"powerpoint presentation", "powerpoint-präsentation", "présentation powerpoint"}


def convert_pptx(data: bytes, read_hidden: bool = False) -> Extracted:
    """
    :param read_hidden: hidden slides and shapes are read, too.
    :raises Refusal: "password", "bomb", "damaged".
    """
    package = Package(data)
    main = package.main("ppt")
    root = package.required(main)
    targets = {relation.id: relation.target for relation in package.relations(main) if not relation.external}
    builder, hidden, lost = TextBuilder(), [], []
    reader = SlideReader(package, builder, read_hidden)
    for number, entry in enumerate(root.iter(f"{P}sldId"), 1):
        if number > 1:
            builder.page()
        part = targets.get(entry.get(f"{R}id", ""), "")
        slide = package.xml(part)
        if slide is None:
            lost.append(number)
        elif slide.get("show") in ("0", "false") and not read_hidden:
            hidden.append(number)
        else:
            _slide(slide, part, package, reader)
    notes = []
    if hidden:
        notes.append(f"hidden slides left out: {', '.join(map(str, hidden[:20]))} (setting hidden: read)")
    if lost:
        notes.append(f"slides missing in the file: {', '.join(map(str, lost[:20]))}")
    title = package.title()
    if title is None or title.lower() in _NO_TITLES:
        title = builder.headings[0][2] if builder.headings else None
    return Extracted(
        builder.text(),
        MIME_TYPES["pptx"],
        title,
        builder.headings,
        paged=True,
        page_kind="slide",
        notes=[*notes, *reader.notes(), *package.notes()],
    )


def _slide(slide: Any, part: str, package: Package, reader: SlideReader) -> None:
    relations = [relation for relation in package.relations(part) if not relation.external]
    layout = next((relation.target for relation in relations if relation.kind == "slideLayout"), None)
    reader.slide(slide, part, package.xml(layout) if layout else None)
    for relation in relations:
        if relation.kind == "notesSlide":
            _speaker_notes(package.xml(relation.target), reader.builder)
        elif relation.kind in ("comments", "comment"):
            _comments(package.xml(relation.target), reader.builder)


def _speaker_notes(root: Any | None, builder: TextBuilder) -> None:
    for shape in root.iter(f"{P}sp") if root is not None else ():
        if placeholder_type(shape) == "body":
            for body in shape.iter(f"{P}txBody"):
                builder.lines(paragraphs(body))


def _comments(root: Any | None, builder: TextBuilder) -> None:
    for element in root.iter() if root is not None else ():
        if element.tag == f"{P}text" and element.text:
            builder.block(f"Comment: {element.text}")
        elif isinstance(element.tag, str) and element.tag.endswith("}txBody"):  # comments of the newer form
            text = " ".join("".join(t.text or "" for t in one.iter(f"{A}t")) for one in element.iter(f"{A}p"))
            builder.block(f"Comment: {text}" if text.strip() else "")
