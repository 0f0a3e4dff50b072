"""The loss over several passages against its formula."""

import math

import pytest
import torch

from training.losses.groups import Groups
from training.losses.shared_softmax import shared_softmax_loss
from training.losses.span import span_loss


def marks(length, *chosen):
    return torch.tensor([[place in row for place in range(length)] for row in chosen])


def groups(*numbers):
    return Groups.of(torch.tensor(numbers))


def test_one_window_a_question_is_the_span_loss():
    start, end = torch.randn(3, 6), torch.randn(3, 6)
    targets, allowed = marks(6, [2], [0], [3, 5]), marks(6, [0, 2, 3], [0, 4], [0, 3, 4, 5])
    alone = span_loss(start, end, targets, targets, allowed)
    torch.testing.assert_close(shared_softmax_loss(start, end, targets, targets, allowed, groups(0, 1, 2)), alone)


def test_formula_over_two_passages_of_which_one_holds_the_answer():
    start = torch.tensor([[1.0, 2.0, 0.0], [0.5, 3.0, 1.0]])
    allowed = torch.ones(2, 3, dtype=torch.bool)
    # The second passage is wrong: its own label is its first token, which is no target here.
    targets = marks(3, [1], [0])
    loss = shared_softmax_loss(start, start, targets, targets, allowed, groups(0, 0))
    everything = sum(math.exp(value) for value in (1, 2, 0, 0.5, 3, 1))
    assert loss.tolist() == pytest.approx([-math.log(math.exp(2) / everything)], rel=1e-6)


def test_a_question_without_answer_puts_its_mass_on_the_first_tokens_together():
    start = torch.tensor([[1.0, 2.0], [0.5, 3.0]])
    allowed, targets = torch.ones(2, 2, dtype=torch.bool), marks(2, [0], [0])
    loss = shared_softmax_loss(start, start, targets, targets, allowed, groups(0, 0))
    everything = sum(math.exp(value) for value in (1, 2, 0.5, 3))
    assert loss.tolist() == pytest.approx([-math.log((math.exp(1) + math.exp(0.5)) / everything)], rel=1e-6)


def test_questions_of_uneven_size_do_not_touch_each_other():
    torch.manual_seed(1)
    start, end = torch.randn(6, 4), torch.randn(6, 4)
    targets, allowed = marks(4, [1], [0], [0], [2], [0], [3]), torch.ones(6, 4, dtype=torch.bool)
    together = shared_softmax_loss(start, end, targets, targets, allowed, groups(0, 0, 0, 1, 2, 2))
    for number, rows in enumerate(([0, 1, 2], [3], [4, 5])):
        alone = shared_softmax_loss(
            start[rows], end[rows], targets[rows], targets[rows], allowed[rows], groups(*[0] * len(rows))
        )
        assert together[number].item() == pytest.approx(alone.item(), rel=1e-6)


def test_a_wrong_passage_is_pushed_down_even_where_its_own_first_token_wins():
    start = torch.zeros(2, 3)
    start[1, 0] = 5.0
    start.requires_grad_()
    targets = marks(3, [1], [0])
    shared_softmax_loss(
        start, start, targets, targets, torch.ones(2, 3, dtype=torch.bool), groups(0, 0)
    ).sum().backward()
    assert (start.grad[1] > 0).all()
    assert start.grad[0, 1] < 0
    assert torch.isfinite(start.grad).all()


def test_a_question_without_any_target_is_refused():
    targets = marks(3, [], [])
    with pytest.raises(ValueError, match=r"question\(s\) have no target"):
        shared_softmax_loss(
            torch.zeros(2, 3), torch.zeros(2, 3), targets, targets, torch.ones(2, 3, dtype=torch.bool), groups(0, 0)
        )


def test_groups_mean_and_shape():
    of = groups(0, 0, 1)
    assert of.mean(torch.tensor([1.0, 3.0, 5.0])).tolist() == [2.0, 5.0]
    with pytest.raises(ValueError, match="one value a window"):
        of.table(torch.zeros(2), 0.0)
