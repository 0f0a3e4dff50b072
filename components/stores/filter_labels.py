"""
How a meta dictionary becomes something a database can filter on, whatever keys and types it holds; the same in each of
our stores, so that a filter means the same in each.

- labels, a list of strings with an index of its own, for `==`, `!=`, `in`, `not in` and "is there": one label that the
  field exists (and is not None), and one or more for its value. The list is never null, so `NOT` means what it says.
  LanceDB has no index for free-form metadata (a struct column wants its keys known beforehand, a JSON column cannot be
  indexed); Elasticsearch knows no equal lists, no text of 9,000 characters, and takes "1" for 1;
- numbers, from field to number, for `>`, `>=`, `<`, `<=` in the embedded store.

Equality follows Python's and Haystack's rules (`haystack.utils.filters`): 1 == 1.0 == True, ISO dates equal when they
denote the same moment, a naive date borrowing the other one's time zone.
"""

import hashlib
import json
import math
import sys
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

from components.stores.iso_dates import iso_date, parse_moment

# Joins the steps of a path. A dot would not do: meta keys may contain dots.
STEP = "\x1f"
# Longer strings are labelled by their digest, so that an abstract in the meta does not fill the index.
LONGEST_LABELLED = 120
_EPOCH = datetime(1970, 1, 1)


def path_of(keys: tuple[str, ...]) -> str:
    """One string for the steps to a value, distinct for distinct steps."""
    return STEP.join(
        key.replace("\\", "\\\\").replace(STEP, "\\s") if STEP in key or "\\" in key else key for key in keys
    )


def path_of_field(field: str) -> str | None:
    """The path inside `meta` of a filter's field, or None when no document can have such a field."""
    root, *steps = field.split(".")
    if not steps:
        return path_of((field,))  # filters of old call a meta field by its bare name
    return path_of(tuple(steps)) if root == "meta" else None


def leaves(meta: dict[str, Any], above: tuple[str, ...] = ()) -> Iterator[tuple[str, Any]]:
    """Every value in `meta` that is not None with its path; a nested dictionary itself and what it holds."""
    for key, value in meta.items():
        if value is None:
            continue
        keys = (*above, key)
        yield path_of(keys), value
        if isinstance(value, dict):
            yield from leaves(value, keys)


def exists_label(path: str) -> str:
    """The label of every row in which the field is there and not None."""
    return f"?{path}"


def value_labels(path: str, value: Any) -> list[str]:
    """The labels that a row gets when the field holds `value`; NaN, which equals nothing, gets none."""
    label = _exact_label(path, value)
    labels = [] if label is None else [label]
    moment = iso_date(value)
    if moment is not None:
        labels += [f"={path}{STEP}{kind}:{micros}" for kind, micros in _moments(moment)]
    return labels


def equality_labels(path: str, value: Any) -> list[str]:
    """The labels of which a row has at least one when its field equals `value` (a filter's value, never None)."""
    moment = value if isinstance(value, datetime) else iso_date(value)
    label = None if isinstance(value, datetime) else _exact_label(path, value)
    labels = [] if label is None else [label]
    if moment is not None:
        labels += [f"={path}{STEP}{kind}:{micros}" for kind, micros in matching_moments(moment)]
    return labels


def numbers(meta: dict[str, Any]) -> dict[str, float | int]:
    """The values that can be ordered: numbers under their path, dates as microseconds under path and kind."""
    found: dict[str, float | int] = {}
    for path, value in leaves(meta):
        if isinstance(value, (bool, int, float)):
            if not (isinstance(value, float) and math.isnan(value)):
                found[path] = _bounded(value)
        elif isinstance(value, str):
            moment = parse_moment(value)
            if moment is not None:
                for kind, micros in _moments(moment):
                    found[path + STEP + kind] = micros
    return found


def matching_moments(moment: datetime) -> list[tuple[str, int]]:
    """
    (kind, microseconds) of stored dates that denote the same moment as a filter's date. The kinds: `n` the clock of a
    date without time zone; `w` the clock and `u` the UTC moment of a date with one. Where one side has no zone,
    Haystack compares clocks.
    """
    clock = _micros(moment.replace(tzinfo=None))
    if moment.tzinfo is None:
        return [("n", clock), ("w", clock)]
    return [("n", clock), ("u", _utc_micros(moment))]


def _moments(moment: datetime) -> list[tuple[str, int]]:
    clock = _micros(moment.replace(tzinfo=None))
    if moment.tzinfo is None:
        return [("n", clock)]
    return [("w", clock), ("u", _utc_micros(moment))]


def _utc_micros(moment: datetime) -> int:
    # Not astimezone: in the years 1 and 9999 that leaves the calendar and raises.
    return _micros(moment.replace(tzinfo=None)) - (moment.utcoffset() or timedelta()) // timedelta(microseconds=1)


def _micros(moment: datetime) -> int:
    return (moment - _EPOCH) // timedelta(microseconds=1)


def _bounded(value: float | int) -> float | int:
    # JSON knows no infinity, and the database reads an integer beyond a double's range as an error.
    limit = sys.float_info.max
    if value > limit or value < -limit:
        return limit if value > 0 else -limit
    return int(value) if isinstance(value, bool) else value


def _exact_label(path: str, value: Any) -> str | None:
    if isinstance(value, str):
        if len(value) <= LONGEST_LABELLED and value.isprintable():
            return f"={path}{STEP}s:{value}"
        return f"={path}{STEP}h:{_digest(value)}"
    if isinstance(value, (bool, int, float)):
        if isinstance(value, float) and math.isnan(value):
            return None
        return f"={path}{STEP}n:{_number(value)}"
    return f"={path}{STEP}j:{_digest(json.dumps(_canonical(value), sort_keys=True, default=str))}"


def _number(value: float | int) -> str:
    # One spelling for 1, 1.0 and True, which Python calls equal. Long integers are digested by hash: Python refuses to
    # print more than 4,300 digits.
    if isinstance(value, float) and not value.is_integer():
        return repr(value)
    whole = int(value)
    return str(whole) if whole.bit_length() < 4000 else f"x{_digest(hex(whole))}"


def _canonical(value: Any) -> Any:
    if isinstance(value, (bool, int, float)):
        return f"n:{_number(value)}" if not isinstance(value, float) or math.isfinite(value) else repr(value)
    if isinstance(value, str):
        return f"s:{value}"
    if isinstance(value, (list, tuple)):
        return [_canonical(item) for item in value]
    if isinstance(value, dict):
        return {str(key): _canonical(item) for key, item in value.items()}
    return value


def _digest(text: str) -> str:
    return hashlib.sha1(text.encode("utf-8", "surrogatepass"), usedforsecurity=False).hexdigest()
