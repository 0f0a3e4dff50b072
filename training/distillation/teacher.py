"""What a teacher says about windows: computed once, kept on disk."""

import hashlib
import json
import sqlite3
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from transformers import PreTrainedModel

from components.models import model_digest, resolve_model
from components.reader.tokens import PassageTokenizer
from training.data.windows import WindowBatch
from training.distillation.token_map import PROBES, TokenMap
from training.run.objectives import Batch, forward
from training.span_model import load_span_model

Logits = NDArray[np.float16]


class TeacherCache:
    """Logits of windows by their content, in SQLite: a kill loses at most the last transaction, processes may share it.

    :param path: database file; one a teacher.
    """

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        # The prefetching thread never touches it; a resumed run may open it while the killed one is being cleared away.
        self._base = sqlite3.connect(path, timeout=60)
        self._base.execute("pragma journal_mode=wal")
        self._base.execute("pragma synchronous=normal")
        self._base.execute("create table if not exists logits (window blob primary key, both blob) without rowid")

    def get(self, keys: Sequence[bytes]) -> dict[bytes, Logits]:
        """Start and end logits, float16 (2, L), of those that are known."""
        found: dict[bytes, Logits] = {}
        for begin in range(0, len(keys), 500):
            part = keys[begin : begin + 500]
            marks = ",".join("?" * len(part))
            rows = self._base.execute(f"select window, both from logits where window in ({marks})", part)  # noqa: S608
            found.update({key: np.frombuffer(both, dtype=np.float16).reshape(2, -1) for key, both in rows})
        return found

    def put(self, known: dict[bytes, Logits]) -> None:
        """Keep logits, all in one transaction."""
        with self._base:
            rows = [(key, both.tobytes()) for key, both in known.items()]
            self._base.executemany("insert or replace into logits values (?, ?)", rows)

    def close(self) -> None:
        """Close the database."""
        self._base.close()


class Teacher:
    """A trained reader whose outputs a student learns from.

    :param cache: folder for its logits, None keeps none.
    :param precision: what it computes in; logits of another one are not taken from the cache.
    :param tokens: how to read the student's windows where its token numbers are not the teacher's.
    :raises ValueError: when it has no span head.
    """

    def __init__(
        self,
        name: str,
        device: torch.device,
        cache: Path | None,
        maps: bool = False,
        precision: str = "fp32",
        tokens: TokenMap | None = None,
    ) -> None:
        folder = resolve_model(name)
        self.tokens = tokens
        self.model: PreTrainedModel = load_span_model(folder, 0, None, "eager" if maps else "sdpa", trained=True)
        if precision == "bf16":
            self.model.to(dtype=torch.bfloat16)  # type: ignore[call-arg]
        self.model.to(device).eval().requires_grad_(False)  # type: ignore[arg-type]
        self._cache = (
            None if cache is None else TeacherCache(cache / f"teacher-{model_digest(folder)}-{precision}.sqlite3")
        )

    @torch.no_grad()
    def logits(self, batch: Batch) -> tuple[Tensor, Tensor]:
        """Start and end logits (n, L), float32, rounded to float16 whether they come from the disk or not: a resumed
        run, which finds more on the disk, then learns from the very same numbers."""
        if self._cache is None:
            return self._compute(batch)
        lengths = batch.source.real.sum(1).tolist()
        keys = window_keys(batch.source)
        known = self._cache.get(keys)
        if len(known) < len(set(keys)):
            start, end = (side.half().cpu().numpy() for side in self._compute(batch))
            fresh = {
                key: np.stack([start[row, :length], end[row, :length]])
                for row, (key, length) in enumerate(zip(keys, lengths, strict=True))
                if key not in known
            }
            self._cache.put(fresh)
            known |= fresh
        both = np.zeros((2, *batch.source.ids.shape), dtype=np.float32)
        for row, (key, length) in enumerate(zip(keys, lengths, strict=True)):
            both[:, row, :length] = known[key]
        start_logits, end_logits = torch.from_numpy(both).to(batch.ids.device)
        return start_logits, end_logits

    def _compute(self, batch: Batch) -> tuple[Tensor, Tensor]:
        if self.tokens is None:
            output = forward(self.model, batch)
            return output.start_logits.float(), output.end_logits.float()
        view = self.tokens.view(batch.source)
        device = batch.ids.device
        ids, real = torch.from_numpy(view.ids).to(device), torch.from_numpy(view.real).to(device)
        output = self.model(input_ids=ids, attention_mask=real.long())
        return self._laid_over(output.start_logits, view.shift, batch), self._laid_over(
            output.end_logits, view.shift, batch
        )

    def _laid_over(self, logits: Tensor, shift: int, batch: Batch) -> Tensor:
        """Logits (n, L) at the student's places; what is no candidate there gets 0."""
        width = batch.ids.shape[1]
        moved = torch.zeros(batch.ids.shape, device=logits.device)
        part = logits[:, shift : shift + width].float()
        moved[:, : part.shape[1]] = part
        moved[:, 0] = logits[:, 0].float()
        return moved.masked_fill(~batch.allowed, 0.0)


def window_keys(batch: WindowBatch) -> list[bytes]:
    """Names each window by its token ids and types."""
    both = np.stack([batch.ids, batch.types], axis=1).astype(np.int32)
    lengths = batch.real.sum(1).tolist()
    return [
        hashlib.blake2b(np.ascontiguousarray(row[:, :length]).tobytes(), digest_size=16).digest()
        for row, length in zip(both, lengths, strict=True)
    ]


def same_tokenizer(teacher: str, student: str) -> None:
    """:raises ValueError: unless both models cut text into the same ids: the teacher would read another text."""
    first, second = (PassageTokenizer.load(resolve_model(name)) for name in (teacher, student))
    types = [(one.layout.question_type, one.layout.passage_type) for one in (first, second)]
    if types[0] != types[1]:
        raise ValueError(
            f"teacher {teacher} tells question and passage apart by token types {types[0]}, student {student} by "
            f"{types[1]}: see model_input_names in their tokenizer_config.json"
        )
    if first.fingerprint == second.fingerprint:
        return
    for probe, a, b in zip(PROBES, first.encode(PROBES), second.encode(PROBES), strict=True):
        if a.ids.tolist() != b.ids.tolist():
            raise ValueError(
                f"teacher {teacher} and student {student} have different tokenizers: {probe!r} is {len(a)} tokens "
                f"{a.ids[:6].tolist()}... to the one and {len(b)} tokens {b.ids[:6].tolist()}... to the other. Choose "
                "a student with the teacher's vocabulary (excerpt shrink makes one); trim vocabularies after distilling"
            )
    if _vocabulary(teacher) != _vocabulary(student):
        raise ValueError(
            f"teacher {teacher} and student {student} have different vocabularies, though they agree on simple text: "
            "choose a student with the teacher's own tokenizer"
        )


def _vocabulary(name: str) -> Any:
    file = resolve_model(name) / "tokenizer.json"
    return json.loads(file.read_text(encoding="utf-8"))["model"].get("vocab") if file.is_file() else None


def token_map(teacher: str, student: str) -> TokenMap | None:
    """How the teacher's tokens lie over the student's; None where both have the same numbers.

    :raises ValueError: when they cut text differently.
    """
    try:
        same_tokenizer(teacher, student)
    except ValueError as different:
        if _vocabulary(teacher) == _vocabulary(student):
            raise  # the same numbers, but fed otherwise: no map helps
        try:
            return TokenMap(student, teacher)
        except ValueError as also:
            raise different from also
    return None
