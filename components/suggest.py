"""The end of a message about a name that does not exist: the nearest one there is, and all of them."""

import difflib
from collections.abc import Iterable


def suggest(given: str, allowed: Iterable[str]) -> str:
    """`; did you mean X? Allowed are ...`, or that none is allowed."""
    names = [str(name) for name in allowed]
    close = difflib.get_close_matches(given, names, n=1)
    hint = f"; did you mean {close[0]}?" if close else "."
    return f"{hint} Allowed are {', '.join(names)}" if names else "; none is allowed here"
