"""Which parts of a message say the same, which one to read, and what a part is called."""

import mimetypes
import re
from collections.abc import Callable, Sequence
from typing import Any

_STUB = 0.25  # of the HTML's words: a plain part with fewer only says that there is more


def choose_alternative(children: Sequence[Any], text_of: Callable[[Any], str]) -> Any | None:
    """
    Of parts that say the same, the plain one; the HTML where that is empty or only points at it.

    Versions for other readers (AMP, watches, calendars) are chosen only when there is nothing else.
    """
    plain = next((one for one in children if _holds(one, "text/plain") and not is_attachment(one)), None)
    html = next((one for one in children if _holds(one, "text/html") and not is_attachment(one)), None)
    if plain is None or html is None:
        chosen = plain if plain is not None else html
        others = (one for one in children if one.get_content_type() not in ("text/calendar", "text/x-amp-html"))
        return chosen if chosen is not None else next(others, None)
    words = len(_body(plain, "text/plain", text_of).split())
    shown = re.sub(
        r"(?is)<(style|script|head)\b.*?</\1\s*>|<!--.*?-->|<[^<>]*>", " ", _body(html, "text/html", text_of)
    )
    return html if words < _STUB * len(shown.split()) else plain


def related_parts(parent: Any, children: Sequence[Any]) -> tuple[list[Any], list[Any]]:
    """The root of multipart/related, and what belongs to it."""
    start = (parent.get_param("start") or "") if parent.get_param("start") else ""
    root = [one for one in children if start and str(one.get("Content-ID", "")).strip() == str(start).strip()]
    root = root[:1] or list(children[:1])
    return root, [one for one in children if one not in root]


def is_attachment(part: Any) -> bool:
    """A file that somebody attached: said so, or a named part that is no body."""
    try:
        disposition, name = part.get_content_disposition(), part.get_filename()
    except (ValueError, LookupError, TypeError, AttributeError, IndexError, UnicodeError):
        return False
    if part.is_multipart():
        return False
    if disposition == "attachment":
        return True
    return bool(name) and part.get_content_type() not in ("text/plain", "text/html")


def is_picture_of_page(part: Any) -> bool:
    """A picture that the HTML shows, which no one attached."""
    return (
        part.get_content_maintype() in ("image", "video", "audio", "font") or part.get("Content-Location") is not None
    )


def attachment_name(part: Any, quietly: Callable[[Callable[[], Any]], Any]) -> str:
    name = quietly(part.get_filename)
    if name:
        return re.split(r"[/\\]", str(name))[-1] or "unnamed"
    return f"unnamed{mimetypes.guess_extension(part.get_content_type()) or ''}"


def plain_text(part: Any, text: str) -> str:
    """Lines that were broken for the way (RFC 3676, format=flowed) are joined again."""
    if str(part.get_param("format") or "").lower() != "flowed":
        return text
    joined: list[str] = []
    open_line = False
    drop = str(part.get_param("delsp") or "").lower() == "yes"
    for line in text.split("\n"):
        body = line.removeprefix(" ")
        flows = body.endswith(" ") and body != "-- "
        kept = body[:-1] if flows and drop else body
        if open_line and not line.startswith(">") and not joined[-1].startswith(">"):
            joined[-1] += kept
        else:
            joined.append(kept)
        open_line = flows
    return "\n".join(joined)


def _holds(part: Any, kind: str) -> bool:
    return any(one.get_content_type() == kind for _, one in zip(range(50), part.walk(), strict=False))


def _body(part: Any, kind: str, text_of: Callable[[Any], str]) -> str:
    return next((text_of(one) for one in part.walk() if one.get_content_type() == kind), "")
