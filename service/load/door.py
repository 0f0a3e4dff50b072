"""
The outermost layer: every request passes here before anything reads it.

Which routes there are, who may use them, how large and how slow a request may be; and what leaves: headers, a request
id, and no word from inside.
"""

import asyncio
import ipaddress
import json
import logging
import math
import re
import secrets
import time
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

from service.access.caller import LOCAL, Caller, current_caller
from service.errors import ServiceError, error_body, explain
from service.load.routes import Route, find_route, methods_of
from service.service import Service

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
log = logging.getLogger("excerpt.service")

_REQUEST_ID = re.compile(rb"[0-9A-Za-z-]{1,64}")
_HEADERS = [
    (b"x-content-type-options", b"nosniff"),
    (b"x-frame-options", b"DENY"),
    (b"referrer-policy", b"no-referrer"),
    (b"cross-origin-resource-policy", b"same-origin"),
]
PAGE_POLICY = (
    b"default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob: data:; font-src 'self'; "
    b"connect-src 'self'; manifest-src 'self'; frame-src 'none'; base-uri 'none'; form-action 'self'; "
    b"frame-ancestors 'none'"
)
API_POLICY = b"default-src 'none'; frame-ancestors 'none'; sandbox"


class Door:
    """
    ASGI middleware around the whole application.

    :param app: what is inside.
    :param service: whose keys and limits hold.
    """

    def __init__(self, app: Any, service: Service) -> None:
        self.app, self.service = app, service

    async def __call__(self, scope: MutableMapping[str, Any], receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            if scope["type"] == "websocket":  # there is none
                await send({"type": "websocket.close", "code": 1000})
                return
            await self.app(scope, receive, send)
            return
        await _Passage(self.app, self.service, scope, receive, send).run()


class _Passage:
    """One request on its way through the door."""

    def __init__(self, app: Any, service: Service, scope: Any, receive: Receive, send: Send) -> None:
        self.app, self.service, self.scope = app, service, scope
        self._receive, self._send = receive, send
        self.headers = dict(scope["headers"])
        given = self.headers.get(b"x-request-id", b"")
        self.id = given.decode() if _REQUEST_ID.fullmatch(given) else secrets.token_hex(8)
        self.begin = time.monotonic()
        self.route: Route | None = None
        self.status = 0
        self.received = 0
        self.body_done = False
        self.is_withheld = False
        self.refusal: ServiceError | None = None  # of the body: the framework would make a 400 of it

    async def run(self) -> None:
        try:
            if self.scope["path"] == "/mcp":  # as many clients write it
                self.scope["path"] = "/mcp/"
            self.route = find_route(self.scope["method"], self.scope["path"])
            caller = await self._admit()
            state = self.scope.setdefault("state", {})
            state.update(request_id=self.id, caller=caller, service=self.service, deadline=self._deadline())
            token = current_caller.set(caller)
            try:
                await self.app(self.scope, self.receive, self.send)
            finally:
                current_caller.reset(token)
            if self.refusal is not None:
                raise self.refusal
            if self.is_withheld:
                raise RuntimeError("an answer from inside that is not for clients")
        except Exception as error:
            await self._fail(self.refusal or explain(error), error)
        finally:
            name = self.route.name if self.route else "other"
            self.service.metrics.requests.labels(name, str(self.status or 499)).inc()
            if self.status and self.status < 400:
                self.service.metrics.latency.labels(name).observe(time.monotonic() - self.begin)

    async def _admit(self) -> Caller | None:
        """Who asks; raises what keeps them out."""
        if not self._is_our_host():
            raise ServiceError(421, "wrong_host", "This server is not reached by that name; see the setting `hosts`.")
        if self.route is None:
            if methods := methods_of(self.scope["path"]):
                raise ServiceError(405, "method_not_allowed", f"This address takes {', '.join(methods)}.")
            raise ServiceError(404, "not_found", "There is no such address.")
        if self.route.is_public(self.service.settings):
            return None
        caller = await self._caller()
        if caller is None:
            # What is hidden from strangers is not even there for them.
            if self.route.hidden:
                raise ServiceError(404, "not_found", "There is no such address.")
            raise ServiceError(401, "unauthorized", "A key is needed: Authorization: Bearer KEY, or X-API-Key: KEY.")
        if self.route.scope is not None and not caller.may(self.route.scope):
            raise ServiceError(403, "forbidden", f"This key lacks the scope `{self.route.scope}`.")
        if self.service.draining and self.route.drains:
            raise ServiceError(503, "ending", "The server is about to end. Ask again later.", retry_after=2)
        self._check_length()
        if self.service.catalogue.rules.is_stale():  # new rules hold for the next question: this one
            await asyncio.to_thread(self.service.catalogue.synchronise)
        return caller

    async def _caller(self) -> Caller | None:
        service = self.service
        if not service.needs_key:
            return LOCAL
        given = self.headers.get(b"x-api-key", b"")
        scheme, _, rest = self.headers.get(b"authorization", b"").partition(b" ")
        if scheme.lower() == b"bearer":
            given = rest.strip()
        text = given[:8192].decode("latin-1")
        caller = service.keys.find(text)
        if caller is None and service.tokens is not None and text.count(".") == 2:
            caller = await asyncio.to_thread(service.tokens.find, text)
        return caller

    def _is_our_host(self) -> bool:
        host = self.headers.get(b"host", b"").decode("latin-1")
        name = host.rsplit(":", 1)[0] if not host.endswith("]") else host
        name = name.strip("[]").lower()
        if name == "localhost" or name in map(str.lower, self.service.settings.hosts):
            return True
        try:
            address = ipaddress.ip_address(name)
        except ValueError:
            return False
        # Without a key, a page of a stranger's that resolves to this machine must not get in by its address either.
        return address.is_loopback or self.service.needs_key

    def _deadline(self) -> float:
        settings = self.service.settings
        seconds = settings.timeout
        if (given := self.headers.get(b"x-request-timeout")) is not None:
            try:
                seconds = float(given.decode("ascii"))
            except (ValueError, UnicodeDecodeError):
                seconds = math.nan
            if not 0.01 <= seconds <= settings.max_timeout:
                raise ServiceError(
                    422,
                    "out_of_bounds",
                    f"X-Request-Timeout: seconds from 0.01 to {settings.max_timeout:g} are allowed.",
                )
        return self.begin + seconds

    def _limit(self) -> int:
        settings = self.service.settings
        is_upload = self.route is not None and self.route.is_upload
        return int((settings.max_upload_mb if is_upload else settings.max_body_mb) * 1e6) + (65_536 if is_upload else 0)

    def _check_length(self) -> None:
        length = self.headers.get(b"content-length", b"0")
        if not length.isdigit() or int(length[:20]) > self._limit():
            raise self._too_large()

    def _too_large(self) -> ServiceError:
        return ServiceError(413, "too_large", f"At most {self._limit() / 1e6:g} MB are allowed here.")

    async def receive(self) -> Message:
        """The next part of the body, when it comes in time; later, word that the client is gone."""
        if self.body_done:
            return await self._receive()
        settings = self.service.settings
        most = (
            settings.upload_timeout if self.route is not None and self.route.is_upload else 2 * settings.stall_timeout
        )
        left = self.begin + most - time.monotonic()
        try:
            async with asyncio.timeout(max(0.0, min(settings.stall_timeout, left))):
                message = await self._receive()
        except TimeoutError:
            self.refusal = ServiceError(408, "too_slow", "The request did not come in time.")
            raise self.refusal from None
        if message["type"] == "http.request":
            self.received += len(message.get("body", b""))
            if self.received > self._limit():
                self.refusal = self._too_large()
                raise self.refusal
            self.body_done = not message.get("more_body", False)
        return message

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.status = message["status"]
            if self.status >= 500 or self.refusal is not None:
                self.status, self.is_withheld = 0, True  # from inside, and not for clients
                return
            message = {**message, "headers": self._with_headers(message["headers"])}
        elif self.is_withheld:
            return
        async with asyncio.timeout(self.service.settings.stall_timeout):
            await self._send(message)

    def _with_headers(self, headers: list[tuple[bytes, bytes]]) -> list[tuple[bytes, bytes]]:
        kept = [(name, value) for name, value in headers if name not in (b"x-request-id", b"server")]
        names = {name for name, _ in kept}
        policy = PAGE_POLICY if self.route is not None and self.route.is_page else API_POLICY
        more = [*_HEADERS, (b"x-request-id", self.id.encode()), (b"content-security-policy", policy)]
        if self.route is None or not self.route.is_page:
            more.append((b"cache-control", b"no-store"))
        return kept + [(name, value) for name, value in more if name not in names]

    async def _fail(self, told: ServiceError, error: Exception) -> None:
        if told.status == 500:
            # The type and place alone: messages may quote questions and documents.
            log.error("request %s failed with %s at %s", self.id, type(error).__name__, _place(error))
        if told.status in (429, 503, 504):
            self.service.metrics.refusals.labels(told.code).inc()
        if self.status:
            raise ConnectionAbortedError("the answer had begun") from None
        body = json.dumps(error_body(told.status, told.code, told.message, self.id)).encode()
        headers = [(b"content-type", b"application/json"), (b"content-length", str(len(body)).encode())]
        if told.retry_after is not None:
            headers.append((b"retry-after", str(max(1, math.ceil(told.retry_after))).encode()))
        if told.status == 401:
            headers.append((b"www-authenticate", b"Bearer"))
        self.status = told.status
        if not self.body_done and (
            self.headers.get(b"content-length", b"0") != b"0" or b"transfer-encoding" in self.headers
        ):
            headers.append((b"connection", b"close"))  # the rest of the body is not waited for
        start = {"type": "http.response.start", "status": told.status, "headers": self._with_headers(headers)}
        await self._send(start)
        await self._send({"type": "http.response.body", "body": body})


def _place(error: BaseException) -> str:
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    return "?" if trace is None else f"{trace.tb_frame.f_code.co_filename.rpartition('/')[2]}:{trace.tb_lineno}"
