"""What is asked of the reader: a question, its passages, and how to read them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, get_args

from haystack import Document

from components.reader.windows import WindowSize

# What calibrations are made with.
_SPANS_PER_WINDOW = 8

EarlyStop = Literal["off", "safe", "aggressive"]


@dataclass(frozen=True)
class ReadSettings:
    """
    How passages are read. Requests with equal read settings share batches.

    :param window: how long passages are cut.
    :param spans_per_window: how many spans of each window take part.
    :param max_answer_length: longest answer in tokens.
    :param tokens_at_once: what goes to the engine in one call; bounds memory.
    :param early_stop: whether the passages after the first few are read where the calibration says that they hardly
        ever change the best answer: "safe" (at most 1 question in 500), "aggressive" (1 in 50) or "off".
    """

    window: WindowSize = field(default_factory=WindowSize)
    spans_per_window: int = _SPANS_PER_WINDOW
    max_answer_length: int = 30
    tokens_at_once: int = 65_536
    early_stop: EarlyStop = "off"

    def __post_init__(self) -> None:
        if self.early_stop not in get_args(EarlyStop):
            allowed = ", ".join(repr(name) for name in get_args(EarlyStop))
            raise ValueError(f"early_stop must be one of {allowed}, got {self.early_stop!r}.")
        for name in ("spans_per_window", "max_answer_length", "tokens_at_once"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name} must be at least 1, got {getattr(self, name)}.")


@dataclass(frozen=True)
class AnswerSettings:
    """
    Which answers are handed out.

    :param top_k: how many, the no-answer not counted.
    :param score_threshold: only answers at least this probable; None for all.
    :param no_answer: whether the probability of no answer comes last.
    :param overlap_threshold: an answer is dropped if it shares more than this part of itself, or of a better answer,
        with the better one in the same document; None keeps all.
    """

    top_k: int = 20
    score_threshold: float | None = None
    no_answer: bool = True
    overlap_threshold: float | None = 0.01

    def __post_init__(self) -> None:
        if self.top_k < 0:
            raise ValueError(f"top_k must be at least 0, got {self.top_k}.")
        for name in ("score_threshold", "overlap_threshold"):
            value = getattr(self, name)
            if value is not None and not 0 <= value <= 1:
                raise ValueError(f"{name} must lie in 0 to 1, or be None, got {value}.")


@dataclass(frozen=True)
class Request:
    """One question over its passages, best first as the retriever gave them."""

    query: str
    documents: Sequence[Document]
    read_settings: ReadSettings = field(default_factory=ReadSettings)
    answer_settings: AnswerSettings = field(default_factory=AnswerSettings)


SETTINGS = (
    "top_k",
    "score_threshold",
    "max_seq_length",
    "stride",
    "max_batch_size",
    "answers_per_seq",
    "no_answer",
    "overlap_threshold",
    "max_answer_length",
    "max_query_length",
    "early_stop",
)
"""The settings of the component that a request is made of."""


def resolve_request(
    query: str, documents: Sequence[Document], settings: Mapping[str, Any], overrides: Mapping[str, Any]
) -> Request:
    """
    The request of one call.

    :param settings: the component's, all of ``SETTINGS``.
    :param overrides: those of the call, which come first; None takes the component's.
    :raises ValueError: when a setting is unknown, or outside what is allowed.
    """
    if unknown := sorted(set(overrides) - set(SETTINGS)):
        raise ValueError(f"The reader has no settings {', '.join(unknown)}. A call can set {', '.join(SETTINGS)}.")
    pick = {name: settings[name] if overrides.get(name) is None else overrides[name] for name in SETTINGS}
    length, windows, spans = pick["max_seq_length"], pick["max_batch_size"], pick["answers_per_seq"]
    read_settings = ReadSettings(
        WindowSize(length, pick["stride"], pick["max_query_length"]),
        _SPANS_PER_WINDOW if spans is None else spans,
        pick["max_answer_length"],
        ReadSettings.tokens_at_once if windows is None else windows * length,
        pick["early_stop"],
    )
    names = ("top_k", "score_threshold", "no_answer", "overlap_threshold")
    return Request(query, documents, read_settings, AnswerSettings(**{name: pick[name] for name in names}))
