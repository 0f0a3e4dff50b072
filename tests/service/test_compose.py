"""docker-compose.yml says what the service and its settings say: port, folder, name, readiness, time to end."""

from pathlib import Path
from typing import Any

import yaml

from service.load.routes import find_route
from service.settings import Settings, read_settings

ROOT = Path(__file__).resolve().parents[2]


def _compose() -> dict[str, Any]:
    content = yaml.safe_load((ROOT / "docker-compose.yml").read_text(encoding="utf-8"))
    assert isinstance(content, dict)
    return content


def test_the_service_is_started_with_its_settings() -> None:
    service = _compose()["services"]["excerpt-service"]
    settings = read_settings(ROOT / "deploy" / "service.yaml", {})
    assert service["command"] == ["serve", "--config", "/etc/excerpt/service.yaml"]
    assert "./deploy/service.yaml:/etc/excerpt/service.yaml:ro" in service["volumes"]
    host, _, inside = service["ports"][0].rpartition(":")
    assert host.startswith("127.0.0.1:") and int(inside) == settings.port
    assert f"service:{settings.data}" in service["volumes"]
    assert service["environment"]["EXCERPT_DATA"] == str(settings.data)
    assert "excerpt-service" in settings.hosts and not settings.is_loopback


def test_readiness_is_what_is_asked_for_and_ending_has_time() -> None:
    service = _compose()["services"]["excerpt-service"]
    (address,) = [part for part in service["healthcheck"]["test"][-1].split("'") if part.startswith("http")]
    route = find_route("GET", address.removeprefix("http://localhost:8000"))
    assert route is not None and route.public and route.template == "/health/ready"
    assert float(service["stop_grace_period"].removesuffix("s")) > Settings().drain  # type: ignore[call-arg]


def test_images_and_volumes_are_the_ones_that_are_built_and_declared() -> None:
    compose = _compose()
    services = compose["services"]
    assert services["excerpt-service"]["build"] == "." and (ROOT / "Dockerfile").is_file()
    assert services["elasticsearch"]["image"].split(":")[0] == "docker.elastic.co/elasticsearch/elasticsearch"
    named = {one.split(":")[0] for each in services.values() for one in each.get("volumes", []) if one[0].isalpha()}
    assert named == set(compose["volumes"])


def test_all_reach_elasticsearch_by_its_name_and_password() -> None:
    services = _compose()["services"]
    for name in ("excerpt", "excerpt-service"):
        environment = services[name]["environment"]
        assert environment["ELASTICSEARCH_URL"] == "http://elasticsearch:9200"
        assert environment["ELASTICSEARCH_PASSWORD"] == services["elasticsearch"]["environment"]["ELASTIC_PASSWORD"]
        assert environment["ELASTICSEARCH_USERNAME"] == "elastic"
