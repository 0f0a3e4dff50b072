"""Where a real Elasticsearch comes from: ELASTICSEARCH_URL, else a Docker engine, else Maven and Java."""

import atexit
import contextlib
import functools
import os
import shutil
import subprocess
import sys
import time
import urllib.error
from collections.abc import Callable
from dataclasses import dataclass

from elasticsearch_server.build import VERSION, CannotBuild, build
from elasticsearch_server.node import Cluster, free_port, get

IMAGE = f"docker.elastic.co/elasticsearch/elasticsearch:{VERSION}"


class NoServer(RuntimeError):
    """No way to a server; the message says what was looked for."""


@dataclass(frozen=True)
class Server:
    url: str
    source: str  # "ELASTICSEARCH_URL", "Docker" or "Maven"
    close: Callable[[], None]


def docker_is_running() -> bool:
    if shutil.which("docker") is None:
        return False
    with contextlib.suppress(OSError, subprocess.TimeoutExpired):
        return subprocess.run(["docker", "info"], capture_output=True, timeout=10).returncode == 0
    return False


def start_in_docker(port: int) -> Server:
    """One node of the official image, without security, on 127.0.0.1."""
    settings = ["discovery.type=single-node", "xpack.security.enabled=false", "ES_JAVA_OPTS=-Xms512m -Xmx512m"]
    command = ["docker", "run", "--rm", "--detach", "--publish", f"127.0.0.1:{port}:9200"]
    for setting in settings:
        command += ["--env", setting]
    started = subprocess.run([*command, IMAGE], capture_output=True, text=True, timeout=600)
    if started.returncode:
        raise NoServer(f"docker run {IMAGE} failed: {started.stderr[-500:]}")
    container = started.stdout.strip()

    def close() -> None:
        subprocess.run(["docker", "rm", "--force", container], capture_output=True, timeout=60)

    url = f"http://127.0.0.1:{port}"
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline:
        with contextlib.suppress(OSError, urllib.error.URLError):
            get(url)
            return Server(url, "Docker", close)
        time.sleep(0.5)
    close()
    raise NoServer(f"{IMAGE} did not answer on {url} within 120 s")


def start_from_maven(port: int | None = None) -> Server:
    try:
        build()
    except CannotBuild as error:
        raise NoServer(f"neither ELASTICSEARCH_URL nor a Docker engine, and from Maven: {error}") from error
    cluster = Cluster(port=port).start()
    return Server(cluster.url, "Maven", cluster.close)


def find_server(port: int | None = None) -> Server:
    """The first of the three that is there.

    Raises:
        NoServer: none is.
    """
    if url := os.environ.get("ELASTICSEARCH_URL"):
        return Server(url, "ELASTICSEARCH_URL", lambda: None)
    if docker_is_running():
        try:
            return start_in_docker(port or free_port())
        except (NoServer, subprocess.TimeoutExpired) as error:
            print(f"Docker has no server to give, so Maven is tried: {error}", file=sys.stderr)
    return start_from_maven(port)


@functools.cache
def shared_server() -> Server:
    """One server for all tests of this process, ended with it."""
    server = find_server()
    atexit.register(server.close)
    return server
