"""The parts of an Office Open XML file and how they point at each other (ECMA-376, part 2)."""

import posixpath
import re
import zipfile
import zlib
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote

from lxml import etree

from indexing.convert.archive import checked_zip
from indexing.convert.extracted import Refusal, one_line

R = "{http://schemas.openxmlformats.org/officeDocument/2006/relationships}"
MC = "{http://schemas.openxmlformats.org/markup-compatibility/2006}"
A = "{http://schemas.openxmlformats.org/drawingml/2006/main}"
_DC = "{http://purl.org/dc/elements/1.1/}"
# What "Strict" files call the namespaces of all others (ISO/IEC 29500-1, annex A).
_STRICT = re.compile(rb"http://purl\.oclc\.org/ooxml/([A-Za-z]+)/?([A-Za-z/]*)")


@dataclass(frozen=True)
class Relation:
    """
    :param kind: the last word of its type: ``header``, ``slide``, ``chart``, ``hyperlink``.
    :param target: name of a part in the zip; of external ones the address.
    """

    id: str
    kind: str
    target: str
    external: bool


class Package:
    """
    An open file.

    :raises Refusal: "damaged", "password" or "bomb".
    """

    def __init__(self, data: bytes) -> None:
        self._zip = checked_zip(data)
        self._names = {name.lower(): name for name in self._zip.namelist()}
        self.damaged: list[str] = []  # parts that could not be read

    def names(self) -> list[str]:
        return list(self._names.values())

    def main(self, folder: str) -> str:
        """
        Name of the part that the others hang on.

        :param folder: where it usually lies (``word``), for files whose relations are gone.
        :raises Refusal: "damaged" when there is none.
        """
        for relation in self.relations(""):
            if relation.kind == "officeDocument" and relation.target.lower() in self._names:
                return relation.target
        usual = {"word": "word/document.xml", "ppt": "ppt/presentation.xml", "xl": "xl/workbook.xml"}[folder]
        if usual in self._names:
            return usual
        raise Refusal("damaged", f"it has no part {usual}")

    def read(self, name: str) -> bytes | None:
        stored = self._names.get(name.lower().lstrip("/"))
        if stored is None:
            return None
        try:
            return self._zip.read(stored)
        except (zipfile.BadZipFile, zlib.error, OSError, EOFError, NotImplementedError, RuntimeError, ValueError):
            self.damaged.append(name)
            return None

    def xml(self, name: str) -> Any | None:
        """The root element of a part; None when it is missing or broken (see `damaged`)."""
        data = self.read(name)
        if data is None:
            return None
        try:
            return parse_xml(data)
        except etree.XMLSyntaxError:
            self.damaged.append(name)
            return None

    def required(self, name: str) -> Any:
        """
        :raises Refusal: "damaged" when the part is missing or broken.
        """
        root = self.xml(name)
        if root is None:
            raise Refusal("damaged", f"its part {name} is missing or broken")
        return root

    def relations(self, part: str) -> list[Relation]:
        """Of a part, or with an empty name of the whole file, in the order of the file."""
        folder, name = posixpath.split(part)
        root = self.xml(posixpath.join(folder, "_rels", f"{name}.rels"))
        found = []
        for element in root if root is not None else ():
            if not isinstance(element.tag, str) or not (target := element.get("Target")):
                continue
            external = element.get("TargetMode") == "External"
            if not external:
                target = posixpath.normpath(posixpath.join("/", folder, unquote(target))).lstrip("/")
            kind = (element.get("Type") or "").rsplit("/", 1)[-1]
            found.append(Relation(element.get("Id") or "", kind, target, external))
        return found

    def title(self) -> str | None:
        """As its author wrote it among the properties."""
        for relation in self.relations(""):
            if relation.kind in ("core-properties", "metadata/core-properties"):
                root = self.xml(relation.target)
                node = root.find(f"{_DC}title") if root is not None else None
                return one_line(node.text) if node is not None else None
        return None

    def notes(self) -> list[str]:
        """What could not be read, for the file's notes."""
        named = ", ".join(dict.fromkeys(self.damaged))
        return [f"damaged and left out: {one_line(named, 200)}"] if named else []


def parse_xml(data: bytes) -> Any:
    """
    The root element; nothing that the document names is loaded, no entity is replaced.

    :raises lxml.etree.XMLSyntaxError: for what is no XML.
    """
    if b"purl.oclc.org/ooxml" in data:
        data = _STRICT.sub(_transitional, data)
    parser = etree.XMLParser(resolve_entities=False, no_network=True, remove_comments=True, remove_pis=True)
    root = etree.fromstring(data, parser)
    if root is None:
        raise etree.XMLSyntaxError("no element", 0, 0, 0)
    return root


def _transitional(match: "re.Match[bytes]") -> bytes:
    family, rest = match.groups()
    return b"http://schemas.openxmlformats.org/" + family + b"/2006" + (b"/" + rest if rest else b"")


def local(element: Any) -> str:
    """The name of an element without its namespace; empty for comments and the like."""
    tag = element.tag
    return tag.rsplit("}", 1)[-1] if isinstance(tag, str) else ""


def choice(element: Any) -> list[Any]:
    """The children of mc:AlternateContent to read: those of its first choice that holds any, else of its fallback."""
    for branch in element:
        if branch.tag == f"{MC}Choice" and len(branch):
            return list(branch)
    for branch in element:
        if branch.tag == f"{MC}Fallback":
            return list(branch)
    return []


def is_on(element: Any | None, attribute: str = "val") -> bool:
    """Whether a switch such as w:vanish is there and not taken back by its value."""
    if element is None:
        return False
    value = next((text for name, text in element.attrib.items() if name.rsplit("}", 1)[-1] == attribute), "1")
    return value not in ("0", "false", "off", "none")
