"""EPUB: its chapters in reading order, each the web page that it is."""

import posixpath
import zipfile
from typing import Any
from urllib.parse import unquote

from lxml import etree

from indexing.convert.archive import checked_zip
from indexing.convert.encoding import decode
from indexing.convert.extracted import Extracted, Refusal, TextBuilder, one_line
from indexing.convert.kinds import MIME_TYPES
from indexing.convert.office.package import local, parse_xml
from indexing.convert.web import html_text


def convert_epub(data: bytes) -> Extracted:
    """
    :raises Refusal: "password" (DRM), "bomb", "damaged".
    """
    opened = checked_zip(data)
    names = set(opened.namelist())
    try:
        container = parse_xml(opened.read("META-INF/container.xml"))
        package = next(node.get("full-path", "") for node in container.iter() if local(node) == "rootfile")
        root = parse_xml(opened.read(package))
    except (KeyError, StopIteration, etree.XMLSyntaxError, zipfile.BadZipFile, OSError, EOFError, ValueError) as error:
        raise Refusal("damaged", f"not a whole EPUB ({type(error).__name__})") from None
    builder, missing = TextBuilder(), 0
    locked = _locked(opened, names)
    for name in _spine(root, posixpath.dirname(package)):
        if name in locked:
            raise Refusal("password", "its chapters are encrypted")
        try:
            page = html_text(decode(opened.read(name), "utf-8"))
        except (KeyError, zipfile.BadZipFile, OSError, EOFError, ValueError, RuntimeError):
            missing += 1
            continue
        builder.page_of(page)
    title = next((one_line(node.text) for node in root.iter() if local(node) == "title"), None)
    notes = [f"chapters missing in the file: {missing}"] if missing else []
    return Extracted(builder.text(), MIME_TYPES["epub"], title, builder.headings, notes=notes)


def _spine(root: Any, folder: str) -> list[str]:
    items = {}
    for node in root.iter():
        if local(node) == "item" and "html" in (node.get("media-type") or ""):
            items[node.get("id")] = posixpath.normpath(posixpath.join(folder, unquote(node.get("href") or "")))
    spine = [
        items[node.get("idref")] for node in root.iter() if local(node) == "itemref" and node.get("idref") in items
    ]
    return spine or list(items.values())


def _locked(opened: zipfile.ZipFile, names: set[str]) -> set[str]:
    if "META-INF/encryption.xml" not in names:
        return set()
    try:
        root = parse_xml(opened.read("META-INF/encryption.xml"))
    except (etree.XMLSyntaxError, zipfile.BadZipFile, OSError, EOFError):
        return set()
    return {unquote(node.get("URI") or "") for node in root.iter() if local(node) == "CipherReference"}
