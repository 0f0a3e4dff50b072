"""Markdown: rendered, then read as the page it becomes, so that no answer carries asterisks or link targets."""

import re

from indexing.convert.encoding import decode
from indexing.convert.extracted import Extracted, one_line
from indexing.convert.kinds import MIME_TYPES
from indexing.convert.plain import convert_text
from indexing.convert.web import html_text

# YAML is not parsed: of the front matter only a plain title line counts.
_FRONT_MATTER = re.compile(r"\A---[ \t]*\n(.{0,65536}?)\n(?:---|\.\.\.)[ \t]*(?:\n|\Z)", re.DOTALL)
_TITLE = re.compile(r"^title:[ \t]*([^\n&*!|>{\[]{1,300})$", re.MULTILINE)
# The parser drops what nests deeper than this without a word, so such files are read as plain text instead.
_MAX_NESTING = 60
_TOO_DEEP = re.compile(r"^(?:[ \t]*[>*+-]){40}|[\[(!*_]{200}", re.MULTILINE)


def convert_markdown(data: bytes) -> Extracted:
    from markdown_it import MarkdownIt

    text = decode(data)
    title = None
    if front := _FRONT_MATTER.match(text):
        found = _TITLE.search(front.group(1))
        title = one_line(found.group(1).strip().strip("\"'")) if found else None
        text = text[front.end() :]
    if _TOO_DEEP.search(text):
        plain = convert_text(text.encode("utf-8", "replace"))
        plain.notes.append(f"blocks nested deeper than {_MAX_NESTING}: read as plain text")
        plain.mime_type = MIME_TYPES["markdown"]
        return plain
    renderer = MarkdownIt("commonmark", {"maxNesting": _MAX_NESTING}).enable(["table", "strikethrough"])
    page = html_text(renderer.render(text), MIME_TYPES["markdown"])
    page.title = title or page.title or (page.headings[0][2] if page.headings else None)
    return page
