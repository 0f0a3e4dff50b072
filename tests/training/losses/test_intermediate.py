"""Hidden states, attention maps and layer maps against their formulas."""

import math

import pytest
import torch

from training.losses.attention import attention_loss
from training.losses.hidden import HiddenLoss
from training.losses.layer_map import pairs

MASK = torch.tensor([[True, True, False], [True, True, True]])


def test_hidden_states_formula_leaves_padding_out():
    student = [torch.zeros(2, 3, 2), torch.ones(2, 3, 2)]
    teacher = [torch.full((2, 3, 2), 2.0), torch.full((2, 3, 2), 4.0)]
    teacher[0][0, 2] = 1000.0  # padding
    loss = HiddenLoss(2, 2, [(0, 0), (1, 1)])(student, teacher, MASK)
    assert loss.tolist() == pytest.approx([(4 + 9) / 2, (4 + 9) / 2])


def test_projection_where_widths_differ_is_learned():
    torch.manual_seed(0)
    loss = HiddenLoss(2, 3, [(1, 1)])
    student, teacher = [torch.randn(2, 3, 2)] * 2, [torch.randn(2, 3, 3)] * 2
    weight = loss.projections[0].weight
    value = loss(student, teacher, MASK)
    gap = (student[1] @ weight.T - teacher[1]).square() * MASK[..., None]
    torch.testing.assert_close(value, gap.sum((1, 2)) / (MASK.sum(1) * 3))
    value.sum().backward()
    assert weight.grad.abs().max() > 0


def test_hidden_states_refuse_what_does_not_fit():
    with pytest.raises(ValueError, match="teacher layer 5, but they have 1 and 1"):
        HiddenLoss(2, 2, [(1, 5)])([torch.zeros(2, 3, 2)] * 2, [torch.zeros(2, 3, 2)] * 2, MASK)
    with pytest.raises(ValueError, match="construct HiddenLoss with the widths"):
        HiddenLoss(2, 2, [(0, 0)])([torch.zeros(2, 3, 2)], [torch.zeros(2, 3, 4)], MASK)
    with pytest.raises(ValueError, match="hidden_states hold 12 value"):
        HiddenLoss(2, 2, [(0, 0)])([torch.zeros(2, 3, 2)], [torch.full((2, 3, 2), math.nan)], MASK)


@pytest.mark.parametrize("form", ["kl", "mse"])
def test_attention_formula(form):
    torch.manual_seed(0)
    logits = torch.randn(2, 2, 4, 3, 3).masked_fill(~MASK[:, None, None, :].unsqueeze(0), -1e9)
    said, told = logits[0].softmax(-1), logits[1].softmax(-1)  # (windows, heads, 3, 3)
    loss = attention_loss([said], [said, told], MASK, [(0, 0), (1, 2)], form)
    for window in range(2):
        real = MASK[window].nonzero().flatten().tolist()
        total = 0.0
        for head in range(4):
            for i in real:
                for j in real:
                    a, b = told[window, head, i, j].item(), said[window, head, i, j].item()
                    total += a * math.log(a / b) if form == "kl" else (a - b) ** 2
        assert loss[window].item() == pytest.approx(total / (4 * len(real)), rel=1e-4)


def test_attention_refuses_what_does_not_fit():
    two, four = torch.full((2, 2, 3, 3), 1 / 3), torch.full((2, 4, 3, 3), 1 / 3)
    with pytest.raises(ValueError, match="number of heads set attention_weight to 0"):
        attention_loss([two], [four], MASK, [(1, 1)])
    with pytest.raises(ValueError, match="no attention to learn"):
        attention_loss([two], [two], MASK, [(0, 0)])
    with pytest.raises(ValueError, match='"kl" or "mse"'):
        attention_loss([two], [two], MASK, [(1, 1)], "cosine")
    with pytest.raises(ValueError, match="give 1 and 1 attention maps"):
        attention_loss([two], [two], MASK, [(1, 2)])


def test_layer_maps():
    assert pairs(3, 6) == ((0, 0), (1, 2), (2, 4), (3, 6))
    assert pairs(6, 6)[1:] == tuple((n, n) for n in range(1, 7))
    assert pairs(2, 6, [3, 6]) == ((0, 0), (1, 3), (2, 6))
    with pytest.raises(ValueError, match="not deeper"):
        pairs(6, 3)
    for wrong in ([1], [1, 7], [0, 1]):
        with pytest.raises(ValueError, match="does not fit"):
            pairs(2, 6, wrong)
