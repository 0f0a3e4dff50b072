"""Lets the tests of every store import the shared suite (test folders are no packages), with readable assertions."""

import sys
from pathlib import Path

import pytest

sys.path.append(str(Path(__file__).parent))
pytest.register_assert_rewrite("store_suite")
