from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.components import tiny_models


@pytest.fixture(scope="session")
def tiny_model(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., tuple[Path, Any]]:
    """Build a tiny random model of a family once a session: (folder, transformers' model)."""
    import torch

    # Tiny products are slower on many threads, and much slower where other processes want the processors too.
    torch.set_num_threads(1)
    made: dict[tuple[str, str], tuple[Path, Any]] = {}

    def get(family: str, **changes: object) -> tuple[Path, Any]:
        key = (family, str(changes))
        if key not in made:
            folder = tmp_path_factory.mktemp(family)
            made[key] = (folder, tiny_models.build(family, folder, **changes))
        return made[key]

    return get
