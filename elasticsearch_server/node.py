"""Real Elasticsearch nodes as child processes: start, stop, kill, start again; one or several that form a cluster."""

import contextlib
import functools
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import tempfile
import time
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

from elasticsearch_server.build import build, java


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


def get(url: str, timeout: float = 5.0) -> Any:
    with urllib.request.urlopen(url, timeout=timeout) as reply:
        return json.load(reply)


class Node:
    """One node. It dies with the process that started it (its standard input closes), so none is ever left behind."""

    def __init__(
        self, home: Path, name: str, http_port: int, transport_port: int, settings: dict[str, str], heap_mb: int
    ):
        self.home = home
        self.name = name
        self.url = f"http://127.0.0.1:{http_port}"
        self.transport = f"127.0.0.1:{transport_port}"
        self.heap_mb = heap_mb
        self.process: subprocess.Popen[bytes] | None = None
        for folder in ("config", "data", "logs", "plugins"):
            (home / folder).mkdir(parents=True, exist_ok=True)
        if not (home / "modules").exists():
            (home / "modules").symlink_to(build() / "modules")
        settings = {
            "node.name": name,
            "path.data": str(home / "data"),
            "path.logs": str(home / "logs"),
            "network.host": "127.0.0.1",
            "http.port": str(http_port),
            "transport.port": str(transport_port),
            # A test machine's disk is often fuller than the watermarks allow.
            "cluster.routing.allocation.disk.threshold_enabled": "false",
            **settings,
        }
        (home / "config" / "elasticsearch.yml").write_text("".join(f"{k}: {v}\n" for k, v in settings.items()))
        (home / "config" / "log4j2.properties").write_text(LOGGING)

    def start(self) -> None:
        """Starts the process; `wait` for the node to answer."""
        built = build()
        jars = ":".join(str(jar) for jar in sorted((built / "jars").glob("*.jar")))
        command = [java(), f"-Xms{self.heap_mb}m", f"-Xmx{self.heap_mb}m", *JAVA_OPTIONS]
        command += vector_options()
        command += ["-cp", f"{built / 'launcher'}:{jars}", "Launcher", str(self.home)]
        with (self.home / "logs" / "console.log").open("ab") as console:
            self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=console, stderr=console)

    def wait(self, seconds: float = 90.0) -> None:
        """Returns once `GET /` is answered.

        Raises:
            RuntimeError: the process ended or did not answer in time; with the end of its log.
        """
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            if self.process is None or self.process.poll() is not None:
                break
            with contextlib.suppress(OSError, urllib.error.URLError):
                get(self.url)
                return
            time.sleep(0.2)
        log = (self.home / "logs" / "console.log").read_text(errors="replace")[-3000:]
        raise RuntimeError(f"Elasticsearch node {self.name} did not start:\n{log}")

    def kill(self) -> None:
        """kill -9."""
        self._end(signal.SIGKILL)

    def stop(self) -> None:
        """An orderly stop, as `systemctl stop` does it."""
        self._end(signal.SIGTERM)

    def _end(self, how: signal.Signals) -> None:
        if self.process is None:
            return
        self.process.send_signal(how)
        try:
            self.process.wait(30)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait(30)
        if self.process.stdin is not None:
            self.process.stdin.close()
        self.process = None

    @property
    def alive(self) -> bool:
        return self.process is not None and self.process.poll() is None


class Cluster:
    """`nodes` nodes in a folder of their own, which `close` deletes. Use as a context manager."""

    def __init__(
        self, nodes: int = 1, heap_mb: int = 512, settings: dict[str, str] | None = None, port: int | None = None
    ):
        self.folder = Path(tempfile.mkdtemp(prefix="elasticsearch-"))
        names = [f"node-{i}" for i in range(nodes)]
        ports = [(port if port and i == 0 else free_port(), free_port()) for i in range(nodes)]
        if nodes == 1:
            shared = {"discovery.type": "single-node"}
        else:
            shared = {
                "discovery.seed_hosts": ",".join(f"127.0.0.1:{transport}" for _, transport in ports),
                "cluster.initial_master_nodes": ",".join(names),
                # A dead node is noticed when its connection breaks; a new master within seconds.
                "cluster.election.initial_timeout": "200ms",
            }
        shared |= {"cluster.name": f"tests-{os.getpid()}-{ports[0][1]}", **(settings or {})}
        self.nodes = [
            Node(self.folder / name, name, http, transport, shared, heap_mb)
            for name, (http, transport) in zip(names, ports, strict=True)
        ]

    @property
    def urls(self) -> list[str]:
        return [node.url for node in self.nodes]

    @property
    def url(self) -> str:
        return self.nodes[0].url

    def start(self) -> "Cluster":
        try:
            for node in self.nodes:
                node.start()
            for node in self.nodes:
                node.wait()
            self.wait_for_nodes(len(self.nodes))
        except BaseException:
            self.close()
            raise
        return self

    def wait_for_nodes(self, count: int, seconds: float = 60.0) -> None:
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            for node in self.nodes:
                if node.alive:
                    with contextlib.suppress(OSError, urllib.error.URLError):
                        if get(f"{node.url}/_cluster/health")["number_of_nodes"] >= count:
                            return
            time.sleep(0.3)
        raise RuntimeError(f"no cluster of {count} nodes within {seconds:g} s")

    def master(self) -> Node:
        """The elected master, asked of any living node."""
        living = next(node for node in self.nodes if node.alive)
        state = get(f"{living.url}/_cluster/state/master_node,nodes", timeout=30)
        name = state["nodes"][state["master_node"]]["name"]
        return next(node for node in self.nodes if node.name == name)

    def close(self) -> None:
        for node in self.nodes:
            node.kill()
        shutil.rmtree(self.folder, ignore_errors=True)

    def __enter__(self) -> "Cluster":
        return self.start()

    def __exit__(self, *error: object) -> None:
        self.close()


@functools.cache
def vector_options() -> list[str]:
    """What Java 21 and newer need to compare vectors by the processor's wide registers, as the distribution does."""
    told = subprocess.run([java(), "-version"], capture_output=True, text=True, timeout=30).stderr
    version = re.search(r'version "(\d+)', told)
    if version is None or int(version[1]) < 21:
        return []
    newest = f"-Dorg.apache.lucene.vectorization.upperJavaFeatureVersion={version[1]}"
    return ["--add-modules=jdk.incubator.vector", "--enable-native-access=ALL-UNNAMED", newest]


JAVA_OPTIONS = [
    "-XX:+UseG1GC",
    "-Xlog:disable",
    "-Dlog4j2.disable.jmx=true",
    "-Djava.awt.headless=true",
    "-Dfile.encoding=UTF-8",
    "-Des.networkaddress.cache.ttl=60",
]

LOGGING = """\
appender.console.type = Console
appender.console.name = console
appender.console.layout.type = PatternLayout
appender.console.layout.pattern = [%d{ISO8601}][%-5p][%-25c{1.}] %marker%m%n
rootLogger.level = warn
rootLogger.appenderRef.console.ref = console
"""
