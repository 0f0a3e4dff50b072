"""A server that speaks OpenAI's protocol and does what language models and their servers do on bad days."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


class LyingServer:
    """Says `reply`; `manner` is "whole", "hangs", "breaks off", "fails" or "runs out"; keeps what it was asked."""

    def __init__(self) -> None:
        self.reply, self.manner = "", "whole"
        self.asked: list[dict[str, Any]] = []
        self.keys: list[str | None] = []
        self.released = threading.Event()
        server = self

        class Handler(BaseHTTPRequestHandler):
            def log_message(self, *_: object) -> None: ...

            def do_POST(self) -> None:
                asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                server.asked.append(asked)
                server.keys.append(self.headers["Authorization"])
                if server.manner == "hangs":
                    server.released.wait(20)
                    return
                if server.manner == "fails":
                    told = json.dumps({"error": {"message": f"bad key {self.headers['Authorization']}", "code": 1}})
                    self._send(401, "application/json", told)
                elif asked.get("stream"):
                    self._send(200, "text/event-stream", "".join(server._events()))
                else:
                    message = {"role": "assistant", "content": server.reply}
                    reason = "length" if server.manner == "runs out" else "stop"
                    choices = [{"index": 0, "message": message, "finish_reason": reason}]
                    self._send(200, "application/json", json.dumps(server._body("chat.completion", choices)))

            def _send(self, status: int, kind: str, body: str) -> None:
                self.send_response(status)
                self.send_header("Content-Type", kind)
                broken = server.manner == "breaks off" and "event" not in kind
                self.send_header("Content-Length", str(len(body.encode()) + 100 * broken))
                self.end_headers()
                self.wfile.write(body.encode())

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_port}/v1"

    def _body(self, kind: str, choices: list[dict[str, Any]]) -> dict[str, Any]:
        return {"id": "1", "object": kind, "created": 1, "model": "liar", "choices": choices}

    def _events(self) -> Iterator[str]:
        words = self.reply.split(" ")
        for number, word in enumerate(words):
            delta = {"role": "assistant", "content": word if number == 0 else f" {word}"}
            choices = [{"index": 0, "delta": delta, "finish_reason": None}]
            yield f"data: {json.dumps(self._body('chat.completion.chunk', choices))}\n\n"
        if self.manner != "breaks off":
            last = [{"index": 0, "delta": {}, "finish_reason": "stop"}]
            yield f"data: {json.dumps(self._body('chat.completion.chunk', last))}\n\ndata: [DONE]\n\n"


@contextmanager
def lying_server() -> Iterator[LyingServer]:
    """A running server; ends with the block."""
    server = LyingServer()
    thread = threading.Thread(target=server._server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield server
    finally:
        server.released.set()
        server._server.shutdown()
        server._server.server_close()
        thread.join()
