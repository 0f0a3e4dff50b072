"""What the languages of marks share: marks taken off inside a line, lines of a paragraph joined."""

import re

_ITEM = re.compile(r"([-*+•]|\(?[0-9a-zA-Z#]{1,3}[.)])\s")


def without_marks(text: str, marks: tuple[tuple["re.Pattern[str]", str], ...]) -> str:
    for pattern, shown in marks:
        text = pattern.sub(shown, text)
    return text


def unwrapped(lines: list[str]) -> str:
    """The lines of a paragraph as one, but each item of a list on a line of its own."""
    joined: list[str] = []
    for line in lines:
        if joined and not _ITEM.match(line):
            joined[-1] += f" {line}"
        else:
            joined.append(line)
    return "\n".join(joined)
