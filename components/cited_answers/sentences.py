"""A language model's reply, sentence by sentence: what each cites and quotes, and whether that holds."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from components.cited_answers.quotations import find_quotation

_QUOTED = re.compile(
    r'"([^"\n]{1,2000})"|\u201c([^\u201c\u201d\n]{1,2000})[\u201d\u201c]|\u201e([^\u201e\u201c\u201d\n]{1,2000})[\u201c\u201d]|\u00ab([^\u00ab\u00bb\n]{1,2000})\u00bb'
)
_CITED = re.compile(r"\[(\d{1,4}(?:\s*[,;]\s*\d{1,4})*)\]")
# A sentence ends at a mark, closing quotes and citations included, before something that can begin one.
_END = re.compile(
    r'(?:[.!?\u3002\uff01\uff1f]["\u201d\u201c\u00bb]?(?:\s*\[[\d,; ]+\])+|\[[\d,; ]+\][.!?\u3002]?'
    r'|[.!?]["\u201d\u00bb]?)'
    r'(?=\s+["\u201c\u201e\u00abA-Z\u00c0-\u00de0-9])|[\u3002\uff01\uff1f](?!\s*\[)'
)
_ABBREVIATED = re.compile(r"(?:^|[\s(])(?:[A-Za-z]|[A-Z][a-z]{0,3}|e\.g|i\.e|vs|etc|approx)\.$")
_LISTED = re.compile(r"^\s*(?:[-*\u2022]|\d{1,2}[.)])\s+")
_CONTROLS = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u200b-\u200f\u202a-\u202e\u2066-\u2069]")
_NUMBER = re.compile(r"\d+(?:[.,]\d+)*")
_ADDRESS = re.compile(r"(?:https?://|www\.|mailto:)\S+", re.IGNORECASE)


@dataclass(frozen=True)
class Quotation:
    """Words in quotes; `passage` (from 0) and `places` in it are set where they stand in a cited passage."""

    text: str
    passage: int | None = None
    places: tuple[tuple[int, int], ...] = ()


@dataclass(frozen=True)
class Sentence:
    """
    :param citations: numbers of the passages it cites, from 1, as written.
    :param problem: why it is not supported; None where everything held.
    """

    text: str
    citations: tuple[int, ...] = ()
    quotations: tuple[Quotation, ...] = field(default=())
    problem: str | None = None

    @property
    def supported(self) -> bool:
        """Whether it cites, quotes, and everything in it that can be checked stands in what it cites."""
        return self.problem is None

    def to_dict(self) -> dict[str, Any]:
        """As JSON."""
        quotations = [
            {"text": one.text, "passage": None if one.passage is None else one.passage + 1} for one in self.quotations
        ]
        return {
            "text": self.text, "citations": list(self.citations), "quotations": quotations,
            "supported": self.supported, "problem": self.problem,
        }  # fmt: skip


def check_reply(reply: str, passages: Sequence[str], question: str) -> list[Sentence]:
    """
    The sentences of a reply, each held against the passages that it cites.

    :param passages: their texts; citation [1] names the first.
    :param question: numbers that it holds may be repeated without a source.
    """
    return [_check(text, passages, question) for text in split_sentences(reply)]


def split_sentences(reply: str) -> Iterator[str]:
    """The sentences of a reply, a line each or several; what stands in quotes is never cut."""
    for line in reply.splitlines():
        line = _LISTED.sub("", _CONTROLS.sub("", line)).strip()
        hidden = _QUOTED.sub(lambda match: f'"{"x" * (len(match.group()) - 2)}"', line)
        begin = 0
        for match in _END.finditer(hidden):
            if match.group() == "." and _ABBREVIATED.search(hidden[begin : match.end()]):
                continue
            if sentence := line[begin : match.end()].strip():
                yield sentence
            begin = match.end()
        if sentence := line[begin:].strip():
            yield sentence


def _check(text: str, passages: Sequence[str], question: str) -> Sentence:
    bare = _QUOTED.sub(" ", text)
    cited = tuple(
        dict.fromkeys(int(one) for match in _CITED.finditer(bare) for one in re.findall(r"\d+", match.group(1)))
    )
    quoted = [next(group for group in match.groups() if group is not None) for match in _QUOTED.finditer(text)]
    known = [number for number in cited if 1 <= number <= len(passages)]
    quotations = tuple(_place(one, known, passages) for one in quoted)
    problem = _problem(_CITED.sub(" ", bare), cited, known, quotations, passages, question)
    return Sentence(text, cited, quotations, problem)


def _place(quoted: str, cited: Sequence[int], passages: Sequence[str]) -> Quotation:
    for number in cited:
        if (places := find_quotation(quoted, passages[number - 1])) is not None:
            return Quotation(quoted, number - 1, tuple(places))
    return Quotation(quoted)


def _problem(
    own: str,
    cited: Sequence[int],
    known: Sequence[int],
    quotations: Sequence[Quotation],
    passages: Sequence[str],
    question: str,
) -> str | None:
    """
    What speaks against a sentence.

    :param own: its words outside quotations and citations.
    """
    if not cited:
        return "cites no passage"
    if len(known) < len(cited):
        return "cites a passage that was not given"
    if not quotations:
        return "quotes nothing"
    if any(one.passage is None for one in quotations):
        return "a quotation does not stand in the passages cited"
    if set(known) - {one.passage + 1 for one in quotations if one.passage is not None}:
        return "cites a passage that it does not quote"
    if _ADDRESS.search(own):
        return "names an address outside a quotation"
    sources = " ".join([question, *(passages[number - 1] for number in known)])
    if set(_NUMBER.findall(own)) - set(_NUMBER.findall(sources)):
        return "holds a number that does not stand in the passages cited"
    return None
