"""
Opens the Elasticsearch client at the first use; raises ElasticsearchStoreError when the server cannot be reached,
refuses the credentials, is too old, or is something else.
"""

import os
import ssl
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from elastic_transport import Serializer
from elasticsearch import Elasticsearch
from elasticsearch.serializer import OrjsonSerializer

from components.stores.elasticsearch.client.addresses import Credentials, parse_addresses
from components.stores.elasticsearch.client.deadline import DeadlineNode
from components.stores.elasticsearch.client.errors import ElasticsearchStoreError, explain
from components.stores.elasticsearch.client.retry import retry

# The client asks in the form of version 8, and both headers must do so.
SMILE = "application/vnd.elasticsearch+smile; compatible-with=8"
_SMILE_TYPE = SMILE.partition(";")[0]
OLDEST = (8, 15)  # the first that adds a graph to vectors that have none; the client speaks to 8 and 9
_LONGEST_GREETING = 10.0  # seconds that one attempt to greet the server may take


class SmileSerializer(Serializer):
    """Bodies that are SMILE already; replies are asked for as JSON."""

    mimetype = _SMILE_TYPE

    def dumps(self, data: Any) -> bytes:
        if not isinstance(data, bytes):
            raise TypeError("a SMILE body is made by components.stores.elasticsearch.client.smile")
        return data


@dataclass
class Connection:
    """
    The client, shared by all threads of this process; a fork opens its own.

    :param hosts: Addresses, as the setting takes them.
    :param credentials: Who asks.
    :param client_settings: What else the client takes (`ca_certs`, `verify_certs` ...).
    :param connections: To each node; requests beyond them wait.
    :param connect_timeout: Seconds to wait for a server that is not there yet.
    :param index: For messages.
    """

    hosts: str | Sequence[str] | None
    credentials: Credentials
    client_settings: Mapping[str, Any]
    connections: int
    connect_timeout: float
    index: str
    _lock: threading.Lock = field(default_factory=threading.Lock, init=False, repr=False)
    _client: Elasticsearch | None = field(default=None, init=False, repr=False)
    _process: int = field(default=0, init=False, repr=False)

    def addresses(self) -> list[str]:
        """:raises ElasticsearchStoreError: For an address that is none."""
        return parse_addresses(self.hosts)

    def arguments(self) -> dict[str, Any]:
        """What `Elasticsearch` and `AsyncElasticsearch` take besides the addresses, credentials too."""
        return {**self.credentials.resolve(), **self.client_settings}

    def client(self) -> Elasticsearch:
        """The open client; raises as the module says."""
        if self._client is not None and self._process == os.getpid():
            return self._client
        with self._lock:
            if self._client is None or self._process != os.getpid():
                self._client, self._process = self._open(), os.getpid()
            return self._client

    def close(self) -> None:
        """The next use opens it again."""
        with self._lock:
            if self._client is not None and self._process == os.getpid():
                self._client.close()
            self._client = None

    def explain(self, error: Exception) -> Exception:
        """The error a user can act on."""
        return explain(error, self.addresses(), self.index)

    def _open(self) -> Elasticsearch:
        hosts = self.addresses()
        if authority := self.client_settings.get("ca_certs"):
            _check_authority(str(authority))
        client = make_client(hosts, self.connections, **self.arguments())
        try:
            reply = retry(
                lambda left: client.options(request_timeout=max(0.1, min(left, _LONGEST_GREETING))).perform_request(
                    "GET", "/", headers={"accept": "application/json"}
                ),
                self.connect_timeout,
                self.explain,
            )
            check_server(reply.body, hosts)
        except BaseException:
            client.close()
            raise
        return client


def make_client(hosts: Sequence[str], connections: int, **arguments: Any) -> Elasticsearch:
    """
    The client that all threads share.

    :param hosts: Addresses of the nodes; a dead one is left out for a while, and the others are asked.
    :param connections: Connections to each node; requests beyond them wait.
    :param arguments: Credentials, TLS and what else `Elasticsearch` takes.
    """
    return Elasticsearch(
        list(hosts),
        node_class=DeadlineNode,
        connections_per_node=connections,
        serializers={"application/json": OrjsonSerializer(), _SMILE_TYPE: SmileSerializer()},
        max_retries=0,  # retried by us: the client does not pause in between
        retry_on_timeout=False,
        dead_node_backoff_factor=0.5,
        max_dead_node_backoff=5.0,
        **arguments,
    )


def check_server(info: Any, hosts: Sequence[str]) -> None:
    """
    :param info: The reply to `GET /`.
    :raises ElasticsearchStoreError: When the server is too old, or is none of Elasticsearch's.
    """
    number = str(info.get("version", {}).get("number", "")) if isinstance(info, Mapping) else ""
    parts = number.split(".")
    if len(parts) < 2 or not (parts[0].isdigit() and parts[1].isdigit()):
        raise ElasticsearchStoreError(f"what answers at {hosts[0]} is not Elasticsearch: check ELASTICSEARCH_URL")
    if (int(parts[0]), int(parts[1])) < OLDEST:
        raise ElasticsearchStoreError(
            f"the server at {hosts[0]} is Elasticsearch {number}; {OLDEST[0]}.{OLDEST[1]} or newer is needed "
            "(docker-compose.yml starts 8.19)"
        )


def _check_authority(file: str) -> None:
    """
    Said before connecting: later it would look as if the server were away.

    :raises ElasticsearchStoreError: When the file holds no certificates, or cannot be read.
    """
    try:
        ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).load_verify_locations(file)
    except OSError as error:  # ssl.SSLError is one too
        what = "it holds no certificate" if isinstance(error, ssl.SSLError) else error.strerror
        raise ElasticsearchStoreError(
            f"ca_certs (ELASTICSEARCH_CA_CERTS) is {file!r} and cannot be used: {what}. Give a PEM file with the "
            "certificate of the authority that signed Elasticsearch's"
        ) from None
