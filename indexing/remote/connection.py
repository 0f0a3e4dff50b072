"""Connections to web servers that are no machines of the network one stands in, unless that is allowed."""

import ipaddress
import socket
import time
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urljoin, urlsplit

import urllib3
from urllib3.connection import HTTPConnection, HTTPSConnection

from indexing.remote.origin import NotFetchedError

AGENT = "excerpt"
MAX_REDIRECTS = 5
CONNECT_SECONDS = 10.0
READ_SECONDS = 20.0  # between two pieces
WHOLE_SECONDS = 120.0  # of one document


class PrivateAddressError(NotFetchedError):
    """An address leads to this machine or into its own network."""


@dataclass(frozen=True)
class Response:
    """
    :param status: of HTTP.
    :param headers: names in lower case.
    :param body: whole, decoded; empty unless the status is 200.
    """

    status: int
    headers: Mapping[str, str]
    body: bytes = b""


class Connections:
    """
    GET requests with a bound for everything: time, size, redirects, which stay on the same host.

    :param private_addresses: whether addresses of this machine and its network may be asked.
    """

    def __init__(self, private_addresses: bool = False) -> None:
        self._pool = urllib3.PoolManager(
            retries=False,
            timeout=urllib3.Timeout(connect=CONNECT_SECONDS, read=READ_SECONDS),
            headers={"User-Agent": AGENT, "Accept-Encoding": "gzip"},
        )
        if not private_addresses:
            self._pool.pool_classes_by_scheme = {"http": _PublicHTTPPool, "https": _PublicHTTPSPool}

    def get(self, url: str, max_bytes: int, headers: Mapping[str, str] | None = None) -> Response:
        """
        :raises NotFetchedError: when nothing comes, too slowly, too much, or from somewhere else; says what.
        """
        host = urlsplit(url).netloc
        try:
            for _ in range(MAX_REDIRECTS):
                response = self._pool.request(
                    "GET", url, headers={**self._pool.headers, **(headers or {})}, redirect=False, preload_content=False
                )
                target = response.headers.get("location")
                if response.status not in (301, 302, 303, 307, 308) or target is None:
                    return _read(response, max_bytes)
                response.release_conn()
                response.close()
                url = urljoin(url, target)
                if urlsplit(url).scheme not in ("http", "https") or urlsplit(url).netloc != host:
                    raise NotFetchedError("it leads to another host")
        except urllib3.exceptions.HTTPError as error:
            if isinstance(cause := error.__cause__ or error, PrivateAddressError):
                raise cause from None
            raise NotFetchedError(_words(error)) from error
        raise NotFetchedError(f"more than {MAX_REDIRECTS} redirects")

    def close(self) -> None:
        self._pool.clear()


def _read(response: urllib3.BaseHTTPResponse, max_bytes: int) -> Response:
    headers = {name.lower(): value for name, value in response.headers.items()}
    end = time.monotonic() + WHOLE_SECONDS
    parts: list[bytes] = []
    size = 0
    try:
        if response.status == 200:
            for part in response.stream(1 << 16, decode_content=True):
                size += len(part)
                if size > max_bytes:
                    raise NotFetchedError(f"it has more than {max_bytes:,} bytes")
                if time.monotonic() > end:
                    raise NotFetchedError(f"it did not come within {WHOLE_SECONDS:g} s")
                parts.append(part)
        return Response(response.status, headers, b"".join(parts))
    finally:
        if response.status != 200 or size > max_bytes:
            response.close()
        response.release_conn()


def _words(error: Exception) -> str:
    if isinstance(error, urllib3.exceptions.TimeoutError):
        return "the server does not answer in time"
    if isinstance(error, urllib3.exceptions.SSLError):
        return "its certificate cannot be trusted"
    if isinstance(error, urllib3.exceptions.NewConnectionError):
        return "the server cannot be reached"
    return f"the connection failed ({type(error).__name__})"


class _Public:
    """Looks at the address before a connection is made, and at the one that was connected to."""

    host: str
    _dns_host: str
    port: int

    def _new_conn(self) -> socket.socket:
        try:
            found = socket.getaddrinfo(self._dns_host, self.port, type=socket.SOCK_STREAM)
        except OSError:
            found = []  # what follows says it better
        for *_, address in found:
            _refuse_private(str(address[0]), self.host)
        opened: socket.socket = super()._new_conn()  # type: ignore[misc]
        try:
            _refuse_private(str(opened.getpeername()[0]), self.host)  # a name may mean two addresses in a row
        except PrivateAddressError:
            opened.close()
            raise
        return opened


def _refuse_private(address: str, host: str) -> None:
    found = ipaddress.ip_address(address.partition("%")[0])
    inner = getattr(found, "ipv4_mapped", None) or found
    if not inner.is_global or inner.is_multicast:
        raise PrivateAddressError(f"{host} is an address of this machine or its network: --private-addresses allows it")


class _PublicHTTP(_Public, HTTPConnection):
    pass


class _PublicHTTPS(_Public, HTTPSConnection):
    pass


class _PublicHTTPPool(urllib3.HTTPConnectionPool):
    ConnectionCls = _PublicHTTP


class _PublicHTTPSPool(urllib3.HTTPSConnectionPool):
    ConnectionCls = _PublicHTTPS
