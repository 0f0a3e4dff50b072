import importlib.util
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest


def _tiny_models() -> ModuleType:
    # Tests are no packages here, so a neighbour is loaded by its path.
    spec = importlib.util.spec_from_file_location("tiny_models", Path(__file__).with_name("tiny_models.py"))
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="session")
def tiny_model(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., tuple[Path, Any]]:
    """Build a tiny random model of a family once a session: (folder, transformers' model)."""
    import torch

    # Tiny products are slower on many threads, and much slower where other processes want the processors too.
    torch.set_num_threads(1)
    tiny, made = _tiny_models(), {}

    def get(family: str, **changes: object) -> tuple[Path, Any]:
        key = (family, str(changes))
        if key not in made:
            folder = tmp_path_factory.mktemp(family)
            made[key] = (folder, tiny.build(family, folder, **changes))
        return made[key]

    return get
