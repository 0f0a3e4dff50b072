"""A tiny T5 that knows its lessons by heart, trained once a session."""

from pathlib import Path

import pytest
import torch

from tests.components.generation.tiny_t5 import Lessons, lessons, write_tiny_t5


@pytest.fixture(scope="session")
def known() -> Lessons:
    return lessons()


@pytest.fixture(scope="session")
def tiny_t5(tmp_path_factory: pytest.TempPathFactory, known: Lessons) -> Path:
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    folder = write_tiny_t5(tmp_path_factory.mktemp("t5"), known)
    torch.set_num_threads(threads)
    return folder
