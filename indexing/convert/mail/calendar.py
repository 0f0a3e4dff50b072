"""An invitation (iCalendar, RFC 5545) in the words that people ask about."""

import re
from collections.abc import Iterator

_SHOWN = {"SUMMARY": "What", "DTSTART": "Begins", "DTEND": "Ends", "LOCATION": "Where", "DESCRIPTION": "About"}
_TIME = re.compile(r"(\d{4})(\d\d)(\d\d)(?:T(\d\d)(\d\d)(\d\d)(Z?))?")
_MAX_LINES = 500


def calendar_lines(text: str) -> Iterator[str]:
    """A line a property of its events."""
    inside = False
    unfolded = re.sub(r"\r?\n[ \t]", "", text)
    for _, line in zip(range(_MAX_LINES * 20), unfolded.split("\n"), strict=False):
        name, _, value = line.partition(":")
        name = name.partition(";")[0].strip().upper()
        if name in ("BEGIN", "END") and value.strip() in ("VEVENT", "VTODO"):
            inside = name == "BEGIN"
        elif inside and name in _SHOWN and value.strip():
            yield f"{_SHOWN[name]}: {_plain(value.strip())}"


def _plain(value: str) -> str:
    if match := _TIME.fullmatch(value):
        year, month, day, hour, minute, _, zulu = match.groups()
        return f"{year}-{month}-{day}" + (f" {hour}:{minute}{' UTC' if zulu else ''}" if hour else "")
    return re.sub(r"\\(.)", lambda match: {"n": " ", "N": " "}.get(match.group(1), match.group(1)), value)
