"""Unanswerable questions made by rule from answerable ones, in the ways SQuAD 2.0's authors found people make them.

Mined passages are about something else; here the passage is the right one and the question is not. Rules (Rajpurkar,
Jia and Liang 2018, table 2): negation, antonym, entity swap (a name or number the passage does not hold).
"""

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from evaluation.squad import normalize_answer
from evaluation.squad_data import Question, SquadData

_OPPOSITES = {
    "first": "last", "before": "after", "largest": "smallest", "highest": "lowest", "most": "least", "more": "fewer",
    "oldest": "youngest", "increase": "decrease", "increased": "decreased", "north": "south", "northern": "southern",
    "east": "west", "eastern": "western", "early": "late", "earliest": "latest", "begin": "end", "began": "ended",
    "won": "lost", "win": "lose", "best": "worst", "longest": "shortest", "high": "low", "large": "small",
    "maximum": "minimum", "inside": "outside", "above": "below", "upper": "lower", "old": "new", "legal": "illegal",
    "male": "female", "men": "women", "positive": "negative", "public": "private", "major": "minor",
    "allowed": "forbidden", "always": "never", "common": "rare", "majority": "minority", "same": "opposite",
    "domestic": "foreign", "accepted": "rejected",
    "support": "oppose", "supported": "opposed", "entered": "left", "primary": "secondary",
}  # fmt: skip
_OPPOSITES |= {after: before for before, after in _OPPOSITES.items()}
_AUXILIARY = re.compile(r"\b(is|are|was|were|did|does|do|can|could|has|have|had|will|would|should)\b", re.IGNORECASE)
_NAME = re.compile(r"\b[A-Z][\w'-]+(?:\s+(?:of\s+)?[A-Z][\w'-]+)*")
_NUMBER = re.compile(r"\b\d[\d,.]*\b")
_WORD = re.compile(r"\w+")
_COMMON = re.compile(r"\b[a-z]{5,}\b")
_RULES = ("name", "number", "opposite")


def make_unanswerable(data: SquadData, seed: int) -> list[Question]:
    """At most one unanswerable question for each answerable one; its id ends in the rule's name.

    A swapped name or number comes from another paragraph of the same article, so that it could have been meant, and is
    not in this paragraph. The same data and seed make the same questions.
    """
    swapped = {"name": (_NAME, _by_article(data, _NAME)), "number": (_NUMBER, _by_article(data, _NUMBER))}
    made: list[Question] = []
    for number, question in enumerate(data.questions):
        if not question.answers:
            continue
        rng = np.random.default_rng([seed, number])
        paragraph = data.paragraphs[question.paragraph]
        # Negation always applies and would drown the others: it comes last, and only every other time.
        order = [_RULES[place] for place in rng.permutation(3).tolist()] + (["negation"] if rng.random() < 0.5 else [])
        for rule in order:
            if rule in swapped:
                pattern, others = swapped[rule]
                text = _swap(question.text, paragraph.text, others[paragraph.article], pattern, rng)
            else:
                text = _opposite(question.text) if rule == "opposite" else _negation(question.text)
            if text and text != question.text:
                made.append(replace(question, id=f"{question.id}-{rule}", text=text, answers=()))
                break
    return made


def swap_common_words(data: SquadData, seed: int) -> list[Question]:
    """
    At most one unanswerable question for each answerable one, by a rule that no reader is trained with: a common word
    that question and paragraph share gives way to one that is asked for elsewhere in the article.

    Rules that a reader was trained with show it surer of refusing than it is over questions that people write; this one
    is for calibration.
    """
    words = [set(_COMMON.findall(paragraph.text)) for paragraph in data.paragraphs]
    spread = Counter(word for held in words for word in held)
    usual = {word for word, count in spread.items() if count > max(0.05 * len(words), 2)}
    asked: dict[str, dict[str, None]] = {}
    telling: list[list[str]] = []
    for question in data.questions:
        held = words[question.paragraph] - usual
        telling.append([word for word in _COMMON.findall(question.text) if word in held])
        asked.setdefault(data.paragraphs[question.paragraph].article, {}).update(dict.fromkeys(telling[-1]))
    made = []
    for number, (question, mine) in enumerate(zip(data.questions, telling, strict=True)):
        held = words[question.paragraph]
        others = [word for word in asked[data.paragraphs[question.paragraph].article] if word not in held]
        if question.answers and mine and others:
            old = min(mine, key=lambda word: spread[word])  # the most telling one
            drawn = np.random.default_rng([seed, number]).permutation(len(others))[:40].tolist()
            new = max((others[place] for place in drawn), key=lambda word: _alike(word, old))
            text = re.sub(rf"\b{old}\b", new, question.text, count=1)
            made.append(replace(question, id=f"{question.id}-common", text=text, answers=()))
    return made


def _alike(one: str, other: str) -> tuple[int, int]:
    """Equal ends first, which often make words of one kind (planted, painted), then like lengths."""
    same = next(count for count in (3, 2, 1, 0) if one[len(one) - count :] == other[len(other) - count :])
    return same, -abs(len(one) - len(other))


def _by_article(data: SquadData, pattern: re.Pattern[str]) -> dict[str, list[str]]:
    found: dict[str, dict[str, None]] = {}
    for paragraph in data.paragraphs:
        found.setdefault(paragraph.article, {}).update(dict.fromkeys(_inner(pattern, paragraph.text)))
    return {article: list(entries) for article, entries in found.items()}


def _inner(pattern: re.Pattern[str], text: str) -> Iterator[str]:
    """Matches that do not open a sentence: there any word is written with a capital."""
    for match in pattern.finditer(text):
        if text[: match.start()].rstrip()[-1:] not in ("", ".", "?", "!", '"', ":"):
            yield match.group()


def _swap(
    question: str, paragraph: str, others: list[str], pattern: re.Pattern[str], rng: np.random.Generator
) -> str | None:
    """The question about a name (or number) that its paragraph does not speak of."""
    held = f" {normalize_answer(paragraph)} "
    mine = [entry for entry in _inner(pattern, question) if f" {normalize_answer(entry)} " in held]
    if not mine or not others:
        return None
    old = mine[int(rng.integers(len(mine)))]
    drawn = [others[place] for place in rng.permutation(len(others))[:20].tolist()]
    # Of like shape first: "Robert" in the place of "Alberta", not "Duke Constantine" in the place of "Zond".
    drawn.sort(key=lambda new: abs(len(new.split()) - len(old.split())) + abs(len(new) - len(old)) / 10)
    for new in drawn:
        if f" {normalize_answer(new)} " not in held and new != old:
            return re.sub(rf"\b{re.escape(old)}(?!\w)", lambda _, new=new: new, question, count=1)  # type: ignore[misc]
    return None


def _opposite(question: str) -> str | None:
    for match in _WORD.finditer(question):
        other = _OPPOSITES.get(match.group().lower())
        if other:
            return question[: match.start()] + other + question[match.end() :]
    return None


def _negation(question: str) -> str | None:
    matches = list(_AUXILIARY.finditer(question))
    if not matches:
        return None
    word, end = matches[0].group(), matches[0].end()
    if word.lower() in ("can", "will"):
        return question[: matches[0].start()] + {"can": "can't", "will": "won't"}[word.lower()] + question[end:]
    return f"{question[:end]}n't{question[end:]}"
