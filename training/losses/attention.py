"""Distillation of the attention maps: the student learns where the teacher looks."""

from collections.abc import Sequence
from typing import Literal

import torch
from torch import Tensor

from training.losses.checks import finite_teacher

TINY = 1e-9  # keeps the logarithm of a probability that underflowed finite


def attention_loss(
    student: Sequence[Tensor],
    teacher: Sequence[Tensor],
    mask: Tensor,
    layer_map: Sequence[tuple[int, int]],
    form: Literal["kl", "mse"] = "kl",
) -> Tensor:
    """One value a window: mean over the layer pairs (s, t), the heads and the real tokens i that look, of

        kl:   sum over j of A_t[i, j] (log A_t[i, j] - log A_s[i, j])    (MiniLM, Wang et al. 2020, eq. 4)
        mse:  sum over j of (A_t[i, j] - A_s[i, j])^2                    (TinyBERT, Jiao et al. 2020, eq. 7)

    over real tokens j that are looked at. The maps are those after the softmax, which is what every model family
    returns; TinyBERT's own code compares them before it. A mean over j as well would make the loss vanish with length.

    :param student: attention maps (n, heads, L, L), one a layer; index 0 is layer 1.
    :param teacher: attention maps (n, heads, L, L), likewise.
    :param mask: (n, L) bool, True on real tokens.
    :param layer_map: pairs (student layer, teacher layer), counted from 1; pairs with 0, the embeddings, have no map.
    :raises ValueError: when a layer is not there, the heads differ in number, or the teacher is NaN.
    """
    if form not in ("kl", "mse"):
        raise ValueError(f'attention form must be "kl" or "mse", got {form!r}')
    pairs = [(s, t) for s, t in layer_map if s > 0 and t > 0]
    if not pairs:
        raise ValueError("the layer map pairs no layer with another (only embeddings): there is no attention to learn")
    looked_at, looking = mask[:, None, None, :], mask[:, None, :, None]
    total = torch.zeros(mask.shape[0], device=mask.device)
    for s, t in pairs:
        if s > len(student) or t > len(teacher):
            raise ValueError(
                f"the layer map pairs student layer {s} with teacher layer {t}, but they give {len(student)} and "
                f"{len(teacher)} attention maps"
            )
        said, told = student[s - 1].float(), teacher[t - 1].detach().float()
        if said.shape != told.shape:
            raise ValueError(
                f"attention maps differ in shape: student layer {s} {tuple(said.shape)}, teacher layer {t} "
                f"{tuple(told.shape)}. With another number of heads set attention_weight to 0 and learn hidden states"
            )
        finite_teacher(attention_maps=told)
        gap = told * ((told + TINY).log() - (said + TINY).log()) if form == "kl" else (told - said).square()
        rows = (gap * looked_at * looking).sum((1, 2, 3))
        total = total + rows / (mask.sum(1) * said.shape[1])
    return total / len(pairs)
