"""The calibration of a reader in its folder."""

import json
from pathlib import Path

import pytest

from components.reader.calibration import FILE_NAME, Calibration


def test_what_is_saved_is_loaded(tmp_path: Path) -> None:
    weights = Calibration(null=-0.75, no_answer=1.25, temperature=1.5, threshold=0.3)
    file = weights.save(tmp_path, data="articles", seed=3)
    assert Calibration.load(tmp_path) == weights
    assert json.loads(file.read_text())["seed"] == 3


def test_a_reader_without_calibration_has_none(tmp_path: Path) -> None:
    assert Calibration.load(tmp_path) is None


@pytest.mark.parametrize(
    "content", ["", "[]", '{"weights": 3}', "{}", '{"weights": {"spam": 1}}', '{"weights": {"span": "x"}}']
)
def test_a_broken_file_is_named(tmp_path: Path, content: str) -> None:
    (tmp_path / FILE_NAME).write_text(content)
    with pytest.raises(ValueError, match=FILE_NAME):
        Calibration.load(tmp_path)


@pytest.mark.parametrize(
    "weights",
    [
        {"temperature": 0},
        {"temperature": -1},
        {"agreement": 2},
        {"threshold": -0.1},
        {"null": float("nan")},
        {"span": True},
    ],
)
def test_weights_outside_what_is_allowed_are_named(weights: dict) -> None:
    with pytest.raises(ValueError, match=next(iter(weights))):
        Calibration(**weights)
