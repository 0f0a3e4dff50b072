"""The span loss against its formula, written out by hand."""

import math

import pytest
import torch

from training.losses.span import log_sum, span_loss


def rows(*values):
    return torch.tensor(values, dtype=torch.float32)


def marks(length, *chosen):
    return torch.tensor([[place in row for place in range(length)] for row in chosen])


def test_one_target_is_cross_entropy():
    start, end = torch.randn(3, 5), torch.randn(3, 5)
    everything = torch.ones(3, 5, dtype=torch.bool)
    loss = span_loss(start, end, marks(5, [0], [2], [4]), marks(5, [0], [3], [4]), everything)
    entropy = torch.nn.functional.cross_entropy
    wanted = (
        entropy(start, torch.tensor([0, 2, 4]), reduction="none")
        + entropy(end, torch.tensor([0, 3, 4]), reduction="none")
    ) / 2
    torch.testing.assert_close(loss, wanted)


def test_formula_with_two_places_and_a_question_that_is_no_candidate():
    start = rows([1.0, 9.0, 2.0, 0.5])  # the 9 belongs to the question
    end = rows([0.0, 9.0, 1.0, 3.0])
    allowed = marks(4, [0, 2, 3])
    loss = span_loss(start, end, marks(4, [2, 3]), marks(4, [3]), allowed)
    e = math.exp
    first = -math.log((e(2) + e(0.5)) / (e(1) + e(2) + e(0.5)))
    second = -math.log(e(3) / (e(0) + e(1) + e(3)))
    assert loss.item() == pytest.approx((first + second) / 2, rel=1e-6)


def test_gradient_is_finite_and_nothing_reaches_what_is_not_allowed():
    start = torch.randn(2, 4, requires_grad=True)
    end = torch.randn(2, 4, requires_grad=True)
    allowed = marks(4, [0, 2], [0, 2, 3])
    span_loss(start, end, marks(4, [2], [0]), marks(4, [2], [0]), allowed).sum().backward()
    assert torch.isfinite(start.grad).all()
    assert (start.grad[~allowed] == 0).all()
    assert (start.grad[allowed] != 0).all()


def test_no_candidate_gives_a_huge_negative_not_nan():
    logits = torch.randn(1, 3, requires_grad=True)
    total = log_sum(logits, torch.zeros(1, 3, dtype=torch.bool))
    assert total.item() < -1e29
    total.backward()
    assert torch.isfinite(logits.grad).all()


def test_half_precision_logits_are_summed_in_float32():
    logits = torch.full((1, 384), 11.0, dtype=torch.float16)
    assert log_sum(logits, torch.ones(1, 384, dtype=torch.bool)).item() == pytest.approx(11 + math.log(384), rel=1e-6)


def test_shapes_that_would_broadcast_are_refused():
    mask = torch.ones(3, 5, dtype=torch.bool)
    with pytest.raises(ValueError, match=r"one shape.*end \(1, 5\)"):
        span_loss(torch.zeros(3, 5), torch.zeros(1, 5), mask, mask, mask)


def test_a_window_without_target_is_refused():
    allowed = torch.ones(2, 3, dtype=torch.bool)
    targets = marks(3, [1], [])
    with pytest.raises(ValueError, match=r"1 window.*no target.*row 1"):
        span_loss(torch.zeros(2, 3), torch.zeros(2, 3), targets, targets, allowed)
