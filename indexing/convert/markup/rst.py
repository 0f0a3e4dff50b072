"""reStructuredText: headings by their rules, tables by their columns, directives by what they show."""

import re

from indexing.convert.encoding import decode
from indexing.convert.extracted import Extracted, TextBuilder
from indexing.convert.kinds import MIME_TYPES
from indexing.convert.markup.marks import unwrapped, without_marks
from indexing.convert.tables import Cell, table_lines
from indexing.convert.tables.grid import Row

_RST_RULE = re.compile(r"([=\-`:.'\"~^_*+#<>])\1{2,}$")
_RST_INLINE = (
    (re.compile(r":[\w:.+-]+:`([^`<]*?)\s*(?:<[^`>]*>)?`"), r"\1"),
    (re.compile(r"``(.+?)``"), r"\1"),
    (re.compile(r"`([^`<]+?)\s*<[^`>]+>`__?"), r"\1"),
    (re.compile(r"`([^`]+)`_{0,2}"), r"\1"),
    (re.compile(r"\*\*(?=\S)(.+?)(?<=\S)\*\*"), r"\1"),
    (re.compile(r"(?<![\w*])\*(?=\S)([^*]+?)(?<=\S)\*(?![\w*])"), r"\1"),
    (re.compile(r"\|(\w[\w -]*)\|_?"), r"\1"),
    (re.compile(r"\[(#?[\w*-]+)\]_(?!\w)"), r"[\1]"),
    (re.compile(r"\b(\w+)_(?=[\s.,;:)]|$)"), r"\1"),
)


def convert_rst(data: bytes) -> Extracted:
    """Headings by their rules, directives by what they show, tables by their columns."""
    lines = decode(data).split("\n")
    builder = TextBuilder()
    order: list[str] = []  # marks of headings, outermost first
    paragraph: list[str] = []

    def flush() -> None:
        builder.block(unwrapped(paragraph))
        paragraph.clear()

    index = 0
    while index < len(lines):
        line = lines[index].rstrip()
        following = lines[index + 1].rstrip() if index + 1 < len(lines) else ""
        stripped = line.strip()
        if _is_table_rule(line):
            flush()
            index = _rst_table(lines, index, builder)
            continue
        if (
            stripped
            and _RST_RULE.match(following)
            and len(following) >= len(stripped) * 0.6
            and not line.startswith(" ")
        ):
            flush()
            mark = following[0] + ("over" if index and _RST_RULE.match(lines[index - 1].rstrip()) else "")
            order += [mark] if mark not in order else []
            builder.heading(_rst_inline(stripped), order.index(mark) + 1)
            index += 2
            continue
        if _RST_RULE.match(line):
            index += 1
            continue
        directive = re.match(r"\s*\.\. ([\w:+-]+)::\s*(.*)", line)
        if directive:
            flush()
            if directive.group(1) not in (
                "image",
                "figure",
                "include",
                "toctree",
                "contents",
                "raw",
                "highlight",
                "index",
            ):
                builder.block(_rst_inline(directive.group(2)))
        elif re.match(r"\s*\.\. (?:_|\|)", line) or re.match(r"\s+:[\w-]+:(\s|$)", line):
            pass  # a link's target, an option of a directive
        elif re.match(r"\.\.(\s|$)", line):
            note = re.match(r"\.\. (\[[^\]]+\])\s*(.*)", line)
            if note:
                flush()
                paragraph.append(f"{note.group(1)} {_rst_inline(note.group(2))}")
            else:  # a comment, with its indented lines
                while index + 1 < len(lines) and (lines[index + 1].startswith("  ") or not lines[index + 1].strip()):
                    index += 1
        elif not stripped:
            flush()
        else:
            text = _rst_inline(stripped)
            paragraph.append(text[:-1] if text.endswith("::") else text)
        index += 1
    flush()
    title = builder.headings[0][2] if builder.headings else None
    return Extracted(builder.text(), MIME_TYPES["rst"], title, builder.headings)


def _rst_inline(text: str) -> str:
    return re.sub(r"\\(.)", r"\1", without_marks(text, _RST_INLINE))


def _is_table_rule(line: str) -> bool:
    return bool(re.fullmatch(r"\s*=+(?: +=+)+\s*|\s*\+[-=+]+\+\s*", line))


def _rst_table(lines: list[str], index: int, builder: TextBuilder) -> int:
    """Write the table that begins at `index`; returns the line behind it."""
    rule = lines[index]
    grid = rule.strip().startswith("+")
    rules, body = 0, []
    end = index
    while end < len(lines) and (lines[end].strip() or not (grid or rules > 2)):
        if _is_table_rule(lines[end]):
            rules += 1
        body.append(lines[end].rstrip())
        end += 1
        if not grid and rules >= 2 and _is_table_rule(body[-1]) and (end >= len(lines) or not lines[end].strip()):
            break
    starts = [match.start() for match in re.finditer(r"=+" if not grid else r"\+", rule)]
    spans = (
        list(zip(starts, [*starts[1:], None], strict=True))
        if not grid
        else list(zip([start + 1 for start in starts[:-1]], starts[1:], strict=True))
    )
    rows: list[list[str]] = []
    fresh, headers, seen = True, 0, 0
    for line in body:
        if _is_table_rule(line):
            seen += 1
            if "=" in line and rows and not headers and (grid or seen == 2):
                headers = len(rows)
            fresh = True
            continue
        if not line.strip():
            fresh = True
            continue
        cells = [_rst_inline(line[start:stop].strip().rstrip("|").strip()) for start, stop in spans]
        if rows and not fresh and (grid or not cells[0]):
            rows[-1] = [f"{above} {below}".strip() for above, below in zip(rows[-1], cells, strict=True)]
        else:
            rows.append(cells)
        fresh = not grid and fresh and False
    if headers == len(rows):
        headers = 0
    builder.lines(table_lines([Row(map(Cell, row)) for row in rows], headers=headers or None))
    return max(end, index + 1)
