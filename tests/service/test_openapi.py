"""Whatever fits the OpenAPI description is answered without a 500: schemathesis makes the requests up."""

from pathlib import Path
from typing import Any

import schemathesis
from httpx import Request
from hypothesis import HealthCheck, Phase, given, reject, settings

from service.app import create_service_app
from service.service import build_service
from service.settings import Settings
from tests.service.client import LoopClient
from tests.service.engine import build_engine


def _can_be_sent(files: Any) -> bool:
    """Whether the client itself can encode them: its own error amid a body would look like the server's."""
    try:
        Request("POST", "http://localhost", files=files).read()
    except (AttributeError, TypeError, ValueError):
        return False
    return True


def test_no_request_makes_it_fail(tmp_path: Path) -> None:
    service = build_service(Settings(data=tmp_path / "data"), engine=build_engine(tmp_path / "store"))
    client = LoopClient(create_service_app(service))
    asked = set()
    try:
        schema = schemathesis.openapi.from_dict(client.get("/openapi.json").json())
        for found in schema.get_all_operations():
            operation = found.ok()

            @settings(
                max_examples=8,
                deadline=None,
                phases=(Phase.explicit, Phase.generate),
                suppress_health_check=list(HealthCheck),
                database=None,
            )
            @given(case=operation.as_strategy())
            def ask(case: schemathesis.Case) -> None:
                request = case.as_transport_kwargs(base_url="http://localhost")
                given_to = {
                    name: request[name]
                    for name in ("method", "url", "params", "headers", "json", "files", "content")
                    if request.get(name) is not None
                }
                if not _can_be_sent(given_to.get("files")):
                    reject()
                reply = client.request(**given_to)
                is_health = case.path.startswith("/health/ready")
                assert reply.status_code < 500 or is_health, (request["method"], request["url"], reply.text)
                asked.add(f"{case.method} {case.path}")

            ask()
    finally:
        client.close()
    assert len(asked) > 20
