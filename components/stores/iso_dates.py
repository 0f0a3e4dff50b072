"""Which texts are dates, by the rules that Haystack's filters follow."""

from datetime import datetime
from typing import Any


def iso_date(value: Any) -> datetime | None:
    """The moment a string denotes when it is a full ISO 8601 date, by the rule Haystack's equality follows."""
    if (
        isinstance(value, str)
        and len(value) >= 10
        and value[4] == value[7] == "-"
        and (len(value) == 10 or value[10] in "Tt ")
        and value[:4].isdigit()
        and value[5:7].isdigit()
        and value[8:10].isdigit()
    ):
        try:
            return datetime.fromisoformat(value)
        except ValueError:
            import dateutil.parser

            try:
                return dateutil.parser.isoparse(value)  # knows 24:00, which fromisoformat refuses
            except (ValueError, OverflowError):
                return None
    return None


def parse_moment(value: str) -> datetime | None:
    """The moment a string denotes in any ISO 8601 spelling, for ordering."""
    moment = iso_date(value)
    if moment is None and 7 <= len(value) <= 40 and value[:4].isdigit():
        try:
            return datetime.fromisoformat(value)
        except ValueError:
            return None
    return moment
