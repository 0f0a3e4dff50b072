"""A day in the life of an index, small: what 2,000 files go through by `python -m tests.indexing.runs.day 2000`."""

import random
from pathlib import Path

import pytest

from tests.components.stores.lancedb.power_cut import NoRights, disk
from tests.indexing.runs.day import Day, live


@pytest.mark.slow
def test_killed_in_between_the_index_is_what_a_fresh_one_is(tmp_path: Path) -> None:
    seed = random.randrange(10**9)
    print(f"seed {seed}")
    day = Day(tmp_path / "documents", tmp_path / "store", random.Random(seed))
    live(day, 40, seconds=0.8)
    assert len(day.steps) == 5 and day.kills > 0, day


@pytest.mark.slow
def test_with_power_cuts(tmp_path: Path) -> None:
    seed = random.randrange(10**9)
    print(f"seed {seed}")
    try:
        with disk("dir_index") as made:
            day = Day(tmp_path / "documents", made.folder / "store", random.Random(seed), made)
            live(day, 40, seconds=0.8)
    except NoRights as error:
        pytest.skip(f"no file system of our own can be mounted here: {error}")
    assert len(day.steps) == 5
