"""Every setting of a training run, and recipes: TOML files that hold only what differs from these."""

import json
import tomllib
from collections.abc import Mapping
from dataclasses import MISSING, asdict, dataclass, field, fields, replace
from pathlib import Path
from types import UnionType
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

from training.data.batches import Mixture
from training.data.windows import Crops

RECIPES = Path(__file__).resolve().parents[1] / "recipes"
# What may change between a killed run and its resumption without making it another training.
HARMLESS = frozenset({"log_every", "checkpoint_minutes", "stop_after_minutes", "threads", "device"})


@dataclass(frozen=True)
class Distillation:
    """How a teacher takes part; the defaults are those of deepset's published distilled RoBERTa.

    :param weight: share of the teacher's distribution in the loss; the rest is the labels'.
    :param stages: run one after the other: "intermediate" learns the teacher's hidden states and attention maps,
        "prediction" its logits. Both in sequence is how tinyroberta-squad2 was made.
    :param stage: the one a run is at; `distil` sets it.
    :param intermediate_epochs: epochs of the intermediate stage; 0 takes the run's.
    :param intermediate_rate: its learning rate; 0 takes the run's.
    :param layer_map: the teacher's layer for each student layer, from 1; empty takes the uniform map.
    :param attention: "kl" or "mse", see `losses/attention.py`.
    :param cache: keep the teacher's logits on disk (with `versions` of the mixture above 0 they come again).
    """

    teacher: str
    stages: tuple[str, ...] = ("prediction",)
    stage: Literal["prediction", "intermediate"] = "prediction"
    intermediate_epochs: float = 0.0
    intermediate_rate: float = 0.0
    temperature: float = 1.5
    weight: float = 0.75
    hidden_weight: float = 1.0
    attention_weight: float = 1.0
    attention: Literal["kl", "mse"] = "kl"
    layer_map: tuple[int, ...] = ()
    cache: bool = True


@dataclass(frozen=True)
class TrainSettings:
    """A run: model and data in, folder out.

    :param model: folder or name of the model to start from (`components.models.resolve_model`).
    :param data: SQuAD-format files.
    :param out: folder of the run: checkpoints, metrics, and the finished model under `model/`.
    :param layer_decay: the rate of each layer is this times that of the layer above it; 1 gives all the same.
    :param shared: weight of the softmax over all passages of a question; the rest is each window's own.
    :param average: "ema" follows the weights with `average_decay`; "swa" is their mean after `average_from` of the run.
    :param mined_depth: wrong passages mined for each question, of which each epoch draws.
    :param held_out: articles kept away from training, to judge it by.
    :param held_out_passages: wrong passages read beside the right one in judging.
    :param evaluate_every: epochs between two looks at the held-out articles.
    :param patience: looks without improvement after which training stops early; 0 never stops early.
    :param compile: fuse the step with torch.compile: a minute at the start, then 1.4 times the speed on a CPU (needs a
        C++ compiler, and is fastest without dropout, whose random numbers a CPU draws one after the other).
    :param deterministic: take kernels that give the same sums each time where there are any; needed to resume to equal
        bits. On CPUs there are; on a GPU attention has none, which PyTorch then says.
    :param stop_after_minutes: leave after so long with a checkpoint, to be resumed; 0 runs to the end.
    """

    model: str
    data: tuple[str, ...]
    out: str
    epochs: float = 3.0
    learning_rate: float = 5e-5
    schedule: Literal["linear", "cosine"] = "linear"
    warmup: float = 0.06
    layer_decay: float = 1.0
    head_rate: float = 1.0
    weight_decay: float = 0.01
    gradient_norm: float = 1.0
    dropout: float | None = None
    average: Literal["none", "ema", "swa"] = "none"
    average_decay: float = 0.999
    average_from: float = 0.5
    shared: float = 0.0
    batch_tokens: int = 8192
    accumulate: int = 1
    max_length: int = 384
    stride: int = 128
    max_question: int = 64
    crops: Crops | None = field(default_factory=Crops)
    mixture: Mixture = field(default_factory=Mixture)
    occurrences: Literal["given", "all"] = "given"
    mined_depth: int = 20
    held_out: int = 12
    held_out_questions: int = 1000
    held_out_passages: int = 4
    evaluate_every: float = 0.5
    patience: int = 4
    limit: int | None = None
    drop_malformed: bool = False
    precision: Literal["auto", "fp32", "bf16", "fp16"] = "auto"
    device: str = "auto"
    threads: int = 0
    compile: bool = False
    seed: int = 0
    deterministic: bool = True
    log_every: int = 20
    checkpoint_minutes: float = 5.0
    stop_after_minutes: float = 0.0
    distillation: Distillation | None = None

    def __post_init__(self) -> None:
        above_zero = (
            "epochs", "learning_rate", "gradient_norm", "batch_tokens", "accumulate", "log_every", "evaluate_every"
        )  # fmt: skip
        shares = ("warmup", "average_from", "average_decay", "shared")
        for name in above_zero:
            if not getattr(self, name) > 0:
                raise ValueError(f"{name} must be above 0, got {getattr(self, name)}")
        for name in shares:
            if not 0 <= getattr(self, name) <= 1:
                raise ValueError(f"{name} must lie between 0 and 1, got {getattr(self, name)}")
        if not 0 < self.layer_decay <= 1:
            raise ValueError(f"layer_decay must be above 0 and at most 1, got {self.layer_decay}")

    def to_dict(self) -> dict[str, Any]:
        """Plain values, as JSON keeps them."""
        plain: dict[str, Any] = json.loads(json.dumps(asdict(self)))
        return plain

    def public(self) -> dict[str, Any]:
        """As `to_dict`, without what only this machine understands: paths keep their last parts."""
        plain = self.to_dict()
        plain["data"] = [Path(path).name for path in self.data]
        plain["model"] = "/".join(Path(self.model).parts[-2:])
        if self.distillation is not None:
            plain["distillation"]["teacher"] = "/".join(Path(self.distillation.teacher).parts[-2:])
        return {name: value for name, value in plain.items() if name not in ("out", "stop_after_minutes")}

    def differs_from(self, other: Mapping[str, Any]) -> list[str]:
        """What would make resuming with these settings another training, one line each."""
        mine = self.to_dict()
        names = [name for name in mine if name not in HARMLESS and mine[name] != other.get(name)]
        return [f"{name}: {other.get(name)!r} in the run, {mine[name]!r} now" for name in names]


def settings_from(values: Mapping[str, Any]) -> TrainSettings:
    """Settings from plain values, as TOML and JSON hold them.

    :raises ValueError: naming a setting that does not exist with those that do, or a value that is not allowed.
    """
    made: TrainSettings = _build(TrainSettings, dict(values), "")
    return made


def read_recipe(name: str | Path) -> dict[str, Any]:
    """The values of a recipe: a TOML file, or the name of one in `training/recipes`.

    :raises ValueError: when there is none of that name, naming those there are.
    """
    path = Path(name) if Path(name).suffix == ".toml" else RECIPES / f"{name}.toml"
    if not path.is_file():
        known = ", ".join(sorted(file.stem for file in RECIPES.glob("*.toml")))
        raise ValueError(f"there is no recipe {str(name)!r}: give a .toml file, or one of {known}")
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except tomllib.TOMLDecodeError as error:
        raise ValueError(f"recipe {path}: {error}") from error


def with_values(settings: TrainSettings, **values: Any) -> TrainSettings:
    """The settings with other values; None leaves a setting as it is."""
    return replace(settings, **{name: value for name, value in values.items() if value is not None})


def _build(kind: Any, values: dict[str, Any], where: str) -> Any:
    known = {entry.name for entry in fields(kind)}
    if unknown := sorted(set(values) - known):
        raise ValueError(f"no setting {where}{unknown[0]}: there are {', '.join(sorted(known))}")
    hints = get_type_hints(kind)
    needed = [entry.name for entry in fields(kind) if entry.default is MISSING and entry.default_factory is MISSING]
    if missing := [name for name in needed if name not in values]:
        raise ValueError(f"{where}{missing[0]} must be given")
    for name, value in values.items():
        nested = {"crops": Crops, "mixture": Mixture, "distillation": Distillation}.get(name)
        if nested is not None and isinstance(value, Mapping):
            values[name] = _build(nested, dict(value), f"{name}.")
        elif not _fits(value, hints[name]):
            raise ValueError(f"{where}{name} must be {_allowed(hints[name])}; got {value!r}")
        elif isinstance(value, list):
            values[name] = tuple(value)
    return kind(**values)


def _fits(value: Any, hint: Any) -> bool:
    """A text is no number, and no yes or no: "False" would count as true."""
    if get_origin(hint) in (Union, UnionType):
        return any(_fits(value, part) for part in get_args(hint))
    if get_origin(hint) is Literal:
        return value in get_args(hint)
    if get_origin(hint) is tuple:
        return isinstance(value, list | tuple)
    if hint in (int, float):
        return isinstance(value, int | hint) and not isinstance(value, bool)
    return isinstance(value, hint)


def _allowed(hint: Any) -> str:
    if get_origin(hint) in (Union, UnionType):
        return " or ".join(_allowed(part) for part in get_args(hint))
    if get_origin(hint) is Literal:
        return "one of " + ", ".join(get_args(hint))
    if get_origin(hint) is tuple:
        return "a list"
    words = {bool: "true or false", int: "a whole number", float: "a number", str: "a text", type(None): "null"}
    return words.get(hint, "a table of settings")
