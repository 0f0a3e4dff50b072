"""Connections that send nothing, or a head that never ends, are closed: uvicorn itself would wait for ever."""

import asyncio
from typing import Any

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol


class ImpatientProtocol(HttpToolsProtocol):
    """
    uvicorn's protocol with a deadline on each request's head, and a bound on open connections.

    (A body's deadline is the door's: there it is known which body it is.)
    """

    receive_timeout = 20.0
    max_connections = 1000

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self._head_timer: asyncio.TimerHandle | None = None

    def connection_made(self, transport: Any) -> None:
        super().connection_made(transport)
        if len(self.connections) > self.max_connections:
            transport.abort()
            return
        self._expect_head()

    def data_received(self, data: bytes) -> None:
        if self._head_timer is None and self._is_idle():
            self._expect_head()
        super().data_received(data)

    def on_headers_complete(self) -> None:
        self._stop_timer()
        super().on_headers_complete()

    def connection_lost(self, exc: Exception | None) -> None:
        self._stop_timer()
        super().connection_lost(exc)

    def _is_idle(self) -> bool:
        return self.cycle is None or self.cycle.response_complete

    def _expect_head(self) -> None:
        self._head_timer = self.loop.call_later(self.receive_timeout, self._give_up)

    def _give_up(self) -> None:
        self._head_timer = None
        if self._is_idle():
            self.transport.abort()

    def _stop_timer(self) -> None:
        if self._head_timer is not None:
            self._head_timer.cancel()
            self._head_timer = None


def impatient(receive_timeout: float, max_connections: int) -> type[ImpatientProtocol]:
    """The protocol with these limits."""
    return type(
        "Protocol", (ImpatientProtocol,), {"receive_timeout": receive_timeout, "max_connections": max_connections}
    )
