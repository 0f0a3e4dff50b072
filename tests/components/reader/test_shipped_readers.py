"""Each reader in `models/`: right about something plain, silent about what is not there, calibrated, and described."""

from pathlib import Path

import pytest
from haystack import Document

from components.models import PROJECT_ROOT
from components.reader import ExtractiveReader
from components.reader.calibration import Calibration

SHIPPED = sorted(folder for folder in (PROJECT_ROOT / "models").iterdir() if folder.is_dir())
MOST_MEGABYTES = {"minilm-squad": 50, "minilm-squad-fast": 35}
PASSAGES = [
    Document(
        content="The lighthouse was finished in 1887; its lamp was lit by Maria Osei on the first of March.", score=0.9
    ),
    Document(content="Ferries leave the harbour twice a day, in summer four times.", score=0.4),
]


@pytest.fixture(params=SHIPPED, ids=lambda folder: folder.name)
def shipped(request: pytest.FixtureRequest) -> Path:
    return request.param


def test_answers_what_stands_there_and_says_when_nothing_does(shipped: Path) -> None:
    reader = ExtractiveReader(str(shipped), device="cpu", engine="torch", precision="fp32")
    known, unknown = reader.read([("Who lit the lamp?", PASSAGES), ("How much does a tin of paint cost?", PASSAGES)])
    assert known[0].data == "Maria Osei"
    assert unknown[-1].data is None
    assert unknown[-1].score > known[-1].score


def test_is_calibrated_for_many_passages_and_for_one(shipped: Path) -> None:
    weights = Calibration.load(shipped)
    assert weights is not None
    assert weights.alone is not None
    assert weights.alone.retriever == 0.0


def test_is_small_and_its_card_says_how_it_was_made(shipped: Path) -> None:
    assert (shipped / "model.safetensors").stat().st_size <= 1e6 * MOST_MEGABYTES[shipped.name]
    card = (shipped / "README.md").read_text(encoding="utf-8")
    for said in ("excerpt calibrate", "seed", "dev-v1.1", "Data"):
        assert said in card
