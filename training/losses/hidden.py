"""Distillation of the hidden states, through a projection where student and teacher differ in width."""

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from training.losses.checks import finite_teacher


class HiddenLoss(nn.Module):
    """One value a window: mean over the layer pairs (s, t) of the layer map of

        mean over real tokens and units of ( H_s W_s - H_t )^2        (TinyBERT, Jiao et al. 2020, eq. 8 and 9)

    Index 0 is the output of the embeddings, index i of layer i. Without a difference in width there is no projection
    (as in Haystack 1's TinyBERT stage): the student has to speak the teacher's language itself. The projections belong
    to the training and are thrown away after it.

    :param layer_map: pairs (student layer, teacher layer), from `layer_map.pairs`.
    """

    def __init__(self, student_width: int, teacher_width: int, layer_map: Sequence[tuple[int, int]]) -> None:
        super().__init__()
        self.layer_map = tuple(layer_map)
        self.projections = nn.ModuleList(
            nn.Identity() if student_width == teacher_width else nn.Linear(student_width, teacher_width, bias=False)
            for _ in self.layer_map
        )

    def forward(self, student: Sequence[Tensor], teacher: Sequence[Tensor], mask: Tensor) -> Tensor:
        """
        :param student: hidden states (n, L, student width), one a layer and one for the embeddings.
        :param teacher: hidden states (n, L, teacher width), likewise.
        :param mask: (n, L) bool, True on real tokens.
        :raises ValueError: when the layer map names a layer that is not there, widths differ, or the teacher is NaN.
        """
        real = mask.unsqueeze(-1)
        total = torch.zeros(mask.shape[0], device=mask.device)
        for (s, t), projection in zip(self.layer_map, self.projections, strict=True):
            if s >= len(student) or t >= len(teacher):
                raise ValueError(
                    f"the layer map pairs student layer {s} with teacher layer {t}, but they have {len(student) - 1} "
                    f"and {len(teacher) - 1} layers"
                )
            told = teacher[t].detach().float()
            finite_teacher(hidden_states=told)
            said = projection(student[s]).float()
            if said.shape != told.shape:
                raise ValueError(
                    f"student layer {s} gives {tuple(said.shape)} after projection, teacher layer {t} gives "
                    f"{tuple(told.shape)}: construct HiddenLoss with the widths of the two models"
                )
            units = real.sum((1, 2)) * told.shape[-1]
            total = total + ((said - told).square() * real).sum((1, 2)) / units
        return total / len(self.layer_map)
