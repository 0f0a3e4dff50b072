"""What all tests share."""

import os

# As the command does (cli/main.py): without it, torch on busy cores takes many times as long.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
os.environ.setdefault("HAYSTACK_TELEMETRY_ENABLED", "False")

pytest_plugins = ["tests.elasticsearch_server.fixtures"]
