"""Markdown: rendered, then read as the page it becomes, so that no answer carries asterisks or link targets."""

import re

from indexing.convert.encoding import decode
from indexing.convert.extracted import Extracted, one_line
from indexing.convert.kinds import MIME_TYPES
from indexing.convert.plain import convert_text
from indexing.convert.web import html_text

# YAML is not parsed: of the front matter only plain lines of these names count. It holds a name in its first line,
# which a rule at the start of a text does not.
_FRONT_MATTER = re.compile(
    r"\A---[ \t]*\n((?=[ \t]*(?:#[^\n]*\n[ \t]*)*[\w-]+:(?:[ \t]|\n)).{0,65536}?)\n(?:---|\.\.\.)[ \t]*(?:\n|\Z)",
    re.DOTALL,
)
_FIELD = re.compile(
    r"^(title|subtitle|author|authors|date|description|abstract|summary)(?::[ \t]*)([^\n]{1,500})$", re.MULTILINE
)
# The parser drops what nests deeper than this without a word, so such files are read as plain text instead.
_MAX_NESTING = 60
_TOO_DEEP = re.compile(r"^(?:[ \t]*[>*+-]){40}|[\[(!*_]{200}", re.MULTILINE)
_FOOTNOTE = re.compile(r"^\[\^([^\]\s]{1,60})\]:[ \t]*", re.MULTILINE)
_REFERENCE = re.compile(r"\[\^([^\]\s]{1,60})\]")
# Type parameters (List<String>) that a browser would take for a tag of its own.
_TYPE = re.compile(r"(?<=\w)<((?:[A-Z]\w*|\?|int|str|T)(?:[\[\]<>, .?&\w]*?))>(?=[\s.,;:)\]}>?!]|\w|$)", re.MULTILINE)


def convert_markdown(data: bytes) -> Extracted:
    return markdown_text(decode(data))


def markdown_text(text: str) -> Extracted:
    """The text of a Markdown source; what its front matter says of title, author and date stands ahead of it."""
    from markdown_it import MarkdownIt

    title, told = None, []
    if front := _FRONT_MATTER.match(text):
        for name, value in _FIELD.findall(front.group(1)):
            plain = one_line(value.strip().strip("\"'").strip("[]"), 400)
            if plain is None or plain[0] in "&*!|>{":
                continue
            if name == "title":
                title = title or plain
            else:
                told.append(f"{name.capitalize()}: {plain}")
        text = text[front.end() :]
    if _TOO_DEEP.search(text):
        plain_page = convert_text(text.encode("utf-8", "replace"))
        plain_page.notes.append(f"blocks nested deeper than {_MAX_NESTING}: read as plain text")
        plain_page.mime_type = MIME_TYPES["markdown"]
        return plain_page
    text = _FOOTNOTE.sub(r"[\1] ", text)  # a link's target to the parser, which would take a note of one word away
    text = _REFERENCE.sub(r"[\1]", text)
    text = _TYPE.sub(r"&lt;\1&gt;", text) if "`" not in text else _outside_code(text)
    renderer = MarkdownIt("commonmark", {"maxNesting": _MAX_NESTING}).enable(["table", "strikethrough"])
    page = html_text(renderer.render("\n".join(told) + ("\n\n" if told else "") + text), MIME_TYPES["markdown"])
    page.title = title or page.title or (page.headings[0][2] if page.headings else None)
    return page


def _outside_code(text: str) -> str:
    """Type parameters outside of code; in it they are safe."""
    pieces = re.split(r"(```.*?```|~~~.*?~~~|`[^`\n]*`)", text, flags=re.DOTALL)
    pieces[::2] = [_TYPE.sub(r"&lt;\1&gt;", piece) for piece in pieces[::2]]
    return "".join(pieces)
