"""Which paragraphs would retrieval hand the reader for a question? BM25 over all paragraphs, many questions at once."""

import re
from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

Ranking = NDArray[np.int32]
Search = Callable[[Sequence[str], int], Ranking]  # questions, how many -> paragraph numbers (questions, how many)

_WORD = re.compile(r"\w+")
_CHUNK = 256


class WordSearch:
    """BM25 (Robertson et al. 1994, Lucene's idf, k1 1.2, b .75) of words with their plural s cut off.

    Kept apart from the stores on purpose: mining asks some 85,000 questions in a minute, needs nothing but arrays, and
    gives the same negatives on any machine.

    :param texts: the paragraphs, with their titles where they have any.
    """

    def __init__(self, texts: Sequence[str], k1: float = 1.2, b: float = 0.75) -> None:
        from scipy.sparse import csr_matrix

        self.vocabulary: dict[str, int] = {}
        rows, columns = [], []
        for row, text in enumerate(texts):
            words = _words(text)
            columns += [self.vocabulary.setdefault(word, len(self.vocabulary)) for word in words]
            rows += [row] * len(words)
        shape = len(texts), max(len(self.vocabulary), 1)
        counts = csr_matrix((np.ones(len(rows), dtype=np.float32), (rows, columns)), shape=shape)
        counts.sum_duplicates()
        lengths = np.asarray(counts.sum(1)).ravel()
        held = np.bincount(counts.indices, minlength=shape[1])
        idf = np.log1p((shape[0] - held + 0.5) / (held + 0.5)).astype(np.float32)
        norm = k1 * (1 - b + b * lengths / max(lengths.mean(), 1e-9))
        rows_of_counts = np.repeat(np.arange(shape[0]), np.diff(counts.indptr))
        counts.data = idf[counts.indices] * counts.data * (k1 + 1) / (counts.data + norm[rows_of_counts])
        self._weights = counts.T.tocsr()  # words x paragraphs

    def __call__(self, questions: Sequence[str], top: int) -> Ranking:
        """The best paragraphs of each question, best first, ties by number: int32 (questions, top)."""
        from scipy.sparse import csr_matrix

        paragraphs = self._weights.shape[1]
        if not 0 < top <= paragraphs:
            raise ValueError(f"top must lie between 1 and the number of paragraphs, {paragraphs}; got {top}")
        found = np.empty((len(questions), top), dtype=np.int32)
        for begin in range(0, len(questions), _CHUNK):
            rows, columns = [], []
            chunk = questions[begin : begin + _CHUNK]
            for row, question in enumerate(chunk):
                known = [self.vocabulary[word] for word in set(_words(question)) if word in self.vocabulary]
                columns += known
                rows += [row] * len(known)
            asked = csr_matrix(
                (np.ones(len(rows), dtype=np.float32), (rows, columns)), shape=(len(chunk), self._weights.shape[0])
            )
            scores = (asked @ self._weights).toarray()
            best = np.argpartition(-scores, top - 1, axis=1)[:, :top]
            best.sort(axis=1)
            order = np.argsort(-np.take_along_axis(scores, best, axis=1), axis=1, kind="stable")
            found[begin : begin + len(chunk)] = np.take_along_axis(best, order, axis=1)
        return found


def _words(text: str) -> list[str]:
    return [word[:-1] if len(word) > 3 and word.endswith("s") else word for word in _WORD.findall(text.lower())]
