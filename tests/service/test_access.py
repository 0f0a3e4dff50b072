"""Strangers, wrong keys, tokens, rules; and canaries: no question, text or key in any log, metric or error."""

import json
import time
from collections.abc import Callable
from pathlib import Path

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import rsa

from service.load.routes import ROUTES
from tests.service.conftest import World
from tests.service.process import ServiceProcess


def _path(template: str) -> str:
    return template.replace("{id}", "0" * 32).replace("{n}", "1")


def test_a_stranger_gets_in_nowhere(world: World) -> None:
    for route in ROUTES:
        reply = world.client.request(route.method, _path(route.template))
        wanted = {200, 503} if route.public else {404} if route.hidden else {401}
        assert reply.status_code in wanted, route.name
    for path in ("/deploy-yaml", "/deploy_files", "/undeploy/ask", "/draw/ask", "/status", "/v1/responses", "/traces"):
        for method in ("GET", "POST"):
            assert world.client.request(method, path, headers=world.key("admin")).status_code == 404, path


def test_the_table_holds_every_route_there_is(world: World) -> None:
    described = world.client.get("/openapi.json", headers=world.key("ask")).json()["paths"]
    there = {f"{method.upper()} {path}" for path, methods in described.items() for method in methods}
    for name in ("document_id", "job_id", "feedback_id"):
        there = {route.replace(f"{{{name}}}", "{id}") for route in there}
    there = {route.replace("{number}", "{n}") for route in there}
    outside = {"POST /mcp/", "POST /ask/run", "GET /docs", "GET /openapi.json"}
    assert there | outside == {route.name for route in ROUTES}


def test_scopes_expiry_and_revocation_hold_at_once(world: World) -> None:
    ask = world.key("ask")
    assert world.client.post("/documents", headers=ask).status_code == 403
    assert world.client.get("/feedback/export", headers=ask).status_code == 403
    assert world.client.get("/me", headers={"X-API-Key": ask["Authorization"].split()[1]}).status_code == 200
    assert world.client.get("/me", headers={"Authorization": ask["Authorization"][:-1] + "x"}).status_code == 401
    brief, _ = world.service.keys.add("brief", ["ask"], expires=time.time() + 0.3)
    assert world.client.get("/me", headers={"X-API-Key": brief}).status_code == 200
    time.sleep(0.35)
    assert world.client.get("/me", headers={"X-API-Key": brief}).status_code == 401
    gone, _ = world.service.keys.add("gone", ["ask"])
    assert world.client.get("/me", headers={"X-API-Key": gone}).status_code == 200
    world.service.keys.revoke("gone")
    assert world.client.get("/me", headers={"X-API-Key": gone}).status_code == 401


def test_a_foreign_host_is_misdirected(world: World) -> None:
    assert world.client.get("/me", headers={**world.key("ask"), "Host": "evil.example"}).status_code == 421


def test_a_rate_is_kept(world: World) -> None:
    headers = world.key("ask", user="hasty", rate=1.0)
    codes = [world.client.post("/ask", json={"question": "Who?"}, headers=headers) for _ in range(4)]
    assert [reply.status_code for reply in codes[:2]] == [200, 200]
    assert codes[-1].status_code == 429 and int(codes[-1].headers["retry-after"]) >= 1


def test_tokens_of_a_provider_bring_groups(make_world: Callable[..., World], tmp_path: Path) -> None:
    private = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    public = {**json.loads(jwt.algorithms.RSAAlgorithm.to_jwk(private.public_key())), "kid": "1", "alg": "RS256"}
    jwks = tmp_path / "jwks.json"
    jwks.write_text(json.dumps({"keys": [public]}), encoding="utf-8")
    issued = {"issuer": "https://id.example", "audience": "excerpt", "jwks": str(jwks)}
    world = make_world(jwt=issued)
    admin = world.key("admin")
    mill = next(
        one for one in world.client.get("/documents", headers=admin).json()["documents"] if "mill" in one["name"]
    )
    world.client.put(f"/documents/{mill['id']}/allow", json={"allow": ["group:millers"]}, headers=admin)

    def asked(**changes: object) -> object:
        claims = {"iss": "https://id.example", "aud": "excerpt", "sub": "kim", "exp": time.time() + 60, **changes}
        token = jwt.encode(claims, private, algorithm="RS256", headers={"kid": "1"})
        reply = world.client.post(
            "/ask", json={"question": "Who ran the mill?"}, headers={"Authorization": f"Bearer {token}"}
        )
        return [one["answer"] for one in reply.json()["answers"]] if reply.status_code == 200 else reply.status_code

    assert "Emma Vogel" in asked(groups=["millers"])  # type: ignore[operator]
    assert "Emma Vogel" not in asked(groups=["others"])  # type: ignore[operator]
    assert asked(aud="other") == 401 and asked(iss="https://evil.example") == 401
    assert asked(exp=time.time() - 3600) == 401
    forged = jwt.encode(
        {"iss": "https://id.example", "aud": "excerpt", "sub": "kim", "exp": time.time() + 60}, "x" * 32
    )
    assert world.client.get("/me", headers={"Authorization": f"Bearer {forged}"}).status_code == 401


def test_the_audit_log_says_who_saw_what_without_texts(world: World) -> None:
    world.ask("Who built the secretword tower?", world.key("ask", user="watched"))
    lines = world.service.audit.path.read_text(encoding="utf-8").splitlines()
    last = json.loads(lines[-1])
    assert "watched" in last["who"] and last["did"] == "ask" and last["documents"]
    assert "secretword" not in "".join(lines) and "Brunner" not in "".join(lines)


def test_canaries_are_in_no_log_metric_or_error(tmp_path: Path) -> None:
    import httpx

    process = ServiceProcess(tmp_path)
    question, text, key = "canaryquestion", "canarytext", "exk_canarykey"
    headers = {"Authorization": f"Bearer {key}"}
    replies = []
    with httpx.Client(base_url=process.address, headers=headers, timeout=60) as client:
        for body in (f"{question}?", f"crash {question}", f"{question} " * 200):
            replies.append(client.post("/ask", json={"question": body}))
            replies.append(client.post("/ask/run", json={"question": body, "top_k": "x"}))
        replies.append(client.post("/ask", json={question: 1}))
        replies.append(client.post("/search", json={"query": question, "filters": {"field": question}}))
        replies.append(client.post("/documents", files={"files": ("a.pdf", f"%PDF {text}".encode())}))
        mcp = {"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": {"name": "ask", "arguments": {question: 1}}}
        client.post("/mcp/", json=mcp, headers={"Accept": "application/json, text/event-stream"})
        metrics = client.get("/metrics").text
        time.sleep(2)
    errors = [reply.text for reply in replies if reply.status_code >= 500]
    written = process.close() + metrics + "".join(errors)
    for file in (tmp_path / "data").glob("*"):
        if file.suffix in (".jsonl", ".txt", ".json"):
            written += file.read_text(encoding="utf-8")
    assert errors
    for canary in (question, text, key, "fell over"):
        assert canary not in written, canary


@pytest.mark.parametrize("host", ["0.0.0.0", "192.0.2.1"])
def test_without_a_key_only_this_machine_is_served(tmp_path: Path, host: str) -> None:
    from service.server import serve
    from service.service import build_service
    from service.settings import Settings, SettingsError
    from tests.service.engine import build_engine

    service = build_service(Settings(data=tmp_path / "data", host=host), engine=build_engine(tmp_path / "store"))
    try:
        with pytest.raises(SettingsError, match="excerpt keys add"):
            serve(service)
    finally:
        service.close()
