"""HTML: what a reader would see of the page, in blocks, with its headings."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from indexing.convert.encoding import decode
from indexing.convert.extracted import Extracted, TextBuilder, one_line
from indexing.convert.kinds import MIME_TYPES
from indexing.convert.tables import Cell, expand, table_lines

# fmt: off
_UNSEEN = frozenset({
    "script", "style", "template", "noscript", "head", "title", "iframe", "object", "embed", "datalist",
    "audio", "video", "canvas", "map", "base", "link", "meta",
})
_BLOCKS = frozenset({
    "address", "article", "aside", "blockquote", "body", "center", "dd", "details", "dialog", "div", "dl", "dt",
    "fieldset", "figcaption", "figure", "footer", "form", "header", "hgroup", "hr", "html", "legend", "main",
    "nav", "ol", "optgroup", "p", "pre", "section", "summary", "table", "tbody", "td", "tfoot", "th", "thead",
    "tr", "ul",
})
# fmt: on
_LINES = {"li", "option", "dd", "dt", "tr"}
_HEADINGS = {f"h{level}": level for level in range(1, 7)}
_HIDING = re.compile(
    r"display\s*:\s*none|visibility\s*:\s*(hidden|collapse)|font-size\s*:\s*0(px|pt|em|%)?\s*(;|$|!)", re.I
)
_RULES = re.compile(r"([^{}@]+)\{([^{}]*)\}")
_CHARSET = re.compile(
    rb"""<meta[^>]{0,200}charset\s*=\s*["']?\s*([\w.:-]+)|<\?xml[^>]{0,100}encoding=["']([\w.-]+)""", re.I
)
_NESTING = re.compile(
    r"<(/?)(?:div|span|table|font|b|i|em|strong|blockquote|ul|ol|section|a|u|small|big|center)\b", re.I
)
# The parser's time grows with the square of the nesting; no page made for people comes near this.
_MAX_NESTING = 2_000
# Its time grows with the square of a tag's attributes, too.
_GIANT_TAG = re.compile(r"<(\w+)\b[^<>]{50000,}>")
_LAYOUT_CELL = 500  # characters: a table with longer cells lays out a page, it does not list data


def convert_html(data: bytes) -> Extracted:
    declared = _CHARSET.search(data[:4096])
    name = (declared.group(1) or declared.group(2)).decode("ascii", "replace") if declared else None
    return html_text(decode(data, name))


def html_text(html: str, mime_type: str = MIME_TYPES["html"]) -> Extracted:
    """Text of a page; also used for Markdown and mail, which become HTML first."""
    from selectolax.lexbor import LexborHTMLParser

    notes = []
    if _nesting(html) > _MAX_NESTING:
        notes.append(f"elements nested deeper than {_MAX_NESTING:,}: read without headings and tables")
        html = re.sub(r"(?is)<(script|style|template|noscript|title)\b.*?</\1\s*>|<!--.*?-->", " ", html)
        html = re.sub(r"<[^<>]*>", " ", html)
    tree = LexborHTMLParser(_GIANT_TAG.sub(r"<\1>", html))
    builder = TextBuilder()
    if tree.root is not None:
        _walk(tree.root, _hidden_by_style(tree), builder)
    heading = next((text for _, level, text in builder.headings if level == 1), None)
    node = tree.css_first("head > title")
    title = one_line(node.text() if node is not None else None) or heading
    return Extracted(builder.text(), mime_type, title=title, headings=builder.headings, notes=notes)


@dataclass
class _State:
    separator: str = "\n\n"  # ahead of the next block
    heading: int = 0  # level of the heading that is being read
    pre: int = 0  # depth of elements whose white space counts


def _walk(root: Any, hidden: set[int], builder: TextBuilder) -> None:
    """Depth first without recursion: pages nest as deep as their authors like."""
    inline: list[str] = []
    state = _State()

    def flush(separator: str = "\n\n") -> None:
        text = "".join(inline) if state.pre else _collapsed("".join(inline))
        inline.clear()
        if text.strip():
            if state.heading:
                builder.heading(text, state.heading)
            else:
                builder.block(text, state.separator)
            state.separator = separator

    stack: list[tuple[Any, bool]] = [(root, True)]
    while stack:
        node, entering = stack.pop()
        tag = node.tag
        if tag == "-text":
            inline.append(node.text_content if state.pre else node.text_content.replace("\n", " "))
            continue
        if not entering:
            flush()
            state.heading = 0 if tag in _HEADINGS else state.heading
            state.pre -= tag == "pre"
            if tag not in _LINES:
                state.separator = "\n\n"
            continue
        if tag.startswith("-") or tag in _UNSEEN or _is_hidden(node, hidden):
            continue
        if tag == "br":
            inline.append("\n")
            continue
        if tag == "table" and (rows := _data_rows(node)) is not None:
            flush()
            captions = [_collapsed(caption.text()) for caption in node.css("caption")]
            builder.lines(table_lines(expand(rows), captions=captions))
            state.separator = "\n\n"
            continue
        if tag in _BLOCKS or tag in _LINES or tag in _HEADINGS:
            flush()
            if tag in _LINES:
                state.separator = "\n"
            state.heading = _HEADINGS.get(tag, state.heading)
            state.pre += tag == "pre"
            stack.append((node, False))
        stack.extend((child, True) for child in reversed(list(_children(node))))
    flush()


def _children(node: Any) -> Iterator[Any]:
    child = node.child
    while child is not None:
        yield child
        child = child.next


def _data_rows(table: Any) -> list[list[Cell]] | None:
    """Cells of a table of data; None for a table that lays out the page."""
    if table.css_first("table table, h1, h2, h3, h4, h5, h6, pre, ul, ol, [hidden], [style]") is not None:
        return None
    rows = []
    for row in table.css("tr"):
        cells = []
        for cell in _children(row):
            if cell.tag in ("td", "th"):
                text = _collapsed(cell.text())
                if len(text) > _LAYOUT_CELL:
                    return None
                spans = [_span(cell.attributes.get(name)) for name in ("colspan", "rowspan")]
                cells.append(Cell(text, *spans, header=cell.tag == "th"))
        rows.append(cells)
    return rows


def _span(value: str | None) -> int:
    digits = re.match(r"\s*(\d{1,5})", value or "")
    return int(digits.group(1)) if digits else 1


def _is_hidden(node: Any, hidden: set[int]) -> bool:
    if node.mem_id in hidden:
        return True
    attributes = node.attributes
    return bool(attributes) and (
        ("hidden" in attributes and attributes["hidden"] != "until-found")
        or (attributes.get("type") == "hidden")
        or ("style" in attributes and bool(_HIDING.search(attributes["style"] or "")))
    )


def _hidden_by_style(tree: Any) -> set[int]:
    """Elements that the page's own style sheets hide. Rules inside @media and the like are left aside."""
    found: set[int] = set()
    for sheet in tree.css("style")[:50]:
        text = re.sub(r"(?s)/\*.*?\*/", " ", sheet.text()[:200_000])
        text = re.sub(r"@[^{}]*\{(?:[^{}]*\{[^{}]*\})*[^{}]*\}", " ", text)
        for match in _RULES.finditer(text):
            if _HIDING.search(match.group(2)):
                try:
                    found.update(node.mem_id for node in tree.css(match.group(1).strip()))
                except (ValueError, RuntimeError):  # a selector the parser does not know
                    continue
    return found


def _nesting(html: str) -> int:
    depth = deepest = 0
    for match in _NESTING.finditer(html):
        depth = max(0, depth - 1) if match.group(1) else depth + 1
        deepest = max(deepest, depth)
    return deepest


def _collapsed(text: str) -> str:
    return re.sub(r" ?\n ?", "\n", re.sub(r"[ \t\r\f\v]+", " ", text)).strip()
