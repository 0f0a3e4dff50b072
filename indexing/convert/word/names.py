"""The names of WordprocessingML that several modules look for."""

W = "{http://schemas.openxmlformats.org/wordprocessingml/2006/main}"
VAL = f"{W}val"


def number_of(element: object | None, default: int) -> int:
    """The integer in w:val, of at most five digits; `default` where there is none."""
    value = element.get(VAL, "") if element is not None else ""  # type: ignore[attr-defined]
    return int(value) if value.isascii() and value.isdigit() and len(value) < 6 else default
