"""Suites that the tests of every store inherit."""

import pytest

pytest.register_assert_rewrite("tests.components.stores.store_suite")
