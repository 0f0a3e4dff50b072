"""Distillation of the prediction layer: the student learns the teacher's whole distribution over tokens."""

import torch
from torch import Tensor

from training.losses.checks import MASKED, finite_teacher, positive, same_shape


def prediction_loss(
    start: Tensor, end: Tensor, teacher_start: Tensor, teacher_end: Tensor, allowed: Tensor, temperature: float
) -> Tensor:
    """One value a window: mean over start and end of

        T^2 * KL( softmax(teacher / T) || softmax(student / T) )      (Hinton, Vinyals and Dean 2015)

    over the allowed tokens (the passage's and token 0). The factor T^2 keeps the gradient's size when T changes.

    +----------------------------+--------+--------------------------------------+
    | start, end                 | (n, L) | the student's logits                 |
    | teacher_start, teacher_end | (n, L) | the teacher's logits; no gradient    |
    | allowed                    | (n, L) | bool: candidates, two or more a row  |
    +----------------------------+--------+--------------------------------------+

    :raises ValueError: when shapes differ, the temperature is not positive, the teacher is not finite, or a window has
        a single candidate (a softmax over one is constant: loss and gradient would be zero).
    """
    same_shape(start=start, end=end, teacher_start=teacher_start, teacher_end=teacher_end, allowed=allowed)
    positive("temperature", temperature)
    finite_teacher(start_logits=teacher_start[allowed], end_logits=teacher_end[allowed])
    if allowed.device.type == "cpu" and bool((allowed.sum(-1) < 2).any()):
        raise ValueError(
            "a window has fewer than two candidate tokens: a softmax over one is constant and teaches nothing. "
            "Leave out empty passages"
        )
    pairs = ((start, teacher_start), (end, teacher_end))
    first, second = (_divergence(student, teacher, allowed, temperature) for student, teacher in pairs)
    return (first + second) / 2


def _divergence(student: Tensor, teacher: Tensor, allowed: Tensor, temperature: float) -> Tensor:
    student_log = _log_softmax(student, allowed, temperature)
    teacher_log = _log_softmax(teacher.detach(), allowed, temperature)
    return temperature**2 * (teacher_log.exp() * (teacher_log - student_log)).masked_fill(~allowed, 0.0).sum(-1)


def _log_softmax(logits: Tensor, allowed: Tensor, temperature: float) -> Tensor:
    return torch.log_softmax((logits.float() / temperature).masked_fill(~allowed, MASKED), dim=-1)
