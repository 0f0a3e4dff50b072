"""How does a table read as text? Row by row, each cell beside the name of its column where there is one."""

from collections.abc import Iterable, Iterator, Sequence

_NAME_LENGTH = 60


def rows_as_text(rows: Iterable[Sequence[str]], header: bool | None = None) -> Iterator[str]:
    """
    One line a row, so that a row found by a search can be understood alone.

    With a header: ``name: cell; name: cell``; without: ``cell | cell``. Empty cells are left out.

    :param header: whether the first row names the columns; None: judged by the first three rows.
    """
    ahead: list[Sequence[str]] = []
    remaining = iter(rows)
    for row in remaining:
        if any(cell.strip() for cell in row):
            ahead.append(row)
        if len(ahead) == 3:
            break
    if header is None:
        header = len(ahead) == 3 and _names_columns(ahead)
    names = [" ".join(cell.split()) for cell in ahead[0]] if header and ahead else []
    if names:
        yield " | ".join(name for name in names if name)
    for row in ahead[1 if names else 0 :]:
        yield _line(row, names)
    for row in remaining:
        if line := _line(row, names):
            yield line


def _line(row: Sequence[str], names: list[str]) -> str:
    cells = [(index, text) for index, cell in enumerate(row) if (text := " ".join(cell.split()))]
    if not names:
        return " | ".join(text for _, text in cells)
    return "; ".join(
        f"{names[index]}: {text}" if index < len(names) and names[index] else text for index, text in cells
    )


def _names_columns(rows: list[Sequence[str]]) -> bool:
    """A header: short, distinct, without numbers, as wide as the rows below it, and at least two columns."""
    first = [cell.strip() for cell in rows[0]]
    return (
        len(first) >= 2
        and all(first)
        and len(set(first)) == len(first)
        and all(len(cell) <= _NAME_LENGTH and not cell.replace(".", "").replace(",", "").isdigit() for cell in first)
        and all(len(row) == len(first) for row in rows[1:])
    )
