"""HTML: what a reader would see of the page, in blocks, with its headings."""

import re
from dataclasses import dataclass
from typing import Any

from indexing.convert.encoding import decode
from indexing.convert.extracted import Extracted, TextBuilder, one_line
from indexing.convert.kinds import MIME_TYPES
from indexing.convert.tables import expand, table_lines
from indexing.convert.web.hiding import Look, Seen, looks_of, see
from indexing.convert.web.inline import MARKED, UNSEEN, alternative, children_of, collapsed, count_text, marked
from indexing.convert.web.tables import count_hidden, data_rows
from indexing.convert.word.numbering import letters, roman

# fmt: off
_BLOCKS = frozenset({
    "address", "article", "aside", "blockquote", "body", "center", "dd", "details", "dialog", "div", "dl", "dt",
    "fieldset", "figcaption", "figure", "footer", "form", "header", "hgroup", "hr", "html", "legend", "main",
    "nav", "ol", "optgroup", "p", "pre", "section", "summary", "table", "tbody", "td", "tfoot", "th", "thead",
    "tr", "ul",
})
# fmt: on
_LINES = {"li", "option", "dd", "dt", "tr"}
_HEADINGS = {f"h{level}": level for level in range(1, 7)}
_CHARSET = re.compile(
    rb"""<meta[^>]{0,200}charset\s*=\s*["']?\s*([\w.:-]+)|<\?xml[^>]{0,100}encoding=["']([\w.-]+)""", re.I
)
_NESTING = re.compile(
    r"<(/?)(?:div|span|table|font|b|i|em|strong|blockquote|ul|ol|section|a|u|small|big|center)\b", re.I
)
# The parser's time grows with the square of the nesting; no page made for people comes near this.
_MAX_NESTING = 2_000
# Elements that hide all up to their end, closed as XML closes them: `<iframe/>` would hide the rest of a page.
_CLOSED = re.compile(r"<(iframe|title|textarea|style|noscript|noframes|noembed|xmp)\b([^<>]*)/>", re.I)
_CLOSED_SCRIPT = re.compile(r"<script\b([^<>]*)/>", re.I)
_SCRIPTS = re.compile(r"<script\b([^<>]*)/>|<script\b[^<>]*>.*?</script", re.I | re.DOTALL)
# Its time grows with the square of a tag's attributes, too.
_GIANT_TAG = re.compile(r"<(\w+)\b[^<>]{50000,}>")


_DECLARED_WITHIN = 100_000  # browsers look at 1,024 bytes; pages exist that declare later
_ONLY_NUMBER = re.compile(r"(\d{1,6}|[a-zA-Z]{1,8})\.")


def convert_html(data: bytes, read_hidden: bool = False) -> Extracted:
    declared = _CHARSET.search(data[:_DECLARED_WITHIN])
    name = (declared.group(1) or declared.group(2)).decode("ascii", "replace") if declared else None
    return html_text(decode(data, name), read_hidden=read_hidden)


def html_text(html: str, mime_type: str = MIME_TYPES["html"], read_hidden: bool = False) -> Extracted:
    """
    Text of a page; also used for Markdown and mail, which become HTML first.

    :param read_hidden: what the page hides is read, too.
    """
    from selectolax.lexbor import LexborHTMLParser

    notes = []
    if _nesting(html) > _MAX_NESTING:
        notes.append(f"elements nested deeper than {_MAX_NESTING:,}: read without headings and tables")
        html = re.sub(r"(?is)<(script|style|template|noscript|title)\b.*?</\1\s*>|<!--.*?-->", " ", html)
        html = re.sub(r"<[^<>]*>", " ", html)
    tree = LexborHTMLParser(_with_ends(_GIANT_TAG.sub(r"<\1>", html)))
    builder = TextBuilder()
    for trust in ((False,) if read_hidden else (True, False)) if tree.root is not None else ():
        walker = _Walker(builder, looks_of(tree) if trust else {}, trust)
        walker.walk(tree.root)
        if walker.hidden and builder.text().strip():
            notes.append(f"hidden text left out: {walker.hidden:,} characters (setting hidden: read)")
        if re.search(r"[^\W_]", builder.text()):
            break  # else: hiding left nothing, so a script must be meant to show it
        builder = TextBuilder()
    heading = next((text for _, level, text in builder.headings if level == 1), None)
    node = tree.css_first("head > title")
    title = one_line(node.text() if node is not None else None) or heading
    return Extracted(builder.text(), mime_type, title=title, headings=builder.headings, notes=notes)


@dataclass
class _State:
    separator: str = "\n\n"  # ahead of the next block
    heading: int = 0  # level of the heading that is being read
    pre: int = 0  # depth of elements whose white space counts


class _Walker:
    """
    :param looks: what style sheets say; empty where styles are not trusted.
    :param trust: styles may hide.
    :ivar hidden: characters of text that the page hides.
    """

    def __init__(self, builder: TextBuilder, looks: dict[int, Look], trust: bool) -> None:
        self._builder = builder
        self._looks = looks
        self._trust = trust
        self.hidden = 0
        self._inline: list[str] = []
        self._state = _State()
        self._lists: list[tuple[int, int, str]] = []  # number of the next item, step, form; of each open list

    def walk(self, root: Any) -> None:
        """Depth first without recursion: pages nest as deep as their authors like."""
        inline, state = self._inline, self._state
        stack: list[tuple[Any, Seen, int]] = [(root, Seen(), -1)]  # node, what is seen of it, -1 or where it began
        while stack:
            node, seen, start = stack.pop()
            tag = node.tag
            if tag == "-text":
                if seen.shown:
                    inline.append(node.text_content if state.pre else node.text_content.replace("\n", " "))
                else:
                    self.hidden += len(node.text_content.strip())
                continue
            if start >= 0:
                self._leave(node, start)
                continue
            own = see(node, seen, self._looks, self._trust) if not tag.startswith("-") else None
            if tag in UNSEEN:
                continue
            if own is None:
                self.hidden += count_text(node)
                continue
            if tag == "br":
                inline.append("\n")
                continue
            if tag in ("img", "area") or (tag == "input" and (node.attributes or {}).get("type") == "image"):
                if own.visible and (text := alternative(node)):
                    inline.append(f" {text} ")
                continue
            if tag == "table" and (data := data_rows(node, own, self._looks, self._trust)) is not None:
                self._flush()
                self.hidden += count_hidden(node, own, self._looks, self._trust)
                self._builder.lines(table_lines(expand(data[0]), captions=data[1]))
                state.separator = "\n\n"
                continue
            if tag in _BLOCKS or tag in _LINES or tag in _HEADINGS:
                self._enter(node, tag)
                stack.append((node, own, 0))
            elif tag in MARKED:
                stack.append((node, own, len(inline)))
            stack.extend((child, own, -1) for child in reversed(list(children_of(node))))
        self._flush()

    def _enter(self, node: Any, tag: str) -> None:
        self._flush()
        state = self._state
        if tag in _LINES:
            state.separator = "\n"
        state.heading = _HEADINGS.get(tag, state.heading)
        state.pre += tag == "pre"
        if tag in ("ol", "ul", "menu", "dir"):
            self._lists.append(_list_of(node))
        elif tag == "li" and (label := self._number(node)):
            self._inline.append(f"{label} ")

    def _leave(self, node: Any, start: int) -> None:
        tag, state, inline = node.tag, self._state, self._inline
        if tag in MARKED:
            if start <= len(inline):
                before = "".join(inline[max(0, start - 4) : start])
                inline[start:] = [marked(node, "".join(inline[start:]), before)]
            return
        self._flush()
        state.heading = 0 if tag in _HEADINGS else state.heading
        state.pre -= tag == "pre"
        if tag in ("ol", "ul", "menu", "dir") and self._lists:
            self._lists.pop()
        if tag not in _LINES:
            state.separator = "\n\n"

    def _flush(self) -> None:
        inline, state = self._inline, self._state
        text = "".join(inline) if state.pre else collapsed("".join(inline))
        inline.clear()
        if not text.strip():
            return
        if _ONLY_NUMBER.fullmatch(text.strip()) and self._lists:
            inline.append(f"{text.strip()} ")  # the number of an item whose text is a block of its own
            return
        if state.heading:
            self._builder.heading(text, state.heading)
        else:
            self._builder.block(text, state.separator)
        state.separator = "\n\n"

    def _number(self, node: Any) -> str:
        """The number that a browser draws ahead of a list's item; nothing for bullets."""
        if not self._lists or not self._lists[-1][1]:
            return ""
        number, step, form = self._lists[-1]
        given = (node.attributes or {}).get("value") or ""
        if re.fullmatch(r"-?\d{1,6}", given):
            number = int(given)
        self._lists[-1] = (number + step, step, form)
        written = {"a": letters, "i": roman}.get(form.lower(), str)(number)
        return f"{written.upper() if form in ('A', 'I') else written}."


def _list_of(node: Any) -> tuple[int, int, str]:
    """First number, step and form of a list; step 0 where no numbers are drawn."""
    attributes = node.attributes or {}
    if node.tag != "ol" or re.search(r"list-style(-type)?\s*:[^;]*none", attributes.get("style") or ""):
        return 1, 0, "1"
    start = attributes.get("start") or ""
    first = int(start) if re.fullmatch(r"-?\d{1,6}", start) else 1
    if "reversed" in attributes:
        items = sum(child.tag == "li" for child in children_of(node))
        return (first if start else items), -1, attributes.get("type") or "1"
    return first, 1, attributes.get("type") or "1"


def _with_ends(html: str) -> str:
    """XHTML's empty elements with an end of their own; what stands inside of scripts stays as it is."""
    html = _CLOSED.sub(r"<\1\2></\1>", html)
    last = html.lower().rfind("</script")  # behind it no script has an end, which each would be looked for
    end = last + len("</script") if last >= 0 else 0
    scripts = _SCRIPTS.sub(lambda found: _ended(found) if found[1] is not None else found[0], html[:end])
    return scripts + _CLOSED_SCRIPT.sub(_ended, html[end:])


def _ended(script: "re.Match[str]") -> str:
    return f"<script{script[1]}></script>"


def _nesting(html: str) -> int:
    depth = deepest = 0
    for match in _NESTING.finditer(html):
        depth = max(0, depth - 1) if match.group(1) else depth + 1
        deepest = max(deepest, depth)
    return deepest
