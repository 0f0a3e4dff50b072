"""The server of the tests is a real one: nodes die, and the cluster answers."""

import os
from pathlib import Path

import pytest

from elasticsearch_server.find import NoServer, Server, find_server
from elasticsearch_server.node import Cluster, get


def test_the_url_from_the_environment_comes_first(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ELASTICSEARCH_URL", "http://search.example:9200")
    assert find_server().url == "http://search.example:9200"


def test_without_docker_java_and_maven_the_reason_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("ELASTICSEARCH_URL", raising=False)
    monkeypatch.delenv("JAVA_HOME", raising=False)
    monkeypatch.setenv("PATH", "/nowhere")
    monkeypatch.setattr("elasticsearch_server.build.VERSION", "0.0.0")  # nothing of this version is built
    with pytest.raises(NoServer, match="no java found"):
        find_server()


def test_where_docker_fails_maven_is_tried(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A Docker engine that runs, but gets no image, as behind many a firewall."""
    docker = tmp_path / "docker"
    docker.write_text("#!/bin/sh\n[ $1 = info ] || { echo no route to the registry >&2; exit 125; }\n")
    docker.chmod(0o755)
    monkeypatch.delenv("ELASTICSEARCH_URL", raising=False)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=os.pathsep)
    monkeypatch.setattr("elasticsearch_server.find.start_from_maven", lambda port: Server("it", "Maven", print))
    assert find_server().source == "Maven"
    assert "no route to the registry" in capsys.readouterr().err


@pytest.mark.elasticsearch
def test_the_server_says_what_it_is(elasticsearch_url: str) -> None:
    assert get(elasticsearch_url)["version"]["number"].startswith("8.")


@pytest.mark.elasticsearch
@pytest.mark.slow
def test_a_cluster_elects_another_master(three_nodes: Cluster) -> None:
    first = three_nodes.master()
    first.kill()
    three_nodes.wait_for_nodes(2, seconds=180)
    assert three_nodes.master() is not first
    first.start()
    first.wait()
    three_nodes.wait_for_nodes(3, seconds=180)
