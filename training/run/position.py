"""Where a run stands, and how that is kept and found again."""

import json
import shutil
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch
from torch import nn

from training.run.checkpoints import Checkpoint, load_newest
from training.run.devices import Devices, Precision
from training.run.objectives import Objective
from training.run.optimiser import WeightAverage, load_optimiser_state, optimiser_state
from training.run.settings import TrainSettings

SETTINGS = "settings.json"


@dataclass
class Position:
    """Plain values of a running training.

    :param questions: questions learned from so far, over all epochs.
    :param seconds: time spent in steps.
    :param next_look: epochs after which the held-out articles are looked at next.
    """

    step: int = 0
    epoch: int = 0
    step_in_epoch: int = 0
    questions: int = 0
    seconds: float = 0.0
    best_step: int = -1
    best_score: float = -1.0
    looks_without_gain: int = 0
    next_look: float = 0.0
    precision: Precision = "fp32"
    finished: bool = False


def open_run(settings: TrainSettings, fresh: bool, devices: Devices) -> Checkpoint | None:
    """The newest checkpoint of the run in `settings.out`, or None where it begins.

    :raises ValueError: when the folder holds a run with other settings, naming them.
    """
    out = Path(settings.out)
    file = out / SETTINGS
    if fresh and devices.first and out.exists():
        if any(out.iterdir()) and not file.is_file():
            raise ValueError(f"{out} holds something that is no training run: it is not removed. Choose another folder")
        shutil.rmtree(out)
    devices.wait()
    if file.is_file() and (changed := settings.differs_from(json.loads(file.read_text(encoding="utf-8")))):
        raise ValueError(
            f"{out} holds a run with other settings ({'; '.join(changed)}). Run with its settings to go on with it, "
            "choose another --out, or begin anew with --fresh"
        )
    if devices.first:
        out.mkdir(parents=True, exist_ok=True)
        begun = file.with_suffix(".new")  # renamed when it is whole: without its settings no run can be gone on with
        begun.write_text(json.dumps(settings.to_dict(), indent=1) + "\n", encoding="utf-8")
        begun.replace(file)
    devices.wait()
    return None if fresh else load_newest(out / "checkpoints")


def snapshot(
    at: Position,
    data_digest: str,
    model: nn.Module,
    objective: Objective,
    optimiser: torch.optim.Optimizer,
    average: WeightAverage,
    devices: Devices,
) -> Checkpoint:
    """All that the next step depends on."""
    tensors = {
        "model": dict(model.state_dict()),
        "optimiser": optimiser_state(optimiser, weight_names(model, objective.extra)),
        "average": average.state(),
        "objective": dict(objective.extra.state_dict()) if objective.extra is not None else {},
    }
    scaler = devices.scaler.state_dict() if devices.scaler else {}
    state = {"position": asdict(at), "averaged": average.steps, "scaler": scaler, "data": data_digest}
    return Checkpoint(tensors, state)


def restore(
    kept: Checkpoint,
    model: nn.Module,
    objective: Objective,
    optimiser: torch.optim.Optimizer,
    average: WeightAverage,
) -> Position:
    """Put a snapshot back; the device's own state (`scaler`) is the caller's to restore."""
    model.load_state_dict(kept.tensors["model"])
    if objective.extra is not None:
        objective.extra.load_state_dict(kept.tensors["objective"])
    load_optimiser_state(optimiser, weight_names(model, objective.extra), kept.tensors["optimiser"])
    average.load(kept.tensors["average"], kept.state["averaged"])
    position: dict[str, Any] = kept.state["position"]
    return Position(**position)


def weight_names(model: nn.Module, extra: nn.Module | None) -> dict[int, str]:
    """Name of each weight by its id, those of the objective's own marked."""
    names = {id(weight): name for name, weight in model.named_parameters()}
    if extra is not None:
        names |= {id(weight): f"objective.{name}" for name, weight in extra.named_parameters()}
    return names
