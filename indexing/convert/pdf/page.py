"""One page: its lines and tables in the order in which a person reads them."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from indexing.convert.pdf.annotations import added_text
from indexing.convert.pdf.characters import PageCharacters
from indexing.convert.pdf.columns import reading_order
from indexing.convert.pdf.fragments import Fragment, Token, make_fragments, make_rows
from indexing.convert.pdf.layers import visible_tokens
from indexing.convert.pdf.rules import Rule, RuledGrid, ruled_grids
from indexing.convert.pdf.scripts import join_scripts
from indexing.convert.pdf.tables import Table, aligned_tables, ruled_table


@dataclass(slots=True)
class Line:
    """
    A line of text.

    :param left: where its column begins, and `right` where it ends.
    :param region: number of its column on the page.
    """

    tokens: list[Token]
    x0: float
    y0: float
    x1: float
    y1: float
    size: float
    left: float
    right: float
    region: int

    @property
    def text(self) -> str:
        return " ".join(token.text for token in self.tokens)


@dataclass(slots=True)
class PageContent:
    """
    What was found on a page, before it is put in order.

    :param ways: fragments by the way they run: right, down, left, up.
    :param askew: texts that run otherwise, as watermarks do.
    :param size: (width, height) in points, as it is seen.
    """

    number: int
    size: tuple[float, float]
    ways: list[list[Fragment]] = field(default_factory=lambda: [[], [], [], []])
    grids: list[RuledGrid] = field(default_factory=list)
    askew: list[str] = field(default_factory=list)
    hidden: bool = False
    pictures: bool = False


def read_page(page: Any, number: int, form: Any, layered: bool, notes: set[str]) -> PageContent:
    """
    :param page: an open page of PDFium.
    :param form: PDFium's form environment; None where the document has no form.
    :param layered: the document has layers, some of which may be switched off.
    :param notes: gets what is on the page and not read.
    """
    textpage = page.get_textpage()
    try:
        ways, askew = PageCharacters(page, textpage).tokens()
    finally:
        textpage.close()
    content = PageContent(number, page.get_size(), askew=askew)
    if layered and any(ways):
        seen = [visible_tokens(page, tokens) for tokens in ways]
        content.hidden = sum(map(len, seen)) < sum(map(len, ways))
        ways = seen
    content.grids = ruled_grids(page)
    columns = [rule for grid in content.grids for rule in grid.down]
    content.ways = [make_fragments(join_scripts(tokens)) for tokens in ways]
    if columns:
        content.ways[0] = _parted(content.ways[0], columns)
    content.ways[0] += added_text(page, form, notes)
    return content


def page_blocks(content: PageContent, running: frozenset[int]) -> list[Line | Table]:
    """
    The page in reading order.

    :param running: identities of the fragments that are left out as running heads and feet.
    """
    blocks: list[Line | Table] = []
    for way, fragments in enumerate(content.ways):
        body = [one for one in fragments if id(one) not in running]
        tables: dict[int, Table] = {}
        if way == 0:
            for grid in content.grids:
                table, rest = ruled_table(grid, body)
                if table is not None:
                    place = Fragment([], grid.xs[0], grid.ys[0], grid.xs[-1], grid.ys[-1], 10.0, _first(body, rest))
                    place.tokens = [Token("\ufffc", place.x0, place.y0, place.x1, place.y1, 10.0, (0, 0, 0, 0))]
                    body = [*rest, place]
                    tables[id(place)] = table
        for region in reading_order(body):
            blocks += _region_blocks(region, tables, len(blocks))
    return blocks


def _region_blocks(region: Sequence[Fragment], tables: dict[int, Table], number: int) -> list[Line | Table]:
    blocks: list[Line | Table] = []
    plain = [one for one in region if id(one) not in tables]
    left, right = min((one.x0 for one in plain), default=0.0), max((one.x1 for one in plain), default=0.0)
    stretch: list[Fragment] = []

    def flush() -> None:
        rows = make_rows(stretch)
        position = 0
        found = aligned_tables(rows) if len(rows) >= 3 else []
        for first, last, table in [*found, (len(rows), len(rows), None)]:
            for row in rows[position:first]:
                tokens = [token for one in row for token in one.tokens]
                edges = min(one.x0 for one in row), min(one.y0 for one in row), max(one.x1 for one in row)
                sizes: dict[float, int] = {}
                for token in tokens:
                    size = round(token.size, 1)
                    sizes[size] = sizes.get(size, 0) + len(token.text)
                size = max(sizes, key=lambda one: (sizes[one], one))
                bottom = max((one.y1 for one in row if abs(one.size - size) < 1), default=row[0].y1)
                blocks.append(Line(tokens, *edges, bottom, size, left, right, number))
            if table is not None:
                blocks.append(table)
            position = last
        stretch.clear()

    for one in sorted(region, key=lambda fragment: fragment.y0) if tables else region:
        if id(one) in tables:
            flush()
            blocks.append(tables[id(one)])
        else:
            stretch.append(one)
    flush()
    return blocks


def _parted(fragments: Sequence[Fragment], rules: Sequence[Rule]) -> list[Fragment]:
    """Fragments cut where a vertical line of a table runs between two of their words."""
    parted: list[Fragment] = []
    for one in fragments:
        middle = (one.y0 + one.y1) / 2
        cuts = [rule.at for rule in rules if one.x0 < rule.at < one.x1 and rule.start <= middle <= rule.end]
        if not cuts:
            parted.append(one)
            continue
        pieces: dict[int, list[Token]] = {}
        for token in one.tokens:
            pieces.setdefault(sum(cut < (token.x0 + token.x1) / 2 for cut in cuts), []).append(token)
        for tokens in pieces.values():
            x0, x1 = min(token.x0 for token in tokens), max(token.x1 for token in tokens)
            y0, y1 = min(token.y0 for token in tokens), max(token.y1 for token in tokens)
            parted.append(Fragment(tokens, x0, y0, x1, y1, max(token.size for token in tokens), one.order))
    return parted


def _first(body: Sequence[Fragment], rest: Sequence[Fragment]) -> int:
    kept = {id(one) for one in rest}
    return min((one.order for one in body if id(one) not in kept), default=0)
