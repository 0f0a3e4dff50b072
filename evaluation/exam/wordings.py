"""Questions by rule: from sentences (dates, people, places, counts) and from lines of names and values."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

from components.generation.lookups import ask_lookups
from indexing.chunking.segments import units


class MadeQuestion(NamedTuple):
    """A question with the place of its answer in the text it was made from."""

    question: str
    start: int
    end: int
    kind: str


@dataclass(frozen=True)
class _Sentence:
    text: str
    start: int


_AUXILIARY = r"was|were|is|are|had|has|have|can|could|will|would|must|may"
_MONTH = "January|February|March|April|May|June|July|August|September|October|November|December"
_DATE = rf"(?:the )?(?:(?:early|late|mid-?)\s)?(?:(?:\d{{1,2}} )?(?:{_MONTH}) (?:\d{{1,2}}, )?)?(?:1\d{{3}}|20\d{{2}})"
_NAME = r"[A-Z][\w'’.-]+(?: (?:of |de |von |van |al-)?[A-Z][\w'’.-]+)+"
_PERSONAL = (
    "was born|died|wrote|invented|designed|discovered|became|won|led|argued|proposed|founded|"
    "introduced|painted|composed|developed|built|published|received|established|commanded|taught|"
    "studied|married|served|visited|suggested|was named|was elected|was appointed|scored|directed|"
    "defeated|ordered|patented|moved|returned"
)
_PRONOUN = re.compile(
    r"^(?:It|He|She|They|This|These|That|Those|There|His|Her|Its|Their|We|I|You|One|Some|Such|Here|Both|Many|Most|Other"
    r"|Others)\b"
)
_BROKEN = re.compile(r"[\"“”()\[\];:|]|\.\.\.|\?|!")
_SIMPLE_SUBJECT = rf"^(?P<subject>(?:The |A |An )?[^,]{{2,70}}?) (?P<aux>{_AUXILIARY}) (?P<rest>.{{4,140}}?)"
_WHEN = re.compile(rf"{_SIMPLE_SUBJECT} (?P<lead>in|on|since|until|around|by) (?P<answer>{_DATE})(?:,[^.]*)?\.$")
_WHERE = re.compile(
    rf"{_SIMPLE_SUBJECT} (?P<lead>in|at|near) (?P<answer>(?:the )?{_NAME}|[A-Z][a-z]{{3,}})(?:,[^.]*)?\.$"
)
_HAPPENED = re.compile(r"(?:first |later |then )?(?:\w{3,}ed|born|built|held|found|made|written|won|fought|sent)\b")
_WHEN_FIRST = re.compile(rf"^In (?P<answer>{_DATE}),? (?P<rest>[^,]{{10,140}}?)(?:,[^.]*)?\.$")
_WHO = re.compile(rf"^(?P<answer>{_NAME}) (?P<rest>(?:{_PERSONAL})\b[^,]{{8,140}}?)(?:,[^.]*)?\.$")
_BY_WHOM = re.compile(rf"{_SIMPLE_SUBJECT} by (?P<answer>{_NAME})(?:,[^.]*)?\.$")
_HOW_MANY = re.compile(
    r"^(?P<subject>(?:The |A |An )?[^,]{2,70}?) (?P<aux>had|has|have) (?:about |over |more than |nearly )?"
    r"(?P<answer>\d[\d,.]*\d|\d) (?P<what>(?:[a-z]+ )?[a-z]{3,}s)\b(?P<tail>[^,]{0,80}?)\.$"
)
_LEANS = re.compile(r"\b(?:this|these|it|he|she|they|his|their)\b|[,\d]\?$")
_MOST_SENTENCE = 260  # characters


def ask_by_rule(text: str, title: str = "") -> Iterator[MadeQuestion]:
    """
    Every question that the rules make of a passage.

    Sentences that lean on others (they begin with a pronoun) are passed over, since the question must be understood
    without its passage. What is asked of a line of a table names its row by its first cell.

    :param title: of the file; a form without rows of its own is asked about under it.
    """
    for found in ask_lookups(text, title):
        yield MadeQuestion(*found, "lookup")
    for sentence in _sentences(text):
        if (made := _of_sentence(sentence)) is not None:
            yield made


def _sentences(text: str) -> Iterator[_Sentence]:
    for unit in units(text):
        one = text[unit.start : unit.end]
        flat = re.sub(r"\s", " ", one)  # of equal length: offsets stay
        whole = 30 <= len(flat) <= _MOST_SENTENCE and flat.endswith(".") and not _BROKEN.search(flat)
        if whole and not _PRONOUN.match(flat):
            yield _Sentence(flat, unit.start)


def _of_sentence(sentence: _Sentence) -> MadeQuestion | None:
    text = sentence.text

    def made(match: re.Match[str], question: str) -> MadeQuestion | None:
        words = question.split()
        named = any(word[0].isupper() or word[0].isdigit() for word in words[2:])
        if len(words) < 5 or not named or _LEANS.search(question):
            return None
        start, end = match.span("answer")
        question = " ".join(words)
        return MadeQuestion(
            question[0].upper() + question[1:], sentence.start + start, sentence.start + end, "sentence"
        )

    if match := _BY_WHOM.match(text):
        return made(match, f"By whom {match['aux']} {_inside(match['subject'])} {match['rest']}?")
    if match := _WHEN.match(text):
        asked = {"since": "Since when", "until": "Until when", "by": "By when"}.get(match["lead"], "When")
        return made(match, f"{asked} {match['aux']} {_inside(match['subject'])} {match['rest']}?")
    if (match := _WHERE.match(text)) and _HAPPENED.match(match["rest"]):
        return made(match, f"Where {match['aux']} {_inside(match['subject'])} {match['rest']}?")
    if match := _WHO.match(text):
        return made(match, f"Who {match['rest']}?")
    if match := _HOW_MANY.match(text):
        did = {"had": "did", "has": "does", "have": "do"}[match["aux"]]
        return made(match, f"How many {match['what']} {did} {_inside(match['subject'])} have{match['tail']}?")
    if (match := _WHEN_FIRST.match(text)) and not re.search(r"\d$", match["rest"]):
        return made(match, f"{match['rest']} in what year?")
    return None


def _inside(subject: str) -> str:
    """A subject that no longer begins its sentence: articles and common first words lose their capital."""
    first, _, rest = subject.partition(" ")
    return (
        f"{first.lower()} {rest}" if rest and first in ("The", "A", "An", "All", "Its", "Several", "Two") else subject
    )
