"""SQuAD-format files: read, checked, split by article, and told apart by a digest.

Accepts v1.1, v2.0, gzip, several files, and what annotation tools write in the same layout. A mistake in a data file
makes a worse model without a word, so every one is named: file, article, paragraph, question.
"""

import gzip
import hashlib
import json
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

import numpy as np

SHOWN_PROBLEMS = 20


class SquadFormatError(ValueError):
    """A data file that cannot be trained on as it is; `problems` holds every place and reason."""

    def __init__(self, problems: Sequence[str]) -> None:
        self.problems = tuple(problems)
        shown = "\n".join(f"  {problem}" for problem in problems[:SHOWN_PROBLEMS])
        more = f"\n  ... and {len(problems) - SHOWN_PROBLEMS} more" if len(problems) > SHOWN_PROBLEMS else ""
        super().__init__(
            f"{len(problems)} malformed item(s) in the data:\n{shown}{more}\n"
            "Correct them, or leave them out with drop_malformed (--set drop_malformed=true)."
        )


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer and the place (in code points) where its paragraph holds it."""

    start: int
    text: str


@dataclass(frozen=True, slots=True)
class Question:
    """A question about one paragraph; without answers it is unanswerable there."""

    id: str
    text: str
    paragraph: int
    answers: tuple[Answer, ...]


@dataclass(frozen=True, slots=True)
class Paragraph:
    """A paragraph and the article it belongs to."""

    text: str
    article: str


@dataclass(frozen=True)
class SquadData:
    """Paragraphs and the questions about them; `Question.paragraph` is an index into `paragraphs`.

    It is of version 2.0 when a file says so, or a question is unanswerable.
    """

    paragraphs: tuple[Paragraph, ...]
    questions: tuple[Question, ...]
    dropped: tuple[str, ...] = ()
    version: Literal["1.1", "2.0"] = "1.1"

    @property
    def articles(self) -> list[str]:
        """Article titles in the order of the files."""
        return list(dict.fromkeys(paragraph.article for paragraph in self.paragraphs))

    def digest(self) -> str:
        """sha256 (hex) over every paragraph, question and answer in order: the same digest, the same training data."""
        digest = hashlib.sha256()
        for paragraph in self.paragraphs:
            digest.update(json.dumps([paragraph.article, paragraph.text]).encode())
        for question in self.questions:
            answers = [[answer.start, answer.text] for answer in question.answers]
            digest.update(json.dumps([question.id, question.text, question.paragraph, answers]).encode())
        return digest.hexdigest()

    def select(self, articles: Sequence[str]) -> "SquadData":
        """The part of the data that belongs to these articles."""
        wanted = set(articles)
        kept = [i for i, paragraph in enumerate(self.paragraphs) if paragraph.article in wanted]
        new_index = {old: new for new, old in enumerate(kept)}
        questions = tuple(
            replace(question, paragraph=new_index[question.paragraph])
            for question in self.questions
            if question.paragraph in new_index
        )
        return SquadData(tuple(self.paragraphs[i] for i in kept), questions, version=self.version)


def read_squad(paths: Sequence[str | Path], drop_malformed: bool = False) -> SquadData:
    """Read SQuAD-format files into one data set.

    :param paths: JSON files, gzip-compressed or not.
    :param drop_malformed: leave malformed questions out (listed in `dropped`) instead of refusing the files.
    :raises SquadFormatError: naming the place of every malformed item, or when no question is left.
    :raises FileNotFoundError: when a file is not there.
    """
    if not paths:
        raise ValueError("no data file was given: name at least one SQuAD-format JSON file (.json or .json.gz)")
    paragraphs: dict[Paragraph, int] = {}
    questions: list[Question] = []
    places: dict[str, str] = {}
    problems: list[str] = []
    newer = False
    for path in paths:
        document = load_json(Path(path))
        newer |= isinstance(document, dict) and str(document.get("version", "")).lstrip("v").startswith("2")
        for place, article, context, qa in _items(Path(path), document, problems):
            paragraph = paragraphs.setdefault(Paragraph(context, article), len(paragraphs))
            question = None if qa is None else _question(qa, context, place, problems)
            if question is None:
                continue
            if question.id in places:
                problems.append(f"{place}: id {question.id!r} is already used by {places[question.id]}")
                continue
            places[question.id] = place
            questions.append(replace(question, paragraph=paragraph))
    if problems and not drop_malformed:
        raise SquadFormatError(problems)
    if not questions:
        raise SquadFormatError([*problems, f"{', '.join(map(str, paths))}: no question at all"])
    newer |= any(not question.answers for question in questions)
    return SquadData(tuple(paragraphs), tuple(questions), tuple(problems), "2.0" if newer else "1.1")


def split_articles(data: SquadData, held_out: int, seed: int) -> tuple[SquadData, SquadData | None]:
    """Hold whole articles out, so that no paragraph of the judgement has been trained on.

    :param held_out: number of articles to hold out; 0 holds out none.
    :returns: data to train on, and held-out data (None when `held_out` is 0).
    :raises ValueError: when that would leave nothing to train on.
    """
    if held_out == 0:
        return data, None
    articles = data.articles
    if not 0 < held_out < len(articles):
        raise ValueError(
            f"held_out is {held_out}, but the data has {len(articles)} article(s) and at least one must be left to "
            "train on: choose fewer (0 trains without early stop), or give every document its own article in the data"
        )
    # By digest of the title, not by position: adding a file moves no article from one side to the other at random.
    order = sorted(articles, key=lambda title: hashlib.sha256(f"{seed}\0{title}".encode()).digest())
    held = set(order[:held_out])
    return data.select([a for a in articles if a not in held]), data.select([a for a in articles if a in held])


def sample(data: SquadData, questions: int, seed: int) -> SquadData:
    """At most this many questions, drawn without regard to their order (all paragraphs are kept)."""
    if questions >= len(data.questions):
        return data
    chosen = np.sort(np.random.default_rng(seed).permutation(len(data.questions))[:questions])
    return replace(data, questions=tuple(data.questions[i] for i in chosen))


def _items(path: Path, document: Any, problems: list[str]) -> Iterator[tuple[str, str, str, dict[str, Any] | None]]:
    """Place, article, paragraph and question (as in the file) of each question of a file; each paragraph first comes
    without a question, since one that nobody asks about can still be a wrong passage."""
    if not isinstance(document, dict) or not isinstance(document.get("data"), list):
        problems.append(f'{path.name}: expected an object with a list under "data", as SQuAD files have')
        return
    for a, article in enumerate(document["data"]):
        place = f"{path.name}: data[{a}]"
        if not isinstance(article, dict) or not isinstance(article.get("paragraphs"), list):
            problems.append(f'{place}: no list under "paragraphs"')
            continue
        # Annotation tools leave the title out; then each entry of the file is an article of its own.
        title = str(article.get("title") or f"{path.name}#{a}")
        for p, paragraph in enumerate(article["paragraphs"]):
            place = f"{path.name}: data[{a}].paragraphs[{p}]"
            if not isinstance(paragraph, dict) or not isinstance(paragraph.get("context"), str):
                problems.append(f'{place}: no text under "context"')
                continue
            if not isinstance(paragraph.get("qas"), list):
                problems.append(f'{place}: no list under "qas"')
                continue
            yield place, title, paragraph["context"], None
            for q, qa in enumerate(paragraph["qas"]):
                if isinstance(qa, dict):
                    yield f"{place}.qas[{q}]", title, paragraph["context"], qa
                else:
                    problems.append(f"{place}.qas[{q}]: expected an object, got {type(qa).__name__}")


def load_json(path: Path) -> Any:
    """The file's JSON; whether it is compressed is read from its first bytes, not from its name."""
    if not path.is_file():
        raise FileNotFoundError(f"data file {path} does not exist (give SQuAD-format .json or .json.gz files)")
    content = path.read_bytes()
    try:
        text = gzip.decompress(content) if content[:2] == b"\x1f\x8b" else content
        return json.loads(text.decode("utf-8-sig"))
    except (gzip.BadGzipFile, EOFError, zlib.error) as error:
        raise SquadFormatError([f"{path.name}: damaged gzip file ({error})"]) from error
    except UnicodeDecodeError as error:
        raise SquadFormatError([f"{path.name}: not UTF-8 ({error.reason} at byte {error.start})"]) from error
    except json.JSONDecodeError as error:
        raise SquadFormatError([f"{path.name}: not JSON: {error.msg} at line {error.lineno}"]) from error


def _question(qa: dict[str, Any], context: str, place: str, problems: list[str]) -> Question | None:
    """The question, or None after its problems were written down. `paragraph` is set by the caller."""
    found: list[str] = []
    if not isinstance(qa.get("question"), str) or not qa["question"].strip():
        found.append('no text under "question"')
    if "id" not in qa or not isinstance(qa["id"], str | int):
        found.append('no "id"')
    impossible = qa.get("is_impossible", False)
    if not isinstance(impossible, bool):
        found.append(f'"is_impossible" is {impossible!r}, not true or false')
    answers = qa.get("answers", [] if impossible else None)
    if answers is None or not isinstance(answers, list):
        found.append('no list under "answers"')
        answers = []
    elif not answers and not impossible:
        found.append('"answers" is empty, but "is_impossible" is not true')
    elif answers and impossible:
        found.append(f'"is_impossible" is true, but there are {len(answers)} answer(s)')
    kept: list[Answer] = []
    for n, answer in enumerate(answers):
        reason = _answer_problem(answer, context)
        if reason:
            found.append(f"answers[{n}]: {reason}")
        else:
            kept.append(Answer(answer["answer_start"], answer["text"]))
    if found:
        problems.extend(f"{place} (id {qa.get('id')!r}): {reason}" for reason in found)
        return None
    return Question(str(qa["id"]), qa["question"], -1, tuple(dict.fromkeys(kept)))


def _answer_problem(answer: Any, context: str) -> str | None:
    if not isinstance(answer, dict) or not isinstance(answer.get("text"), str) or not answer["text"].strip():
        return 'no text under "text"'
    start, text = answer.get("answer_start"), answer["text"]
    if not isinstance(start, int) or isinstance(start, bool):
        return 'no whole number under "answer_start"'
    if start < 0 or context[start : start + len(text)] != text:
        nearest = _nearest(context, text, start)
        hint = "the paragraph does not hold it" if nearest < 0 else f"it stands at {nearest}"
        return f"answer_start {start} does not hold the answer ({hint})"
    return None


def _nearest(context: str, text: str, start: int) -> int:
    """Start of the occurrence of `text` nearest to `start`, or -1."""
    after, before = context.find(text, max(start, 0)), context.rfind(text, 0, max(start, 0) + len(text) - 1)
    places = [place for place in (after, before) if place >= 0]
    return min(places, key=lambda place: abs(place - start)) if places else -1
