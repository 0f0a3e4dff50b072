"""Where Elasticsearch is and who asks it: addresses, credentials, TLS; opened once, by whoever comes first."""

import os
import re
import ssl
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from elastic_transport.client_utils import url_to_node_config
from elasticsearch import Elasticsearch
from haystack.utils import Secret

from components.stores.elasticsearch.client.errors import ElasticsearchStoreError, without_password
from components.stores.elasticsearch.client.requests import Requests, check_server, make_client

DEFAULT_URL = "http://localhost:9200"


def addresses(hosts: str | Sequence[str] | None) -> list[str]:
    """
    The nodes' addresses: the setting, else ELASTICSEARCH_URL (several with commas between), else localhost.

    :raises ElasticsearchStoreError: For an address that is none.
    """
    given = hosts if hosts is not None else os.environ.get("ELASTICSEARCH_URL") or DEFAULT_URL
    found = [one.strip() for one in given.split(",")] if isinstance(given, str) else list(given)
    for one in found:
        if not one.startswith(("http://", "https://")):
            shown = one.rpartition("@")[2]
            raise ElasticsearchStoreError(
                f"the address of Elasticsearch is {shown!r}: it must start with http:// or https://, like {DEFAULT_URL}"
            )
    return [_checked(_with_port(one.rstrip("/"))) for one in found]


def _with_port(url: str) -> str:
    """The client demands a port; an address without one means the scheme's."""
    scheme, rest = url.split("://", 1)
    place, slash, path = rest.partition("/")
    host = place.rpartition("@")[2]
    if ":" in host.rpartition("]")[2]:
        return url
    return f"{scheme}://{place}:{443 if scheme == 'https' else 80}{slash}{path}"


def _checked(url: str) -> str:
    """
    The address, if the client takes it for what is meant: it says of others what they are, password and all.

    An unescaped / ? or # in a password ends the host's part, and the @ comes after it.
    """
    path = re.split("[/?#]", url.split("://", 1)[1], maxsplit=1)[1:]
    try:
        url_to_node_config(url)
        without_password(url)  # as messages do
        understood = "@" not in "".join(path)
    except ValueError:
        understood = False
    if not understood:
        raise ElasticsearchStoreError(
            f"the address of Elasticsearch is not like {DEFAULT_URL} (not shown here, as it may hold a password): a "
            "password in it must be percent-encoded (/ is %2F, ? is %3F, # is %23); better give it as "
            "ELASTICSEARCH_PASSWORD"
        ) from None
    return url


@dataclass(frozen=True)
class Credentials:
    """An API key, or a user with a password; secrets are read when a connection is made and kept nowhere else."""

    api_key: Secret | str | None
    api_key_id: Secret | str | None
    username: Secret | None
    password: Secret | None

    def settings(self) -> dict[str, Any]:
        """
        What the client takes.

        :raises ElasticsearchStoreError: When half of a pair is missing.
        """
        key, key_id, user, password = (
            _value(one) for one in (self.api_key, self.api_key_id, self.username, self.password)
        )
        if key:
            return {"api_key": (key_id, key) if key_id else key}
        if key_id:
            raise ElasticsearchStoreError("api_key_id is given without api_key (ELASTIC_API_KEY)")
        if password:
            return {"basic_auth": (user or "elastic", password)}
        return {}


def _value(secret: Secret | str | None) -> str | None:
    return secret.resolve_value() if isinstance(secret, Secret) else secret


class Connection:
    """
    The client, opened at the first use and shared by all threads of this process; a fork opens its own.

    :param hosts: Addresses.
    :param credentials: Who asks.
    :param settings: What else the client takes (`ca_certs`, `verify_certs` ...).
    :param connections: To each node.
    :param wait: Seconds to wait for a server that is not there yet.
    :param index: For messages.
    """

    def __init__(
        self,
        hosts: str | Sequence[str] | None,
        credentials: Credentials,
        settings: dict[str, Any],
        connections: int,
        wait: float,
        index: str,
    ) -> None:
        self.hosts, self.credentials, self.settings = hosts, credentials, settings
        self.connections, self.wait, self.index = connections, wait, index
        self._lock = threading.Lock()
        self._requests: Requests | None = None
        self._process = 0

    def requests(self) -> Requests:
        """
        :raises ElasticsearchStoreError: When the server cannot be reached, refuses the credentials, or is none that
            this store works with.
        """
        if self._requests is not None and self._process == os.getpid():
            return self._requests
        with self._lock:
            if self._requests is None or self._process != os.getpid():
                self._requests, self._process = self._open(), os.getpid()
            return self._requests

    def _open(self) -> Requests:
        hosts = addresses(self.hosts)
        if authority := self.settings.get("ca_certs"):
            _check_authority(str(authority))
        client = make_client(hosts, self.connections, **self.credentials.settings(), **self.settings)
        requests = Requests(client, hosts, self.index)
        try:
            info = requests.persist(
                lambda left: client.options(request_timeout=max(0.1, min(left, 10.0))).perform_request(
                    "GET", "/", headers={"accept": "application/json"}
                ),
                self.wait,
            )
            check_server(info.body, hosts)
        except BaseException:
            client.close()
            raise
        return requests

    @property
    def client(self) -> Elasticsearch:
        return self.requests().client

    def close(self) -> None:
        with self._lock:
            if self._requests is not None and self._process == os.getpid():
                self._requests.client.close()
            self._requests = None


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
