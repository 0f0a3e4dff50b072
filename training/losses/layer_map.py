"""Which layer of the teacher teaches which layer of the student."""

from collections.abc import Sequence


def pairs(student_layers: int, teacher_layers: int, chosen: Sequence[int] | None = None) -> tuple[tuple[int, int], ...]:
    """Pairs (student layer, teacher layer), embeddings (0, 0) first.

    By default the uniform map of TinyBERT (Jiao et al. 2020): g(m) = m * N / M, so a student of 3 layers learns the
    teacher's layers 2, 4 and 6.

    :param chosen: the teacher's layer for each student layer, counted from 1.
    :raises ValueError: when the student is deeper than the teacher, or `chosen` does not fit them.

    >>> pairs(3, 6)
    ((0, 0), (1, 2), (2, 4), (3, 6))
    >>> pairs(2, 6, [3, 6])
    ((0, 0), (1, 3), (2, 6))
    """
    if chosen is None:
        if student_layers > teacher_layers:
            raise ValueError(
                f"the student has {student_layers} layers and the teacher {teacher_layers}: name the layer map, "
                "or choose a student that is not deeper"
            )
        chosen = [round(m * teacher_layers / student_layers) for m in range(1, student_layers + 1)]
    if len(chosen) != student_layers or not all(1 <= layer <= teacher_layers for layer in chosen):
        raise ValueError(
            f"layer map {list(chosen)} does not fit: one teacher layer from 1 to {teacher_layers} for each of the "
            f"student's {student_layers} layers"
        )
    return ((0, 0), *((m, layer) for m, layer in enumerate(chosen, start=1)))
