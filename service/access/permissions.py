"""
Who may see a document, as one string that passages carry and a filter can compare: "group:hr user:ann".

A list of principals would have to be searched element by element, which LanceDB's labels do not do; and the number of
different lists is small where that of documents is large. So a caller's principals are turned into the lists that name
one of them, and `in` over those is the filter, the same in every store.
"""

import re
from collections.abc import Iterable, Sequence
from typing import Any

from service.access.caller import Caller

FIELD = "allow"  # in a passage's meta
EVERYONE = "everyone"
NOBODY = "nobody"
MAX_PRINCIPALS = 64
_FORM = re.compile(r"(user|group):[^\s]{1,120}")


class InvalidAllow(ValueError):
    """A list of principals that cannot be used; says which entry and what is allowed."""


def written(allow: Sequence[str]) -> str:
    """
    A list of principals as the string that passages carry. Equal lists give equal strings; [] is nobody.

    :raises InvalidAllow: for what is not everyone, user:NAME or group:NAME, and for more than 64.
    """
    if len(allow) > MAX_PRINCIPALS:
        raise InvalidAllow(f"`allow` names {len(allow)} users and groups; at most {MAX_PRINCIPALS} are allowed")
    for entry in allow:
        if entry not in (EVERYONE, NOBODY) and not _FORM.fullmatch(entry):
            raise InvalidAllow(
                f"`allow`: an entry must be everyone, nobody, user:NAME or group:NAME, got {entry[:80]!r}"
            )
    principals = sorted({entry for entry in allow if entry != NOBODY})
    if EVERYONE in principals:
        return EVERYONE
    return " ".join(principals) or NOBODY


def listed(text: str) -> list[str]:
    """The list that `written` wrote."""
    return [] if text == NOBODY else text.split(" ")


def may_see(caller: Caller, text: str) -> bool:
    """Whether a document with this string is shown to the caller."""
    return caller.sees_all or text == EVERYONE or not caller.principals.isdisjoint(text.split(" "))


def carries_one_of(texts: Iterable[str]) -> dict[str, Any]:
    """
    The filter for passages that carry one of these strings, or everyone's. A passage that carries none is not among
    them: somebody else has indexed it a moment ago, and it is not yet marked.
    """
    return {"field": f"meta.{FIELD}", "operator": "in", "value": sorted({*texts, EVERYONE})}


def not_of(source_ids: Iterable[str]) -> dict[str, Any] | None:
    """The filter for passages of other sources than these; None for no source."""
    gone = sorted(set(source_ids))
    return {"field": "meta.source_id", "operator": "not in", "value": gone} if gone else None


def merged(*filters: dict[str, Any] | None) -> dict[str, Any] | None:
    """All filters at once: each must hold. None does not count."""
    given = [one for one in filters if one]
    if len(given) < 2:
        return given[0] if given else None
    return {"operator": "AND", "conditions": given}
