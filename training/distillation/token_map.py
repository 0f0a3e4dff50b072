"""Lays a teacher's token ids over a student's where both cut text into the same word pieces but number them differently
(MPNet has BERT's word pieces, four ids further on, and another frame around question and passage)."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from components.models import resolve_model
from components.reader.tokens import PairLayout, PassageTokenizer
from training.data.windows import WindowBatch

# Where two tokenizers differ, if they do: case, accents, numbers, unknown characters, contractions.
PROBES = (
    "What's THE naïve café worth?",
    "In 1,984.5 km² of Zürich — «東京», résumé-driven",
    "don't pre-tokenise\tthis 🙂",
)


@dataclass(frozen=True)
class TeacherView:
    """A student's windows as its teacher reads them.

    `ids` int64 (n, L'), `real` bool (n, L'); the student's passage token j stands at j + `shift`, its token 0 at 0.
    """

    ids: NDArray[np.int64]
    real: NDArray[np.bool_]
    shift: int


class TokenMap:
    """From the student's token ids to the teacher's.

    :param student: name or folder of the student. :param teacher: name or folder of the teacher.
    :raises ValueError: when they cut text differently, or the teacher lacks a word piece of the student's.
    """

    def __init__(self, student: str, teacher: str) -> None:
        first, second = (PassageTokenizer.load(resolve_model(name)) for name in (student, teacher))
        self.student: PairLayout = first.layout
        self.teacher: PairLayout = second.layout
        known, wanted = second.vocabulary(), first.vocabulary()
        table = np.full(max(wanted.values()) + 1, -1, dtype=np.int64)
        for piece, number in wanted.items():
            table[number] = known.get(piece, -1)
        self.table = table
        self.padding = known.get("<pad>", known.get("[PAD]", 0))
        for probe, mine, theirs in zip(PROBES, first.encode(PROBES), second.encode(PROBES), strict=True):
            mapped = table[mine.ids]
            if mapped.tolist() != theirs.ids.tolist():
                raise ValueError(
                    f"teacher {teacher} and student {student} cut text differently: {probe!r} is {len(theirs)} tokens "
                    f"to the one and {len(mine)} to the other. Choose a student whose word pieces are the teacher's"
                )

    def view(self, batch: WindowBatch) -> TeacherView:
        """The same questions and passages in the teacher's frame and numbers.

        :raises ValueError: when a window holds a word piece that the teacher does not know.
        """
        before, between, after = self.teacher.before[:, 0], self.teacher.between[:, 0], self.teacher.after[:, 0]
        frame = len(self.student.before) + len(self.student.between)
        shift = len(before) + len(between) - frame
        more = self.teacher.special_tokens - self.student.special_tokens
        lengths = batch.real.sum(1)
        ids = np.full((len(lengths), int(lengths.max()) + more), self.padding, dtype=np.int64)
        real = np.zeros(ids.shape, dtype=bool)
        for row, length in enumerate(lengths.tolist()):
            passage = np.flatnonzero(batch.allowed[row])[1:]
            begin, end = int(passage[0]), int(passage[-1]) + 1
            question = batch.ids[row, len(self.student.before) : begin - len(self.student.between)]
            text = self.table[np.concatenate([question, batch.ids[row, begin:end]])]
            if (text < 0).any():
                raise ValueError("a window holds a word piece that the teacher does not know: choose another teacher")
            parts = (before, text[: len(question)], between, text[len(question) :], after)
            ids[row, : length + more] = np.concatenate(parts)
            real[row, : length + more] = True
        return TeacherView(ids, real, shift)
