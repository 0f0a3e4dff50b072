"""Asks an application without a port and without threads in between: its event loop runs while a request does."""

import asyncio
from typing import Any

import httpx


class LoopClient:
    """
    :param app: an ASGI application; its lifespan begins here and ends with `close`.
    """

    def __init__(self, app: Any) -> None:
        self.loop = asyncio.new_event_loop()
        self._started, self._end = asyncio.Event(), asyncio.Event()
        self._lifespan = self.loop.create_task(self._live(app))
        self.loop.run_until_complete(self._begin())
        transport = httpx.ASGITransport(app, raise_app_exceptions=False)
        self._client = httpx.AsyncClient(transport=transport, base_url="http://localhost")

    def request(self, method: str, url: str, **options: Any) -> httpx.Response:
        return self.loop.run_until_complete(self._client.request(method, url, **options))

    def get(self, url: str, **options: Any) -> httpx.Response:
        return self.request("GET", url, **options)

    def post(self, url: str, **options: Any) -> httpx.Response:
        return self.request("POST", url, **options)

    def put(self, url: str, **options: Any) -> httpx.Response:
        return self.request("PUT", url, **options)

    def delete(self, url: str, **options: Any) -> httpx.Response:
        return self.request("DELETE", url, **options)

    def close(self) -> None:
        self._end.set()
        self.loop.run_until_complete(self._lifespan)
        self.loop.run_until_complete(self._client.aclose())
        self.loop.run_until_complete(self.loop.shutdown_default_executor())
        self.loop.close()

    async def _begin(self) -> None:
        started = asyncio.ensure_future(self._started.wait())
        await asyncio.wait((started, self._lifespan), return_when=asyncio.FIRST_COMPLETED)
        if self._lifespan.done():
            self._lifespan.result()

    async def _live(self, app: Any) -> None:
        messages = [{"type": "lifespan.startup"}]

        async def receive() -> dict[str, Any]:
            if messages:
                return messages.pop()
            await self._end.wait()
            return {"type": "lifespan.shutdown"}

        async def send(message: dict[str, Any]) -> None:
            assert not message["type"].endswith("failed"), message
            self._started.set()

        await app({"type": "lifespan", "asgi": {"version": "3.0"}, "state": {}}, receive, send)
