"""A DOCX as a whole: headers, body, notes, comments, footers, and what is only told."""

import re
from collections.abc import Iterator
from typing import Any

from indexing.convert.extracted import Extracted, one_line
from indexing.convert.kinds import MIME_TYPES
from indexing.convert.office.package import Package, R, local
from indexing.convert.word.blocks import BlockReader
from indexing.convert.word.names import W
from indexing.convert.word.numbering import Numbering
from indexing.convert.word.runs import InlineReader
from indexing.convert.word.styles import Styles

_NO_TITLES = {"word document", "untitled", "document"}  # what programs write when nobody chose one
_ONLY_PAGE = re.compile(r"[\s\d\W]*(page|seite|p|s|of|von|de|sur|/|[\s\d\W])*", re.IGNORECASE)
_SURELY_ONE_PAGE = 1_800  # characters between two page breaks that no type size spreads over two pages
_MAX_COMMENTS = 5_000


def convert_docx(data: bytes, read_hidden: bool = False) -> Extracted:
    """
    :param read_hidden: hidden text is read, too.
    :raises Refusal: "password", "bomb", "damaged".
    """
    package = Package(data)
    main = package.main("word")
    root = package.required(main)
    parts: dict[str, list[str]] = {}
    names = {}
    for relation in package.relations(main):
        if not relation.external:
            parts.setdefault(relation.kind, []).append(relation.target)
            names[relation.id] = relation.target
    styles = Styles(_first(package, parts, "styles"))
    numbering = Numbering(_first(package, parts, "numbering"))
    reader = BlockReader(package, main, styles, InlineReader(styles, read_hidden), numbering, read_hidden)
    body = next((child for child in root if local(child) == "body"), root)
    reader.sections = list(body.iter(f"{W}sectPr"))
    _margins(reader, package, names, "headerReference")
    reader.blocks(body)
    paged = _is_paged(reader, package)
    for kind, note in (("footnotes", "footnote"), ("endnotes", "endnote")):
        for target in parts.get(kind, ())[:1]:
            with reader.inside(target):
                for element in _notes(package.xml(target), note):
                    reader.blocks(element)
    for target in parts.get("comments", ())[:1]:
        with reader.inside(target):
            _comments(reader, package.xml(target))
    _margins(reader, package, names, "footerReference")
    headings = reader.builder.headings
    title = package.title()
    if title is None or title.lower() in _NO_TITLES:
        top = min((level for _, level, _ in headings), default=1)
        title = next((text for _, level, text in headings if level == top), None)
    notes = [*reader.notes(), *package.notes()]
    return Extracted(reader.builder.text(), MIME_TYPES["docx"], title, headings, paged, notes=notes)


def _first(package: Package, parts: dict[str, list[str]], kind: str) -> Any | None:
    return package.xml(parts[kind][0]) if kind in parts else None


def _margins(reader: BlockReader, package: Package, names: dict[str, str], kind: str) -> None:
    """Headers or footers of all sections, each text once; lines that only count pages are left out."""
    seen: set[str] = set()
    for section in reader.sections:
        for reference in section.iter(f"{W}{kind}"):
            target = names.get(reference.get(f"{R}id", ""))
            root = package.xml(target) if target and target not in seen else None
            if root is None or target is None:
                continue
            seen.add(target)
            with reader.inside(target):
                for line in reader.plain_lines(root):
                    if line not in seen and not _ONLY_PAGE.fullmatch(line[:100]):
                        reader.builder.block(line, "\n" if seen & {"lines"} else "\n\n")
                        seen |= {line, "lines"}


def _notes(root: Any | None, kind: str) -> Iterator[Any]:
    for note in root.iter(f"{W}{kind}") if root is not None else ():
        if note.get(f"{W}type") is None:  # separators have a type
            yield note


def _comments(reader: BlockReader, root: Any | None) -> None:
    for number, comment in enumerate(root.iter(f"{W}comment") if root is not None else ()):
        if number == _MAX_COMMENTS:
            return
        text = " ".join(reader.plain_lines(comment))
        if text:
            author = one_line(comment.get(f"{W}author"), 60)
            reader.builder.block(f"Comment by {author}: {text}" if author else f"Comment: {text}")


def _is_paged(reader: BlockReader, package: Package) -> bool:
    """
    Whether page numbers are known: where Word noted them, where its page count agrees with the breaks, or where
    every stretch between breaks is too short for two pages. Other programs note no pages.
    """
    if not reader.pages:
        return False
    if reader.noted_pages:
        return True
    root = package.xml("docProps/app.xml")
    counted = next((node.text for node in root if local(node) == "Pages"), None) if root is not None else None
    if counted == str(reader.pages + 1):
        return True
    stretches = reader.builder.text().split("\f")
    return all(len(part) <= _SURELY_ONE_PAGE and part.count("\n") < 40 for part in stretches)
