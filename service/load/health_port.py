"""/health on a port and a thread of its own: it answers however much is asked of the other one."""

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from service.service import Service


class HealthServer:
    """
    Serves GET /health/live and /health/ready until it is closed.

    :raises OSError: when the port is taken.
    """

    def __init__(self, service: Service, host: str, port: int) -> None:
        self._server = ThreadingHTTPServer((host, port), _handler(service))
        self._server.daemon_threads = True
        self.port = int(self._server.server_address[1])
        threading.Thread(target=self._server.serve_forever, args=(0.1,), name="health", daemon=True).start()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()


def _handler(service: Service) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        timeout = 5
        server_version, sys_version = "excerpt", ""

        def do_GET(self) -> None:
            states = {"/health/live": ("live", True), "/health/ready": ("ready", service.ready)}
            name, value = states.get(self.path, ("found", False))
            status = 404 if self.path not in states else 200 if value else 503
            body = json.dumps({name: value}).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: Any) -> None:
            """Nothing: addresses are asked every second."""

    return Handler
