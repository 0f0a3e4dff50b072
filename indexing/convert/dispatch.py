"""Which converter reads a file, and what becomes of the files inside it: attachments, members of an archive."""

import importlib
from collections.abc import Callable
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import PurePath
from typing import Any

from indexing.convert.extracted import MAX_CHARACTERS, Extracted, Part, Refusal, one_line
from indexing.convert.kinds import Kind, kind_of
from indexing.convert.plain import without_readable
from indexing.convert.plausible import garbage_note

_CONVERTERS: dict[Kind, tuple[str, str]] = {
    "pdf": ("pdf", "convert_pdf"),
    "docx": ("word", "convert_docx"),
    "pptx": ("slides", "convert_pptx"),
    "xlsx": ("sheets", "convert_xlsx"),
    "odf": ("office.opendocument", "convert_odf"),
    "epub": ("web.epub", "convert_epub"),
    "rtf": ("office.rtf", "convert_rtf"),
    "doc": ("office.old_word", "convert_doc"),
    "xls": ("office.legacy", "convert_xls"),
    "ppt": ("office.legacy", "convert_ppt"),
    "msg": ("mail", "convert_msg"),
    "eml": ("mail", "convert_eml"),
    "mbox": ("mail", "convert_mbox"),
    "mhtml": ("mail", "convert_mhtml"),
    "html": ("web", "convert_html"),
    "xml": ("markup", "convert_xml"),
    "markdown": ("markdown", "convert_markdown"),
    "latex": ("markup", "convert_latex"),
    "rst": ("markup", "convert_rst"),
    "org": ("markup", "convert_org"),
    "notebook": ("data", "convert_notebook"),
    "csv": ("table_text", "convert_csv"),
    "json": ("data", "convert_json"),
    "jsonl": ("data", "convert_jsonl"),
    "image": ("ocr", "convert_image"),
    "zip": ("archive", "convert_zip"),
    "code": ("plain", "convert_code"),
    "text": ("plain", "convert_text"),
}
_TEXTS: frozenset[Kind] = frozenset(
    ("html", "xml", "markdown", "latex", "rst", "org", "csv", "json", "jsonl", "code", "text")
)
_HIDING: frozenset[Kind] = frozenset(("docx", "pptx", "xlsx", "html"))  # formats that hide, and say so
_MAX_DEPTH = 4  # files inside files inside files
_MAX_PARTS = 500
_MAX_BYTES = 256 << 20  # of all files inside one


@dataclass(frozen=True)
class Options:
    """
    What a converter does where people want different things.

    :param read_hidden: hidden text, rows, sheets, slides are read, not only told.
    :param archives: files in ZIP archives are read.
    :param attachments: files attached to mail are read.
    :param ocr: pictures of text are recognised where tesseract is installed.
    """

    read_hidden: bool = False
    archives: bool = False
    attachments: bool = True
    ocr: bool = True

    def changed(self) -> dict[str, bool]:
        """What differs from the defaults, as JSON takes it."""
        return {name: value for name, value in asdict(self).items() if value != getattr(Options(), name)}


@dataclass
class _Budget:
    parts: int = _MAX_PARTS
    size: int = _MAX_BYTES


def convert(data: bytes, suffix: str, options: Options | None = None) -> list[Extracted]:
    """
    The file's text, then those of the files inside it, in order, outer ones ahead of inner ones.

    :param suffix: of its name, with the dot, in lower case.
    :raises Refusal: when the file itself is not read; a file inside it that is not is told in its holder's notes.
    """
    chosen = options or Options()
    page = _converted(data, suffix, chosen)
    return [page, *_inside(page, chosen, _Budget(), 1)]


def _converted(data: bytes, suffix: str, options: Options) -> Extracted:
    kind = kind_of(data, suffix)
    if kind == "zip" and not options.archives:
        raise Refusal("unknown format", "a ZIP archive: unpack it, or set archives: true to read the files in it")
    if kind == "image" and not options.ocr:
        raise Refusal("no text", "a picture, and ocr is off")
    module, function = _CONVERTERS[kind]
    reader: Callable[..., Extracted] = getattr(importlib.import_module(f"indexing.convert.{module}"), function)
    if kind == "pdf" and not options.ocr:
        reader = partial(reader, ocr=False)
    page = reader(data, read_hidden=True) if options.read_hidden and kind in _HIDING else reader(data)
    if kind == "pdf" and (note := garbage_note(page.text)):
        page.notes.append(note)
    if len(page.text) > MAX_CHARACTERS:
        raise Refusal("too large", f"its text has {len(page.text):,} characters; at most {MAX_CHARACTERS:,} are read")
    if refusal := without_readable(page.text):
        if kind not in _TEXTS or (refusal.reason == "empty" and data.strip()):  # marks and commands, but no words
            raise Refusal("no text", "not one word in it")
        raise refusal
    return page


def _inside(holder: Extracted, options: Options, budget: _Budget, depth: int) -> list[Extracted]:
    found: list[Extracted] = []
    unread: list[str] = []
    names: set[str] = set()
    for part in holder.parts:
        name = _unique(part.name, names)
        if depth > _MAX_DEPTH or not options.attachments or budget.parts < 1 or budget.size < len(part.data):
            unread.append(name)
            continue
        budget.parts -= 1
        budget.size -= len(part.data)
        page = _tried(part, options)
        if page is None:
            unread.append(name)
            continue
        inner = _inside(page, options, budget, depth + 1)
        for one in (page, *inner):
            one.name = f"{name} > {one.name}" if one.name else name
        found += [page, *inner]
    shown = [f"attachment not read: {name}" for name in unread[:50]]
    if len(unread) > 50:
        shown.append(f"attachments not read: {len(unread) - 50:,} more")
    holder.notes += shown
    holder.parts = []
    return found


def _tried(part: Part, options: Options) -> Extracted | None:
    try:
        return _converted(part.data, PurePath(part.name).suffix.lower(), options)
    except MemoryError:
        raise
    except Exception:  # a file inside that breaks its format, in whichever way, is no fault of its holder
        return None


def _unique(name: str, taken: set[str]) -> str:
    clean = one_line(name.replace(">", "›"), 120) or "unnamed"
    number, unique = 1, clean
    while unique in taken:
        number += 1
        stem, dot, suffix = clean.rpartition(".")
        unique = f"{stem} ({number}).{suffix}" if dot else f"{clean} ({number})"
    taken.add(unique)
    return unique


def header_of(page: Extracted) -> dict[str, Any]:
    """What the worker says of a text beside its bytes."""
    return {
        "title": page.title,
        "headings": page.headings,
        "paged": page.paged,
        "page_kind": page.page_kind,
        "page_labels": page.page_labels,
        "mime_type": page.mime_type,
        "notes": page.notes,
        "has_layout": page.layout is not None,
        "name": page.name,
    }
