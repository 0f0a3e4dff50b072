"""Questions that tables and forms answer, made by rule: of names and values, as the converter writes them."""

import re
from collections.abc import Iterator
from typing import NamedTuple

_PAIR = re.compile(r"(?P<name>[^:;\n]{2,50}): (?P<value>[^;\n]{1,60}?)(?=; |\n|$)")
_LONGEST_LINE = 90  # characters of a line that is a form's name and value, and no sentence
_LONGEST_LABEL = 60
_VALUE_WORDS = 8


class Lookup(NamedTuple):
    """A question with the place of its answer in the text it was made from."""

    question: str
    start: int
    end: int


def ask_lookups(text: str, title: str = "") -> Iterator[Lookup]:
    """
    "What is the capital of Kenya?" of each line `country: Kenya; capital: Nairobi`, and of a form's `capital: Nairobi`.

    :param title: what a form without rows of its own is about; without it nothing is asked of such.
    """
    at = 0
    for line in text.split("\n"):
        pairs = [match for match in _PAIR.finditer(line) if re.search(r"\w", match["value"])]
        pairs = [
            pair for pair in pairs if len(pair["value"].split()) <= _VALUE_WORDS and not pair["value"].endswith(".")
        ]
        row = len(pairs) > 1
        label = pairs[0]["value"].strip() if row else title
        asked = pairs[1:] if row else pairs[:1] if ";" not in line and len(line) < _LONGEST_LINE else []
        for pair in asked if label and len(label) < _LONGEST_LABEL else []:
            name = pair["name"].strip().lstrip("; ")
            if re.search(r"[^\W\d_]{2}", name) and pair["value"].strip() != label:
                shown = name if name.isupper() else name[0].lower() + name[1:]
                start, end = pair.span("value")
                yield Lookup(f"What is the {shown} of {label}?", at + start, at + end)
        at += len(line) + 1
