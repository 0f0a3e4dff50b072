"""Runs the service: models warm before the port opens; SIGTERM ends it without losing what it has accepted."""

import asyncio
import contextlib
import logging
import signal
import socket
from collections.abc import Callable
from types import FrameType

import uvicorn

from service.app import create_service_app
from service.load.connections import impatient
from service.load.health_port import HealthServer
from service.service import Service
from service.settings import SettingsError

BACKLOG = 2048


class Server(uvicorn.Server):
    """
    uvicorn's server with a quiet end: on SIGTERM it is not ready at once, refuses new work, answers what is under way,
    and closes its port only then. A second signal ends it at once.
    """

    def __init__(self, config: uvicorn.Config, service: Service, on_start: Callable[[int], None]) -> None:
        super().__init__(config)
        self.service, self.on_start = service, on_start
        self._ending: asyncio.Task[None] | None = None

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        if self.started:
            self.on_start(self.servers[0].sockets[0].getsockname()[1])

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        if self.service.draining or sig == signal.SIGINT:
            super().handle_exit(sig, frame)
            return
        self.service.draining = True
        self._captured_signals.append(sig)
        self._ending = asyncio.get_running_loop().create_task(self._drain())

    async def _drain(self) -> None:
        end = asyncio.get_running_loop().time() + self.service.settings.drain
        # Some time for those who were sent here a moment ago, so that they get a 503 and not a closed port.
        await asyncio.sleep(0.2)
        while (self.service.gate.running or self.service.gate.waiting) and asyncio.get_running_loop().time() < end:
            await asyncio.sleep(0.02)
        self.should_exit = True


def serve(service: Service, on_start: Callable[[int], None] = lambda port: None) -> None:
    """
    Serve until a signal ends it.

    :param on_start: called with the port when it is open.
    :raises SettingsError: when no key is configured and not only this machine could ask.
    """
    settings = service.settings
    if not service.needs_key and not settings.is_loopback:
        raise SettingsError(
            f"`host`: {settings.host} lets others in, but there is no key. Make one: excerpt keys add NAME, or listen "
            "on 127.0.0.1"
        )
    for name in ("uvicorn.access", "httpx"):
        logging.getLogger(name).disabled = True
    health = HealthServer(service, settings.host, settings.health_port) if settings.health_port else None
    service.engine.warm_up()
    config = uvicorn.Config(
        create_service_app(service),
        host=settings.host,
        port=settings.port,
        http=impatient(settings.receive_timeout, settings.max_connections),
        ws="none",
        backlog=BACKLOG,
        access_log=False,
        log_level="warning",
        server_header=False,
        timeout_keep_alive=30,
        timeout_graceful_shutdown=int(settings.drain) + 1,
        proxy_headers=False,
    )
    with contextlib.suppress(KeyboardInterrupt):
        Server(config, service, on_start).run()
    if health is not None:
        health.close()
