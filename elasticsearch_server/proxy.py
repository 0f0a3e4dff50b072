"""A proxy before a real Elasticsearch that speaks TLS, delays, cuts, lies and swallows, as a test tells it to."""

import asyncio
import json
import socket
import ssl
import struct
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit


@dataclass
class Exchange:
    """One request with the server's true reply; a rule changes `status`, `body` or how the reply is sent."""

    method: str
    path: str
    status: int
    body: bytes
    number: int  # of the request, from 0
    delay: float = 0.0  # seconds before the reply
    bytes_per_second: float | None = None
    dripping: bool = False  # ten bytes of the headers a second, one by one
    cut_at: int | None = None  # send so many bytes of the body, then break the connection
    reset: bool = False  # break it with RST instead of FIN
    silent: bool = False  # never answer

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    @json.setter
    def json(self, value: Any) -> None:
        self.body = json.dumps(value).encode()


@dataclass
class Proxy:
    """
    Use as a context manager; `url` is its address.

    :param upstream: The real server.
    :param tls: Makes it speak TLS, with this certificate.
    :param partitioned: While it is set, every byte is swallowed, in both directions, and nothing is closed.
    :param rule: Called with each exchange after the server has answered: what it did is done, whatever the reply says.
    """

    upstream: str
    rule: Callable[[Exchange], None] = lambda exchange: None
    requests: list[str] = field(default_factory=list)
    tls: ssl.SSLContext | None = None
    partitioned: bool = False

    def __enter__(self) -> "Proxy":
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()
        self._server = asyncio.run_coroutine_threadsafe(
            asyncio.start_server(self._serve, "127.0.0.1", 0, ssl=self.tls), self._loop
        ).result()
        scheme = "http" if self.tls is None else "https"
        self.url = f"{scheme}://127.0.0.1:{self._server.sockets[0].getsockname()[1]}"
        return self

    def __exit__(self, *error: object) -> None:
        async def end() -> None:
            self._server.close()
            for task in asyncio.all_tasks() - {asyncio.current_task()}:
                task.cancel()
            await asyncio.sleep(0)

        asyncio.run_coroutine_threadsafe(end(), self._loop).result(5)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(5)
        self._loop.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while await self._exchange(reader, writer):
                pass
        except (asyncio.IncompleteReadError, OSError, asyncio.CancelledError):
            pass
        finally:
            writer.close()

    async def _exchange(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        head, body = await _message(reader)
        method, path, _ = head.split(b"\r\n", 1)[0].decode().split(" ", 2)
        number = len(self.requests)
        self.requests.append(f"{method} {path}")
        await self._swallow_if_partitioned()
        place = urlsplit(self.upstream)
        there_reader, there_writer = await asyncio.open_connection(place.hostname, place.port)
        there_writer.write(head + body)
        reply_head, reply_body = await _message(there_reader)
        there_writer.close()
        lines = reply_head.decode().split("\r\n")
        exchange = Exchange(method, path, int(lines[0].split()[1]), reply_body, number)
        self.rule(exchange)
        await self._swallow_if_partitioned()
        await asyncio.sleep(exchange.delay)
        if exchange.silent:
            await asyncio.sleep(3600)
        kept = [
            line for line in lines[1:] if line and not line.lower().startswith(("content-length", "transfer-encoding"))
        ]
        start = [f"HTTP/1.1 {exchange.status} X", *kept, f"content-length: {len(exchange.body)}", "", ""]
        head = "\r\n".join(start).encode()
        for letter in head if exchange.dripping else ():
            writer.write(bytes([letter]))
            await writer.drain()
            await asyncio.sleep(0.1)
        if not exchange.dripping:
            writer.write(head)
        body = exchange.body if exchange.cut_at is None else exchange.body[: exchange.cut_at]
        if exchange.bytes_per_second:
            step = max(1, int(exchange.bytes_per_second / 10))
            for first in range(0, len(body), step):
                writer.write(body[first : first + step])
                await writer.drain()
                await asyncio.sleep(0.1)
        else:
            writer.write(body)
        await writer.drain()
        if exchange.cut_at is None:
            return True
        if exchange.reset:
            connection = writer.get_extra_info("socket")
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            writer.transport.abort()
        return False

    async def _swallow_if_partitioned(self) -> None:
        if self.partitioned:
            await asyncio.sleep(3600)


async def _message(reader: asyncio.StreamReader) -> tuple[bytes, bytes]:
    head = await reader.readuntil(b"\r\n\r\n")
    headers = {
        name.strip().lower(): value.strip()
        for name, _, value in (line.partition(":") for line in head.decode("latin-1").split("\r\n")[1:])
    }
    if "chunked" in headers.get("transfer-encoding", ""):
        pieces = []
        while size := int((await reader.readline()).split(b";")[0], 16):
            pieces.append(await reader.readexactly(size))
            await reader.readline()
        await reader.readline()
        return head, b"".join(pieces)
    length = int(headers.get("content-length", 0))
    return head, await reader.readexactly(length)
