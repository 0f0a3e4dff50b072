"""The prediction layer's distillation loss against its formula, and against torch's own KL divergence."""

import math

import pytest
import torch

from training.losses.prediction import prediction_loss

ALL = torch.ones(2, 5, dtype=torch.bool)


def test_formula():
    student, teacher = torch.tensor([[0.0, 1.0, 7.0]]), torch.tensor([[2.0, 0.0, 7.0]])
    allowed = torch.tensor([[True, True, False]])
    loss = prediction_loss(student, student, teacher, teacher, allowed, temperature=2.0)

    def softmax(values):
        total = sum(math.exp(value) for value in values)
        return [math.exp(value) / total for value in values]

    p, q = softmax([1.0, 0.0]), softmax([0.0, 0.5])
    assert loss.item() == pytest.approx(4 * sum(a * math.log(a / b) for a, b in zip(p, q, strict=True)), rel=1e-5)


@pytest.mark.parametrize("temperature", [0.7, 1.0, 1.5, 4.0])
def test_agrees_with_torch(temperature):
    torch.manual_seed(0)
    start, end, told_start, told_end = (torch.randn(2, 5) for _ in range(4))
    loss = prediction_loss(start, end, told_start, told_end, ALL, temperature)
    divergence = [
        torch.nn.functional.kl_div(
            (a / temperature).log_softmax(-1), (b / temperature).log_softmax(-1), reduction="none", log_target=True
        ).sum(-1)
        for a, b in ((start, told_start), (end, told_end))
    ]
    torch.testing.assert_close(loss, temperature**2 * (divergence[0] + divergence[1]) / 2)


def test_zero_for_equal_logits_whatever_is_not_allowed():
    teacher = torch.randn(2, 5)
    student = teacher.clone()
    student[:, 3] += 50
    allowed = ALL.clone()
    allowed[:, 3] = False
    assert prediction_loss(student, student, teacher, teacher, allowed, 1.5).abs().max() < 1e-6


def test_the_teacher_gets_no_gradient():
    student, teacher = torch.randn(2, 5, requires_grad=True), torch.randn(2, 5, requires_grad=True)
    prediction_loss(student, student, teacher, teacher, ALL, 1.0).sum().backward()
    assert teacher.grad is None
    assert student.grad.abs().max() > 0


def test_what_would_teach_nothing_is_refused():
    good = torch.randn(2, 5)
    with pytest.raises(ValueError, match=r"one shape.*teacher_start \(2, 1\)"):
        prediction_loss(good, good, good[:, :1], good, ALL, 1.0)
    bad = good.clone()
    bad[1, 2] = float("nan")
    with pytest.raises(ValueError, match=r"end_logits hold 1 value.*NaN"):
        prediction_loss(good, good, good, bad, ALL, 1.0)
    with pytest.raises(ValueError, match="temperature must be a positive"):
        prediction_loss(good, good, good, good, ALL, 0.0)
    single = torch.zeros_like(ALL)
    single[:, 0] = True
    with pytest.raises(ValueError, match="fewer than two candidate"):
        prediction_loss(good, good, good, good, single, 1.0)
