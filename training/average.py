"""One model out of several trained ones that share a beginning: the mean of their weights."""

import json
from collections.abc import Sequence
from pathlib import Path

import torch

from components.models import model_digest, resolve_model
from training.distillation.teacher import same_tokenizer
from training.model_folder import TRAINING, write_model_folder
from training.span_model import load_span_model


def average(models: Sequence[str | Path], out: Path) -> Path:
    """
    Write the model whose weights are the mean of these models' weights, each weighing the same.

    Models fine-tuned from one beginning lie in one valley of the loss; their mean is often better than each of them and
    costs nothing to read with (a uniform soup: Wortsman et al. 2022, "Model soups"). Models that began apart give
    noise: judge the result on held-out questions.

    :raises ValueError: when there are fewer than two, weights differ in name or shape, tokenizers differ, or the folder
        is taken.
    """
    if len(models) < 2:
        raise ValueError(f"an average needs two models or more, got {len(models)}")
    if out.exists():
        raise ValueError(f"{out} exists already: choose another folder, or remove it")
    folders = [resolve_model(model) for model in models]
    mean = load_span_model(folders[0], seed=0, trained=True)
    for number, folder in enumerate(folders[1:], start=2):
        same_tokenizer(str(folders[0]), str(folder))
        other = load_span_model(folder, seed=0, trained=True).state_dict()
        weights = mean.state_dict()
        odd = [name for name in {**weights, **other} if _shape(weights.get(name)) != _shape(other.get(name))]
        if odd:
            raise ValueError(
                f"{folder} is no sibling of {folders[0]}: {len(odd)} weights differ in name or shape, the first is "
                f"{odd[0]} ({_shape(weights.get(odd[0]))} and {_shape(other.get(odd[0]))})"
            )
        with torch.no_grad():
            for name, weight in weights.items():
                if weight.is_floating_point():
                    weight.lerp_(other[name], 1 / number)
    runs = [
        {"name": "/".join(folder.parts[-2:]), "digest": model_digest(folder), **_made(folder)} for folder in folders
    ]
    return write_model_folder(out, mean, folders[0], {"command": "average", "runs": runs})


def _shape(weight: torch.Tensor | None) -> tuple[int, ...] | None:
    return None if weight is None else tuple(weight.shape)


def _made(folder: Path) -> dict[str, object]:
    """How a model was made, as its folder tells."""
    file = folder / TRAINING
    made: dict[str, object] = json.loads(file.read_text(encoding="utf-8")) if file.is_file() else {}
    return made
