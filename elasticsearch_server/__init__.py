"""Starts real Elasticsearch servers, for tests, benchmarks and `make elasticsearch`."""
