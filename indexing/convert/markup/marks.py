"""Marks inside a line, taken off one kind after the other."""

import re


def without_marks(text: str, marks: tuple[tuple["re.Pattern[str]", str], ...]) -> str:
    for pattern, shown in marks:
        text = pattern.sub(shown, text)
    return text
