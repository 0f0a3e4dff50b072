"""An exam from an index: questions by rule or by a generator, a fair share of every file, some without an answer."""

import hashlib
import random
import re
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from pathlib import PurePath
from typing import TYPE_CHECKING, Any

from evaluation.exam.file import Exam, ExamQuestion
from evaluation.exam.unanswerable import change, leave_out
from evaluation.exam.wordings import MadeQuestion, ask_by_rule
from evaluation.squad import f1, normalize_answer

if TYPE_CHECKING:
    from haystack import Document

    from pipelines.loader import LoadedPipeline

Generate = Callable[[Sequence["Document"]], list[list[MadeQuestion]]]

SAME_ANSWER = 0.6  # F1 from which the reader found the answer that the question was made for
_A_PASSAGE = 3  # questions at most
_AT_ONCE = 32
_WORD = re.compile(r"\w+")
_ASKING = frozenset(
    [
        "what",
        "when",
        "where",
        "who",
        "whom",
        "how",
        "many",
        "much",
        "which",
        "is",
        "are",
        "was",
        "were",
        "the",
        "a",
        "an",
        "of",
        "in",
        "on",
        "at",
        "by",
        "to",
        "did",
        "do",
        "does",
        "for",
    ]
)


def make_exam(
    loaded: "LoadedPipeline",
    count: int,
    unanswerable: float = 0.25,
    seed: int = 0,
    round_trip: bool = True,
    generate: Generate | None = None,
    advance: Callable[[int], None] = lambda done: None,
) -> Exam:
    """
    :param loaded: the ask pipeline over the index; its reader checks the questions.
    :param count: how many questions are wanted.
    :param unanswerable: what share of them has no answer in the index: a half by changed names and numbers, a half
        about passages that their asker must not see.
    :param seed: the same index, seed and settings make the same exam.
    :param round_trip: keep only questions whose answer the reader finds in the passage they were made from.
    :param generate: writes more questions for passages, beside the rules.
    :param advance: called with how many more questions were tried.
    :raises ValueError: when the index holds nothing to ask about, or a setting is outside what is allowed.
    """
    if count < 1 or not 0 <= unanswerable < 1:
        raise ValueError(
            f"an exam needs at least 1 question, and a share without answer from 0 to below 1: got {count} and "
            f"{unanswerable}"
        )
    rng = random.Random(seed)  # noqa: S311 - a sample, not a secret
    passages = sorted((one for one in loaded.document_store.filter_documents() if one.content), key=lambda one: one.id)
    candidates = _candidates(passages, generate)
    if not candidates:
        raise ValueError(
            "no rule makes a question of any passage of the index: its texts hold no plain sentences with dates, names "
            "or places, and no names with values. Name a model that writes questions: --generator"
        )
    reader = _reader(loaded) if round_trip else None
    without = round(count * unanswerable)
    kept: list[ExamQuestion] = []
    pool = _in_turns(candidates, rng)
    # more than is wanted: some of them become questions without an answer
    for batch in _batches(pool):
        kept += _found_again(batch, reader)
        advance(len(batch))
        if len(kept) >= count + without:
            break
    spare = kept[max(0, count - without) :] if len(kept) > count else kept
    changed = change(spare, kept, passages, without - without // 2, rng)
    taken = {one.id.removesuffix("-c") for one in changed}
    left = leave_out([one for one in reversed(spare) if one.id not in taken], loaded, without - len(changed))
    questions = [*kept[: count - len(changed) - len(left)], *changed, *left]
    questions.sort(key=lambda one: (one.source, one.id))
    about = {
        "seed": seed, "wanted": count, "questions": len(questions), "unanswerable": len(changed) + len(left),
        "passages": len(passages), "candidates": len(candidates), "round_trip": round_trip,
        "reader": str(getattr(reader, "model", "")) if reader else None,
        "made_by": "rules and a generator" if generate else "rules",
    }  # fmt: skip
    return Exam(tuple(questions), about)


def difficulty(question: str, passage: str) -> float:
    """1 less the share of the question's own words (those that do not merely ask) that stand in the passage."""
    words = {word for word in _WORD.findall(question.lower()) if word not in _ASKING}
    held = set(_WORD.findall(passage.lower()))
    return round(1 - len(words & held) / len(words), 3) if words else 1.0


def _candidates(passages: Sequence["Document"], generate: Generate | None) -> list[ExamQuestion]:
    """One a question's text; a text that two passages would answer differently is asked of nobody."""
    made: list[list[MadeQuestion]] = [[] for _ in passages]
    if generate is not None:
        for begin in range(0, len(passages), _AT_ONCE):
            made[begin : begin + _AT_ONCE] = generate(passages[begin : begin + _AT_ONCE])
    found: dict[str, list[ExamQuestion]] = defaultdict(list)
    for document, generated in zip(passages, made, strict=True):
        ruled = list(ask_by_rule(document.content or "", str(document.meta.get("title") or "")))
        for one in (generated + ruled)[: 2 * _A_PASSAGE]:
            found[one.question.lower()].append(_question(document, one))
    return [
        same[0]
        for same in found.values()
        if len({normalize_answer(one.answer) for one in same}) == 1 and same[0].answer
    ]


def _question(document: "Document", made: MadeQuestion) -> ExamQuestion:
    text, meta = document.content or "", document.meta
    source = str(meta.get("file_path") or meta.get("file_name") or document.id)
    begin = meta.get("split_idx_start")
    place: dict[str, Any] = {}
    if isinstance(begin, int):
        place = {"start": begin + made.start, "end": begin + made.end}
    if meta.get("page_number") is not None:
        place["page"] = meta["page_number"]
    return ExamQuestion(
        id=hashlib.sha256(f"{document.id}\n{made.question}".encode()).hexdigest()[:12],
        question=made.question,
        context=text,
        document_id=document.id,
        source=source,
        format=PurePath(source).suffix.lstrip(".").lower() or "none",
        answer=text[made.start : made.end],
        start=made.start,
        kind=made.kind,
        difficulty=difficulty(made.question, text),
        place=place,
    )


def _in_turns(candidates: Sequence[ExamQuestion], rng: random.Random) -> Iterator[ExamQuestion]:
    """Formats in turns, in each its files in turns, in each its passages: whatever is taken is a fair share of all."""
    strata: dict[str, dict[str, list[ExamQuestion]]] = defaultdict(lambda: defaultdict(list))
    for one in sorted(candidates, key=lambda one: one.id):
        strata[one.format][one.source].append(one)
    queues = []
    for _, sources in sorted(strata.items()):
        for questions in sources.values():
            rng.shuffle(questions)
        queues.append(_turns([iter(questions) for _, questions in sorted(sources.items())]))
    asked: dict[str, int] = defaultdict(int)
    for one in _turns(queues):
        asked[one.document_id] += 1
        if asked[one.document_id] <= _A_PASSAGE:
            yield one


def _turns(queues: Sequence[Iterator[ExamQuestion]]) -> Iterator[ExamQuestion]:
    waiting = list(queues)
    while waiting:
        for queue in list(waiting):
            if (one := next(queue, None)) is None:
                waiting.remove(queue)
            else:
                yield one


def _batches(questions: Iterator[ExamQuestion]) -> Iterator[list[ExamQuestion]]:
    batch: list[ExamQuestion] = []
    for one in questions:
        batch.append(one)
        if len(batch) == _AT_ONCE:
            yield batch
            batch = []
    if batch:
        yield batch


def _reader(loaded: "LoadedPipeline") -> Any:
    reader = loaded.component("ExtractiveReader")
    if reader is None:
        raise ValueError(f"{loaded.path}: has no ExtractiveReader to check the questions with; give --no-round-trip")
    reader.warm_up()
    return reader


def _found_again(batch: Sequence[ExamQuestion], reader: Any) -> list[ExamQuestion]:
    """Those whose answer the reader finds when it has their passage before it."""
    if reader is None:
        return list(batch)
    from haystack import Document

    requests = [(one.question, [Document(id=one.document_id, content=one.context)]) for one in batch]
    found = reader.read(requests)
    best = [next((answer.data for answer in answers if answer.data is not None), "") for answers in found]
    return [one for one, answer in zip(batch, best, strict=True) if f1(answer, one.answer) >= SAME_ANSWER]
