"""Folders of files that several tests index."""

import os
from pathlib import Path

import pytest

from tests.indexing.pipeline import build
from tests.indexing.real_files import WRITERS

os.environ["HAYSTACK_TELEMETRY_ENABLED"] = "False"  # as the command sets it; read when a pipeline first runs


@pytest.fixture
def folder(tmp_path) -> Path:
    """One good file of each format."""
    folder = tmp_path / "documents"
    folder.mkdir()
    for name, write in WRITERS.items():
        write(folder / name)
    return folder


@pytest.fixture
def pipeline(tmp_path):
    """An index pipeline over an empty embedded store."""
    return build(tmp_path / "store")
