"""What all tests share: a settled environment, and real Elasticsearch servers for those that need one."""

import os
import uuid
from collections.abc import Iterator

import pytest

from cli.environment import settle_environment
from elasticsearch_server.build import CannotBuild, build
from elasticsearch_server.find import NoServer, shared_server
from elasticsearch_server.node import Cluster

settle_environment()  # before any test imports Haystack or a tokenizer


def _missing(reason: str) -> None:
    """Skips with the reason; fails where a server is demanded."""
    if os.environ.get("REQUIRE_ELASTICSEARCH") == "1":
        pytest.fail(f"REQUIRE_ELASTICSEARCH=1, but: {reason}")
    pytest.skip(reason)


@pytest.fixture(scope="session")
def elasticsearch_url() -> str:
    """The address of a real server that all tests share; each test uses an index of its own."""
    try:
        return shared_server().url
    except NoServer as error:
        _missing(str(error))
        raise


@pytest.fixture
def index_name(elasticsearch_url: str) -> Iterator[str]:
    """A name for an index (and what is named after it), deleted after the test."""
    import urllib.request

    from elasticsearch_server.node import get

    name = f"test-{uuid.uuid4().hex[:10]}"
    yield name
    for index in get(f"{elasticsearch_url}/{name}*/_settings?expand_wildcards=all", timeout=30):
        urllib.request.urlopen(urllib.request.Request(f"{elasticsearch_url}/{index}", method="DELETE"), timeout=30)


def _own(nodes: int, heap_mb: int) -> Iterator[Cluster]:
    """Nodes that a test may kill are always built here: a server that ELASTICSEARCH_URL names is nobody's to kill."""
    try:
        build()
    except CannotBuild as error:
        _missing(f"nodes to kill are built with Maven and Java: {error}")
    with Cluster(nodes, heap_mb) as cluster:
        yield cluster


@pytest.fixture
def own_node() -> Iterator[Cluster]:
    """One node of the test's own."""
    yield from _own(1, 400)


@pytest.fixture
def three_nodes() -> Iterator[Cluster]:
    """A cluster of three nodes of the test's own."""
    yield from _own(3, 300)
