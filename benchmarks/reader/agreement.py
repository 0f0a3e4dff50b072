"""
Does the reader give the answers that the weights give? Ours in fp32 beside plain transformers in fp32, fed properly.

    python -m benchmarks.reader.agreement SQUAD_FOLDER --work FILE --questions 50

Two kinds of work: dev-v1.1 questions with their own paragraph, and with their 20 retrieved passages. The slow side
shares nothing with ours but the weights' folder: transformers' tokenizer and model, text joined by the tokenizer, one
padded window at a time with token types and mask, the span by the L x L matrix of start + end logits. Compared is the
best span over all the passages by its plain logit, as characters of a passage, before ours makes whole words of it.

A question is a tie where the slow side's best two spans lie less than 1e-4 apart, which rounding may turn; ties count
as different where they differ, and are told.
"""

import argparse
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.reader.work import Task, gold_tasks, retrieved_tasks
from components.models import resolve_model

MAX_LENGTH, STRIDE, LONGEST_QUESTION, LONGEST_ANSWER = 384, 128, 64, 30
TIE = 1e-4


@dataclass(frozen=True)
class Best:
    """The best span of a question: number of its passage, characters in it, logit, and how far the next one is."""

    passage: int
    start: int
    end: int
    logit: float
    ahead: float = 0.0

    @property
    def span(self) -> tuple[int, int, int]:
        return self.passage, self.start, self.end


class Slow:
    """transformers, fp32, one window at a time."""

    def __init__(self, model: Path) -> None:
        import torch
        from transformers import AutoModelForQuestionAnswering, AutoTokenizer

        self.tokenizer = AutoTokenizer.from_pretrained(model)
        self.model = AutoModelForQuestionAnswering.from_pretrained(model, dtype=torch.float32).eval()

    def best(self, task: Task) -> Best:
        """By every window's whole matrix, the lower triangle and what is longer than an answer left out."""
        import torch

        found: list[tuple[float, int, int, int]] = []
        question = self._shortened(task.question)
        for number, document in enumerate(task.documents):
            cut = self.tokenizer(
                question, document.content, truncation="only_second", padding="max_length", max_length=MAX_LENGTH,
                stride=STRIDE, return_overflowing_tokens=True, return_offsets_mapping=True, return_tensors="pt",
            )  # fmt: skip
            for window in range(len(cut["input_ids"])):
                fed = {name: cut[name][window : window + 1] for name in self.tokenizer.model_input_names}
                with torch.inference_mode():
                    out = self.model(**fed)
                context = np.array([side == 1 for side in cut.sequence_ids(window)])
                scores = _matrix(out.start_logits[0].numpy(), out.end_logits[0].numpy(), context)
                offsets = cut["offset_mapping"][window].tolist()
                for flat in np.argsort(-scores, axis=None, kind="stable")[:2]:
                    first, last = divmod(int(flat), scores.shape[1])
                    if np.isfinite(scores[first, last]):
                        found.append((float(scores[first, last]), number, offsets[first][0], offsets[last][1]))
        found = _without_copies(sorted(found, key=lambda one: -one[0]))
        logit, number, start, end = found[0]
        return Best(number, start, end, logit, logit - found[1][0] if len(found) > 1 else np.inf)

    def _shortened(self, question: str) -> str:
        cut = self.tokenizer(question, add_special_tokens=False, return_offsets_mapping=True)["offset_mapping"]
        return question.strip() if len(cut) <= LONGEST_QUESTION else question[: cut[LONGEST_QUESTION - 1][1]]


class Ours:
    """The packed engine and the reader's own spans, all passages of a question in one batch."""

    def __init__(self, model: Path) -> None:
        from components.reader import ExtractiveReader

        self.reader = ExtractiveReader(model=str(model), engine="torch", precision="fp32", device="cpu")

    def best(self, task: Task) -> Best:
        from components.reader.request import Request
        from components.reader.request_texts import RequestTexts

        reader, settings = self.reader.span_reader, self.reader.read_settings
        texts = RequestTexts.of(Request(task.question, task.documents))
        pairs, windows = reader.cut([texts], settings)
        found = reader.score(windows, settings)
        row, place = divmod(int(found.score.argmax()), found.score.shape[1])
        pair, shift = int(windows.pair[row]), int(windows.first_token[row])
        tokens = pairs.passages[pair]
        begin, end = int(found.start[row, place]) + shift, int(found.end[row, place]) + shift
        number = texts.documents[pairs.text[pair]][0]
        return Best(number, int(tokens.starts[begin]), int(tokens.ends[end]), float(found.score[row, place]))


def agreement(ours: Any, slow: Any, tasks: Sequence[Task]) -> dict[str, Any]:
    """
    How many best spans are equal.

    :param ours, slow: anything with ``best``.
    :returns: questions, equal, share, ties among the questions, ties that came out differently, and the largest
        difference of the best logit where the spans are equal.
    """
    equal = ties = turned = 0
    apart = 0.0
    for task in tasks:
        mine, theirs = ours.best(task), slow.best(task)
        tie = theirs.ahead < TIE
        ties += tie
        if mine.span == theirs.span:
            equal += 1
            apart = max(apart, abs(mine.logit - theirs.logit))
        else:
            turned += tie
            print(f"  {'tie: ' if tie else ''}ours {mine}, slow {theirs}")
    share = round(equal / len(tasks), 5) if tasks else 0.0
    counts = {"questions": len(tasks), "equal": equal, "share": share, "ties": ties, "ties_turned": turned}
    return {**counts, "largest_difference_of_logits": apart}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("squad", type=Path, help="folder with train-v1.1 and dev-v1.1")
    parser.add_argument("--work", type=Path, required=True, help="file that keeps questions and retrieved passages")
    parser.add_argument("--model", default="models/minilm-squad")
    parser.add_argument("--questions", type=int, default=50, help="of each kind of work")
    given = parser.parse_args()
    model = resolve_model(given.model)
    ours, slow = Ours(model), Slow(model)
    for name, tasks in (
        ("gold paragraph", gold_tasks(given.squad, given.questions)),
        ("20 passages", retrieved_tasks(given.squad, given.questions, given.work)),
    ):
        print(f"{name}: {agreement(ours, slow, tasks)}", flush=True)


def _matrix(start: np.ndarray, end: np.ndarray, context: np.ndarray) -> np.ndarray:
    """start + end of every pair of tokens, -inf where it is no span of the passage: (length, length)."""
    scores = start[:, None] + end[None, :]
    first, last = np.indices(scores.shape)
    allowed = context[:, None] & context[None, :] & (first <= last) & (last - first < LONGEST_ANSWER)
    return np.where(allowed, scores, -np.inf)


def _without_copies(found: list[tuple[float, int, int, int]]) -> list[tuple[float, int, int, int]]:
    """Of a span that two windows of a passage hold, the better one; best first as they come."""
    kept: dict[tuple[int, int, int], tuple[float, int, int, int]] = {}
    for one in found:
        kept.setdefault(one[1:], one)
    return list(kept.values())


if __name__ == "__main__":
    main()
