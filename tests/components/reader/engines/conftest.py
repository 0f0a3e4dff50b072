from collections.abc import Iterator
from pathlib import Path

import pytest
import torch

from components.encoder.ragged import Ragged
from components.models import PROJECT_ROOT
from components.reader.engines.int8_samples import calibration_windows

BUNDLED = PROJECT_ROOT / "models" / "minilm-squad"


@pytest.fixture(scope="session")
def bundled() -> Path:
    return BUNDLED


@pytest.fixture(scope="session")
def windows() -> Ragged:
    """100 real windows; session-wide, as tokenising them takes a moment."""
    return calibration_windows(BUNDLED, 512)


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A cache folder of this module's own."""
    folder = tmp_path_factory.mktemp("cache")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("EXCERPT_CACHE", str(folder))
        yield folder


@pytest.fixture(scope="session")
def reference(windows: Ragged) -> torch.Tensor:
    """(2, total) logits of transformers' own model in fp32, one window at a time."""
    from transformers import AutoModelForQuestionAnswering

    model = AutoModelForQuestionAnswering.from_pretrained(BUNDLED, dtype=torch.float32).eval()
    rows = []
    with torch.inference_mode():
        for a, b in zip(windows.starts[:20], windows.starts[1:21], strict=True):
            ids, types = (torch.from_numpy(part[a:b]).long()[None] for part in (windows.ids, windows.types))
            out = model(input_ids=ids, token_type_ids=types)
            rows.append(torch.cat([out.start_logits, out.end_logits]))
    return torch.cat(rows, 1)
