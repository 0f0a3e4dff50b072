"""What survives `kill -9`: whole checkpoints, each in a folder that appears under its name only when it is complete."""

import hashlib
import json
import os
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from torch import Tensor

from components.stores.disk_sync import force_to_disk

KEPT = 2


@dataclass(frozen=True)
class Checkpoint:
    """Tensors by file ("model", "optimiser", ...) and name, and plain values."""

    tensors: dict[str, dict[str, Tensor]]
    state: dict[str, Any]


def save_checkpoint(folder: Path, step: int, checkpoint: Checkpoint) -> Path:
    """Write everything beside its place, flush it to the disk, then give it its name in one step.

    A kill at any moment leaves the checkpoint before it. The two newest are kept.
    """
    folder.mkdir(parents=True, exist_ok=True)
    final = folder / f"step-{step:09d}"
    unfinished = folder / f"unfinished-{os.getpid()}"
    shutil.rmtree(unfinished, ignore_errors=True)
    unfinished.mkdir()
    digests = {}
    for name, tensors in checkpoint.tensors.items():
        digests[name] = save_tensors(unfinished / f"{name}.safetensors", tensors)
    _write(unfinished / "state.json", json.dumps({"digests": digests, **checkpoint.state}).encode())
    if final.exists():
        shutil.rmtree(final)
    unfinished.rename(final)
    force_to_disk(folder)
    for old in sorted(folder.glob("step-*"))[:-KEPT]:
        shutil.rmtree(old, ignore_errors=True)
    for torn in folder.glob("unfinished-*"):
        shutil.rmtree(torn, ignore_errors=True)
    return final


def load_newest(folder: Path) -> Checkpoint | None:
    """The newest checkpoint that is whole, or None. One that the disk has damaged is passed over for the one before.

    :raises ValueError: when there are checkpoints and none of them is whole.
    """
    from safetensors.torch import load_file

    found = sorted(folder.glob("step-*"), reverse=True)
    for place in found:
        try:
            state: dict[str, Any] = json.loads((place / "state.json").read_text())
            digests: Mapping[str, str] = state.pop("digests")
            files = {name: place / f"{name}.safetensors" for name in digests}
            if all(_digest(file) == digests[name] for name, file in files.items()):
                return Checkpoint({name: load_file(file) for name, file in files.items()}, state)
        except (OSError, ValueError, KeyError):
            continue
    if found:
        raise ValueError(
            f"none of the {len(found)} checkpoint(s) in {folder} is whole: remove the run's folder and begin"
        )
    return None


def save_tensors(path: Path, tensors: Mapping[str, Tensor]) -> str:
    """Write a safetensors file, atomically; returns its sha256."""
    from safetensors.torch import save

    content = save({name: tensor.detach().cpu().contiguous() for name, tensor in tensors.items()})
    temporary = path.with_suffix(".tmp")
    _write(temporary, content)
    temporary.replace(path)
    return hashlib.sha256(content).hexdigest()


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _write(path: Path, content: bytes) -> None:
    with path.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
