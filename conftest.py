"""What all tests share."""

pytest_plugins = ["tests.elasticsearch_server.fixtures"]
