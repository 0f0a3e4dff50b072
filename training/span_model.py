"""A span model to be trained: loaded from a folder, and refused where it would start from noise unnoticed."""

from pathlib import Path
from typing import Any, Literal

import torch
from transformers import (
    MODEL_FOR_QUESTION_ANSWERING_MAPPING,
    AutoConfig,
    AutoModelForQuestionAnswering,
    PreTrainedConfig,
    PreTrainedModel,
)
from transformers.utils import logging

from components.models import resolve_model
from training.run.settings import TrainSettings

HEAD = "qa_outputs"
Attention = Literal["sdpa", "eager"]
_DROPOUTS = ("hidden_dropout_prob", "attention_probs_dropout_prob", "dropout", "attention_dropout", "qa_dropout")


def model_to_train(settings: TrainSettings, device: torch.device, maps: bool = False) -> PreTrainedModel:
    """
    The model of a run, on its device, in training mode.

    :param maps: attention maps are asked for.
    """
    fused = settings.torch_compile and device.type == "cpu"  # a compiled softmax beats the CPU's flash attention
    attention: Attention = "eager" if maps or fused else "sdpa"
    model = load_span_model(settings.model, settings.seed, settings.dropout, attention)
    return model.to(device).train()  # type: ignore[arg-type]


def load_span_model(
    name: str | Path,
    seed: int,
    dropout: float | None = None,
    attention: Attention = "sdpa",
    trained: bool = False,
) -> PreTrainedModel:
    """The model in fp32. A model without a span head gets a new one, the same for the same seed.

    :param dropout: replaces every dropout of the config; None keeps them.
    :param attention: "eager" where attention maps are asked for; families without "sdpa" (MPNet) take it anyway.
    :param trained: the model must have a span head already (a teacher does; a new head would teach noise).
    :raises ValueError: when the folder lacks weights of the encoder itself, or a head that it must have.
    """
    folder = resolve_model(name)
    config = AutoConfig.from_pretrained(folder)
    if dropout is not None:
        for field in _DROPOUTS:
            if hasattr(config, field):
                setattr(config, field, dropout)
    if attention == "sdpa" and not knows_sdpa(config):
        attention = "eager"
    torch.manual_seed(seed)
    told = logging.get_verbosity()
    logging.set_verbosity_error()  # a new head on an encoder is what is wanted here, not a warning
    logging.disable_progress_bar()
    try:
        loaded: tuple[PreTrainedModel, dict[str, Any]] = AutoModelForQuestionAnswering.from_pretrained(
            folder,
            config=config,
            dtype=torch.float32,
            attn_implementation=attention,
            output_loading_info=True,
            use_safetensors=True,
        )
    finally:
        logging.set_verbosity(told)
    model, report = loaded
    missing = sorted(key for key in report["missing_keys"] if not key.startswith(HEAD) and "pooler" not in key)
    if missing:
        raise ValueError(
            f"{folder} lacks {len(missing)} weight(s) of {type(model).__name__}, the first is {missing[0]}: they would "
            "be random numbers. Is it the folder of another kind of model?"
        )
    if trained and any(key.startswith(HEAD) for key in report["missing_keys"]):
        raise ValueError(
            f"{folder} has no span head ({HEAD}): it is an encoder, not a reader. Train it first: excerpt train"
        )
    return model


def knows_sdpa(config: PreTrainedConfig) -> bool:
    """Whether the family computes attention by PyTorch's fused kernel; transformers refuses to load it where not."""
    kind = MODEL_FOR_QUESTION_ANSWERING_MAPPING.get(type(config), None)
    return bool(getattr(kind, "_supports_sdpa", True))
