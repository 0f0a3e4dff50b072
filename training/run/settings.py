"""Every setting of a training run, and recipes: TOML files that hold only what differs from these."""

import json
import tomllib
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import asdict, field, fields
from pathlib import Path
from typing import Any, Literal, get_args, get_type_hints

from pydantic import ConfigDict, PositiveFloat, PositiveInt, TypeAdapter, ValidationError
from pydantic.dataclasses import dataclass

from training.data.batches import Mixture
from training.data.windows import Crops

RECIPES = Path(__file__).resolve().parents[1] / "recipes"
# What may change between a killed run and its resumption without making it another training.
HARMLESS = frozenset({"logging_steps", "checkpoint_minutes", "stop_after_minutes", "threads", "device"})
# Transformers' names since version 0.2; recipes and runs with those of before are still taken.
RENAMED = {
    "schedule": "lr_scheduler_type",
    "warmup": "warmup_ratio",
    "gradient_norm": "max_grad_norm",
    "accumulate": "gradient_accumulation_steps",
    "shared": "shared_softmax_weight",
    "patience": "early_stopping_patience",
    "log_every": "logging_steps",
    "compile": "torch_compile",
}
_STRICT = ConfigDict(strict=True, extra="forbid")


@dataclass(frozen=True, config=_STRICT)
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


@dataclass(frozen=True, config=_STRICT)
class Beside:
    """Data of another kind that is learned beside the run's own: tables beside articles, say.

    :param data: SQuAD-format files; their batches are mixed with the others, never within a batch.
    :param taught: whether the teacher of a distillation knows this kind; False learns it from the labels alone.
    """

    data: tuple[str, ...]
    mixture: Mixture = field(default_factory=Mixture)
    crops: Crops | None = field(default_factory=Crops)
    limit: int | None = None
    taught: bool = False


@dataclass(frozen=True, config=_STRICT)
class TrainSettings:
    """A run: model and data in, folder out.

    :param model: folder or name of the model to start from (`components.models.resolve_model`).
    :param data: SQuAD-format files.
    :param out: folder of the run: checkpoints, metrics, and the finished model under `model/`.
    :param epochs: how often all questions are seen.
    :param learning_rate: of the top layer, at its highest.
    :param lr_scheduler_type: how the rate falls after warming up.
    :param warmup_ratio: share of the steps in which the rate grows.
    :param layer_decay: the rate of each layer is this times that of the layer above it; 1 gives all the same.
    :param head_rate: rate of the span head, as a multiple of the learning rate.
    :param weight_decay: of AdamW; not for biases and norms.
    :param max_grad_norm: gradients are clipped to this length.
    :param dropout: of the whole model; null keeps the model's own.
    :param average_decay: how much of the old average stays with each step ("ema").
    :param average_from: share of the run after which the mean begins ("swa").
    :param batch_tokens: tokens of a batch, which bound memory.
    :param gradient_accumulation_steps: batches of one step.
    :param max_length: tokens of a window, question included.
    :param stride: tokens that neighbouring windows share.
    :param max_question: tokens of a question; more are cut off.
    :param crops: random beginnings and ends of windows around answers; null: windows as the reader lays them.
    :param mixture: how many wrong passages and unanswerable questions stand beside each question.
    :param occurrences: "given": the marked place of an answer; "all": each place of its words in the paragraph.
    :param shared_softmax_weight: weight of the softmax over all passages of a question; the rest is each window's own.
    :param average: "ema" follows the weights with `average_decay`; "swa" is their mean after `average_from` of the run.
    :param mined_depth: wrong passages mined for each question, of which each epoch draws.
    :param held_out: articles kept away from training, to judge it by.
    :param held_out_questions: at most so many of their questions.
    :param held_out_passages: wrong passages read beside the right one in judging.
    :param beside: data of another kind, with a mixture and crops of its own.
    :param evaluate_every: epochs between two looks at the held-out articles.
    :param early_stopping_patience: looks without improvement after which training stops early; 0 never stops early.
    :param limit: only the first so many questions; null takes all.
    :param drop_malformed: leave out questions whose answer does not stand where the file says, instead of stopping.
    :param precision: "auto" is bf16 where the device computes it fast, else fp32.
    :param device: "auto", "cpu", "cuda", "cuda:1".
    :param threads: of the CPU; 0 leaves it to PyTorch.
    :param torch_compile: fuse the step with torch.compile: a minute at the start, then 1.4 times the speed on a CPU
        (needs a C++ compiler, and is fastest without dropout, whose random numbers a CPU draws one after the other).
    :param deterministic: take kernels that give the same sums each time where there are any; needed to resume to equal
        bits. On CPUs there are; on a GPU attention has none, which PyTorch then says.
    :param seed: of everything random.
    :param logging_steps: steps between two lines of the figures.
    :param checkpoint_minutes: between two checkpoints.
    :param distillation: how a teacher takes part; null: no teacher.
    :param stop_after_minutes: leave after so long with a checkpoint, to be resumed; 0 runs to the end.
    """

    model: str
    data: tuple[str, ...]
    out: str
    epochs: PositiveFloat = 3.0
    learning_rate: PositiveFloat = 5e-5
    lr_scheduler_type: Literal["linear", "cosine"] = "linear"
    warmup_ratio: float = 0.06
    layer_decay: float = 1.0
    head_rate: float = 1.0
    weight_decay: float = 0.01
    max_grad_norm: PositiveFloat = 1.0
    dropout: float | None = None
    average: Literal["none", "ema", "swa"] = "none"
    average_decay: float = 0.999
    average_from: float = 0.5
    shared_softmax_weight: float = 0.0
    batch_tokens: PositiveInt = 8192
    gradient_accumulation_steps: PositiveInt = 1
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
    evaluate_every: PositiveFloat = 0.5
    early_stopping_patience: int = 4
    limit: int | None = None
    drop_malformed: bool = False
    precision: Literal["auto", "fp32", "bf16", "fp16"] = "auto"
    device: str = "auto"
    threads: int = 0
    torch_compile: bool = False
    seed: int = 0
    deterministic: bool = True
    logging_steps: PositiveInt = 20
    checkpoint_minutes: float = 5.0
    stop_after_minutes: float = 0.0
    distillation: Distillation | None = None
    beside: Beside | None = None

    def __post_init__(self) -> None:
        for name in ("warmup_ratio", "average_from", "average_decay", "shared_softmax_weight"):
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
        if self.beside is not None:
            plain["beside"]["data"] = [Path(path).name for path in self.beside.data]
        if self.distillation is not None:
            plain["distillation"]["teacher"] = "/".join(Path(self.distillation.teacher).parts[-2:])
        return {name: value for name, value in plain.items() if name not in ("out", "stop_after_minutes")}

    def differs_from(self, other: Mapping[str, Any]) -> list[str]:
        """What would make resuming with these settings another training, one line each."""
        mine = self.to_dict()
        theirs = {RENAMED.get(name, name): value for name, value in other.items()}
        names = [name for name in mine if name not in HARMLESS and mine[name] != theirs.get(name)]
        return [f"{name}: {theirs.get(name)!r} in the run, {mine[name]!r} now" for name in names]


def settings_from(values: Mapping[str, Any]) -> TrainSettings:
    """Settings from plain values, as TOML and JSON hold them; names of before are taken with a warning.

    :raises ValueError: naming a setting that does not exist with those that do, or a value that is not allowed.
    """
    values = dict(values)
    for old in [name for name in RENAMED if name in values]:
        new = RENAMED[old]
        if new in values:
            raise ValueError(f"{new} is given twice, once by its old name {old}: keep {new}")
        warnings.warn(f"the setting {old} is now called {new}", FutureWarning, stacklevel=2)
        values[new] = values.pop(old)
    try:
        return _SETTINGS.validate_json(json.dumps(values))
    except ValidationError as error:
        raise ValueError(_explain(error)) from error


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


def combine_settings(
    data: Sequence[str],
    recipe: str | None = None,
    options: Mapping[str, Any] | None = None,
    pairs: Sequence[str] = (),
    labels_only: bool = False,
) -> TrainSettings:
    """A recipe, then options, then "name=value" pairs: what comes later wins. Options that are None were not given.

    :param pairs: as `mixture.passages=2`; values are JSON, and text where they are not.
    :param labels_only: leave out the teacher that the recipe names.
    :raises ValueError: for a pair without "=", and as `read_recipe` and `settings_from`.
    """
    values = read_recipe(recipe) if recipe else {}
    values |= {name: value for name, value in (options or {}).items() if value is not None}
    values["data"] = list(data)
    if labels_only:
        values.pop("distillation", None)
    for pair in pairs:
        name, equals, text = pair.partition("=")
        if not equals:
            raise ValueError(f"--set wants NAME=VALUE, got {pair!r}")
        *tables, last = name.strip().split(".")
        table = values
        for part in tables:
            table = table.setdefault(part, {})
        table[last] = _parse(text.strip())
    return settings_from(values)


def _parse(text: str) -> Any:
    try:
        return json.loads(text)
    except json.JSONDecodeError:
        return text


# A text is no number, and no yes or no: "False" would count as true.
_SETTINGS = TypeAdapter(TrainSettings)
_NESTED = {"crops": Crops, "mixture": Mixture, "distillation": Distillation}
_ALLOWED = {
    "bool_type": "true or false",
    "int_type": "a whole number",
    "int_from_float": "a whole number",
    "float_type": "a number",
    "string_type": "a text",
    "tuple_type": "a list",
    "dataclass_type": "a table of settings",
}


def _explain(error: ValidationError) -> str:
    """The first mistake in plain words: which setting, what is allowed, what was given."""
    first = error.errors()[0]
    where, kind, given = ".".join(map(str, first["loc"])), first["type"], first["input"]
    holder, _, name = where.rpartition(".")
    owner: Any = _NESTED.get(holder, TrainSettings)
    if kind == "unexpected_keyword_argument":
        return f"no setting {where}: there are {', '.join(sorted(entry.name for entry in fields(owner)))}"
    if kind == "missing":
        return f"{where} must be given"
    if kind == "value_error":
        return str(first["ctx"]["error"])
    if kind == "literal_error":
        allowed = "one of " + str(first["ctx"]["expected"]).replace("'", "").replace(" or ", ", ")
    elif kind == "greater_than":
        allowed = f"above {first['ctx']['gt']:g}"
    elif kind in _ALLOWED:
        optional = type(None) in get_args(get_type_hints(owner).get(name))
        allowed = _ALLOWED[kind] + (" or null" if optional else "")
    else:
        allowed = first["msg"]
    return f"{where} must be {allowed}; got {given!r}"
