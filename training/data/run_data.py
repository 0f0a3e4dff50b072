"""All that a run reads: training questions with their wrong passages as tokens, and held-out articles to judge by."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from components.models import resolve_model
from components.reader.tokens import PassageTokenizer
from components.reader.windows import WindowSize
from evaluation.squad_data import read_squad, sample, split_articles
from training.data.batches import EpochPlan, MixedPlan
from training.data.made_questions import make_unanswerable
from training.data.negatives import mine
from training.data.windows import Corpus, WindowBatch, WindowPlan
from training.run.held_out import HeldOut, held_out_questions
from training.run.settings import TrainSettings

# Held-out articles are the same whatever the run's seed, so that runs can be compared.
HELD_OUT_SEED = 0


@dataclass(frozen=True, eq=False)
class RunData:
    """See the module. `asked` questions come from the data, those after them were made unanswerable by rule."""

    settings: TrainSettings
    corpus: Corpus
    mined: NDArray[np.int32] | None
    asked: int
    held_out: HeldOut | None
    digest: str
    dropped: int
    tokenizer: PassageTokenizer
    beside: "RunData | None" = None

    @classmethod
    def load(cls, settings: TrainSettings, say: Callable[[str], None] = lambda message: None) -> "RunData":
        """Read, check, split, tokenise and mine.

        :raises SquadFormatError: naming malformed items. :raises ValueError: when no question has an answer.
        """
        everything = read_squad(settings.data, settings.drop_malformed)
        training, judged = split_articles(everything, settings.held_out, HELD_OUT_SEED)
        if settings.limit is not None:
            training = sample(training, settings.limit, settings.seed)
        size = WindowSize(settings.max_length, settings.stride, settings.max_question)
        tokenizer = PassageTokenizer.load(resolve_model(settings.model))
        cache = Path(settings.out).parent / "cache"
        mixture, mined = settings.mixture, None
        if (mixture.passages > 1 or mixture.mined > 0) and len(training.paragraphs) > 1:
            depth = min(settings.mined_depth, len(training.paragraphs) - 1)
            mined = mine(training, depth, cache, progress=say)
        if mined is not None and mined.shape[1] < mixture.passages - 1:
            raise ValueError(
                f"{mixture.passages} passages a question need {mixture.passages - 1} wrong ones, but mined_depth "
                f"{settings.mined_depth} and {len(training.paragraphs)} paragraphs give {mined.shape[1]}"
            )
        asked = len(training.questions)
        if mixture.made > 0:
            made = make_unanswerable(training, settings.seed)
            training = replace(training, questions=(*training.questions, *made))
        say(f"tokenising {len(training.paragraphs):,} paragraphs and {len(training.questions):,} questions")
        corpus = Corpus(training, tokenizer, size, settings.occurrences)
        if not any(corpus.answers):
            raise ValueError(
                f"none of the {asked:,} questions in {', '.join(settings.data)} has an answer in its paragraph: all "
                "labels would be at the first token, and the reader would learn to find nothing"
            )
        if unread := corpus.unread():
            named = ", ".join(training.questions[number].id for number in unread[:5])
            say(
                f"{len(unread):,} questions have an answer longer than a window of {settings.max_length} tokens holds. "
                f"The reader cannot give it, so they are learned as if they had none: {named}"
                f"{' ...' if len(unread) > 5 else ''}"
            )
        held_out = None
        if judged is not None:
            chosen = held_out_questions(judged, settings.held_out_questions, HELD_OUT_SEED)
            if not chosen.questions:
                raise ValueError(
                    f"the {settings.held_out} held-out article(s), {', '.join(judged.articles[:5])}, give no question "
                    f"to judge by (held_out_questions is {settings.held_out_questions}): hold out more, or 0 to train "
                    "without early stop"
                )
            wrong = np.empty((len(chosen.questions), 0), dtype=np.int32)
            if settings.held_out_passages and len(chosen.paragraphs) > settings.held_out_passages:
                wrong = mine(chosen, settings.held_out_passages, cache)
            held_out = HeldOut(chosen, tokenizer, size, wrong, max(settings.batch_tokens, 4096))
        beside, digest = None, everything.digest()
        if settings.beside is not None:
            more = settings.beside
            beside = cls.load(
                replace(
                    settings, data=more.data, mixture=more.mixture, crops=more.crops, limit=more.limit, held_out=0,
                    beside=None,
                ),
                say,
            )  # fmt: skip
            digest = f"{digest}+{beside.digest}"
        return cls(settings, corpus, mined, asked, held_out, digest, len(everything.dropped), tokenizer, beside)

    def plan(self, epoch: int) -> "EpochPlan | MixedPlan":
        """The epoch's batches."""
        own = _plan(self, epoch)
        return own if self.beside is None else MixedPlan(own, _plan(self.beside, epoch), self.settings.seed, epoch)

    def batch(self, windows: WindowPlan) -> WindowBatch:
        """Lay windows out, whichever data they come from."""
        if not windows.part:
            return self.corpus.batch(windows)
        assert self.beside is not None and self.settings.beside is not None  # noqa: S101 - a mixed plan has them
        return replace(self.beside.corpus.batch(windows), taught=self.settings.beside.taught)

    def summary(self) -> dict[str, Any]:
        """What the model's card tells about the data."""
        return {
            "files": [Path(path).name for path in self.settings.data],
            "digest": self.digest,
            "questions": self.asked,
            "made_unanswerable": len(self.corpus.questions) - self.asked,
            "held_out_articles": self.held_out.data.articles if self.held_out else [],
            "dropped": self.dropped,
        }


@lru_cache(maxsize=2)
def _plan(data: RunData, epoch: int) -> EpochPlan:
    settings = data.settings
    return EpochPlan(
        data.corpus,
        data.mined,
        data.asked,
        settings.mixture,
        settings.crops,
        settings.batch_tokens,
        settings.seed,
        epoch,
    )
