"""What all tests share."""

from cli.environment import settle_environment

settle_environment()

pytest_plugins = ["tests.elasticsearch_server.fixtures"]
