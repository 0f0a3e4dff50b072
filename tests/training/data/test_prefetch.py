"""Batches laid out by a thread: errors arrive, and it ends."""

import pytest
import torch

from training.data.prefetch import prefetch


def test_prefetch_hands_errors_on_and_ends():
    def fail(plan):
        raise RuntimeError("no windows")

    class Plan:
        group = torch.zeros(2)

    with pytest.raises(RuntimeError, match="no windows"):
        list(prefetch([[Plan()]], fail))
    assert list(prefetch([], fail)) == []
