"""XML: elements that hold text, each beside its name or as prose."""

from collections.abc import Iterator
from typing import Any

from indexing.convert.extracted import Extracted, Refusal, TextBuilder
from indexing.convert.kinds import MIME_TYPES
from indexing.convert.office.package import local

_UNREAD_XML = {"script", "style", "metadata", "defs", "schema"}
_PROSE = {"p", "para", "simpara", "text", "tspan", "title", "line", "l", "s", "seg", "li", "item", "td", "th", "b", "i"}
_HEADINGS = {"title", "head", "heading", "h1", "h2", "h3"}
_INLINE_SHARE = 200  # characters: a longer text of an element is prose, whatever its name


def convert_xml(data: bytes) -> Extracted:
    """
    Elements that hold only other elements are structure; a short value stands beside its element's name.

    :raises Refusal: "damaged" for what is no XML at all.
    """
    from lxml import etree

    parser = etree.XMLParser(
        resolve_entities=False, no_network=True, recover=True, remove_comments=True, remove_pis=True
    )
    try:
        root = etree.fromstring(data, parser)
    except (etree.XMLSyntaxError, ValueError):
        root = None
    if root is None:
        raise Refusal("damaged", "not XML")
    builder = TextBuilder()
    stack: list[tuple[Any, int]] = [(root, 1)]
    while stack:
        node, level = stack.pop()
        name = local(node)
        if not name or name in _UNREAD_XML:
            continue
        children = [child for child in node if local(child)]
        own = [node.text, *(child.tail for child in node)]
        if children and not any(text and text.strip() for text in own):
            stack.extend((child, level + 1) for child in reversed(children))
            continue
        text = " ".join("".join(node.itertext()).split())
        if name in _HEADINGS and len(text) <= _INLINE_SHARE:
            builder.heading(text, min(level, 6))
        elif children or name in _PROSE or len(text) > _INLINE_SHARE:
            builder.block(text)
        elif text:
            builder.block(f"{name}: {text}", "\n")
    if not builder.text_length:
        builder.lines(_attributes(root))
    notes = [] if not parser.error_log else ["not well-formed: read as far as it goes"]
    title = builder.headings[0][2] if builder.headings else None
    return Extracted(builder.text(), MIME_TYPES["xml"], title, builder.headings, notes=notes)


def _attributes(root: Any) -> Iterator[str]:
    """Of a document whose elements hold no text: what their attributes say, a line an element."""
    for node in root.iter():
        said = "; ".join(f"{name.rsplit('}', 1)[-1]}: {value}" for name, value in node.attrib.items())
        if said and local(node) and "svg" not in str(node.tag):
            yield f"{local(node)}: {said}"
