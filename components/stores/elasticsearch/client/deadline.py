"""Ends each HTTP request in its time, wherever server or network stop; raises elastic_transport's errors."""

import http.client
import io
import socket
import ssl
import time
from typing import Any

from elastic_transport import (
    ApiResponseMeta,
    ConnectionTimeout,
    HttpHeaders,
    NodeConfig,
    TlsError,
    TransportApiResponse,
    TransportError,
    Urllib3HttpNode,
)
from elastic_transport import ConnectionError as NoConnection
from urllib3.exceptions import (
    ConnectTimeoutError,
    EmptyPoolError,
    NewConnectionError,
    ReadTimeoutError,
    SSLError,
)
from urllib3.util import Timeout

_SHORTEST = 0.001  # seconds: 0 would mean a socket that never waits


class DeadlineNode(Urllib3HttpNode):
    """
    Holds the time allowed for a request as a whole: for a free connection, to connect, to send, and for the reply.

    urllib3 counts none of the first, and the time of a reply anew with each of its bytes: a server that sends one now
    and then holds its caller for hours.
    """

    def __init__(self, config: NodeConfig) -> None:
        super().__init__(config)
        plain: Any = self.pool.ConnectionCls
        self.pool.ConnectionCls = type("DeadlineConnection", (plain,), {"response_class": _DeadlineResponse})

    def perform_request(  # type: ignore[override]  # the same pair, whose type it keeps to itself
        self,
        method: str,
        target: str,
        body: bytes | None = None,
        headers: HttpHeaders | None = None,
        request_timeout: Any = None,
    ) -> TransportApiResponse:
        allowed = float(request_timeout) if isinstance(request_timeout, int | float) else 60.0
        start = time.monotonic()
        sent = self.headers.copy()
        sent.update(headers or {})
        try:
            reply = self.pool.urlopen(
                method,
                f"{self.path_prefix}{target}",
                body=body or None,
                retries=False,
                headers=sent,
                timeout=_Deadline(start + allowed),
                pool_timeout=allowed,  # type: ignore[arg-type]  # typed as whole seconds; goes to Queue.get
                preload_content=False,
            )
            try:
                data = _read(reply, start + allowed, allowed)
            except BaseException:
                reply.close()  # a connection with half a reply in it must not be used again
                raise
            finally:
                reply.release_conn()  # its place, when it was closed: there are only so many
        except Exception as error:
            raise _as_transport_error(error) from error
        meta = ApiResponseMeta(
            node=self.config,
            duration=time.monotonic() - start,
            http_version="1.1",
            status=reply.status,
            headers=HttpHeaders(reply.headers),
        )
        return TransportApiResponse(meta, data)


class _Deadline(Timeout):
    """The time left until a moment, counted whenever it is asked for: waiting for a connection is included."""

    def __init__(self, deadline: float) -> None:
        super().__init__()
        self._deadline = deadline

    def clone(self) -> "_Deadline":
        return self

    def start_connect(self) -> float:
        return time.monotonic()

    @property
    def connect_timeout(self) -> float:
        return max(_SHORTEST, self._deadline - time.monotonic())

    @property
    def read_timeout(self) -> float:
        return self.connect_timeout


class _DeadlineResponse(http.client.HTTPResponse):
    """A response, headers and all, that is read within the time its socket allows when it begins."""

    def __init__(self, sock: socket.socket, *args: Any, **settings: Any) -> None:
        super().__init__(_DeadlineSocket(sock), *args, **settings)  # type: ignore[arg-type]  # which asks it for a file only


class _DeadlineSocket:
    """Socket wrapper with one deadline for the whole response."""

    def __init__(self, sock: socket.socket) -> None:
        self._sock = sock

    def makefile(self, mode: str) -> io.BufferedReader:
        return io.BufferedReader(_DeadlineFile(self._sock))


class _DeadlineFile(io.RawIOBase):
    def __init__(self, sock: socket.socket) -> None:
        self._sock = sock
        self._raw = sock.makefile("rb", buffering=0)
        allowed = sock.gettimeout()
        self._deadline = None if allowed is None else time.monotonic() + allowed

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int | None:
        if self._deadline is not None:
            left = self._deadline - time.monotonic()
            if left <= 0:
                raise TimeoutError("timed out")
            self._sock.settimeout(left)
        return self._raw.readinto(buffer)

    def close(self) -> None:
        self._raw.close()
        super().close()


def _read(reply: Any, deadline: float, allowed: float) -> bytes:
    pieces = []
    while piece := reply.read1(1 << 20):
        pieces.append(piece)
        if time.monotonic() > deadline:
            raise ConnectionTimeout(f"the reply was not complete after {allowed:g} s")
    data = b"".join(pieces)
    announced = reply.headers.get("content-length")
    if announced is not None and not reply.headers.get("content-encoding") and len(data) != int(announced):
        raise NoConnection(f"the reply was cut: {len(data)} of {announced} bytes")
    return data


def _as_transport_error(error: Exception) -> Exception:
    if isinstance(error, TransportError):
        return error
    if isinstance(error, NewConnectionError):
        return NoConnection("no connection", errors=(error,))
    if isinstance(error, ConnectTimeoutError | ReadTimeoutError | EmptyPoolError | TimeoutError):
        return ConnectionTimeout("time-out", errors=(error,))
    if isinstance(error, ssl.SSLError | SSLError):
        return TlsError(str(error), errors=(error,))
    return NoConnection(type(error).__name__, errors=(error,))
