"""Where Elasticsearch is and who asks it, read from settings and environment; no server is asked."""

import pytest
from haystack.utils import Secret

from components.stores.elasticsearch.client.addresses import Credentials, parse_addresses
from components.stores.elasticsearch.client.errors import ElasticsearchStoreError


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ("http://a", ["http://a:80"]),
        ("https://a", ["https://a:443"]),
        ("https://a/", ["https://a:443"]),
        ("http://a:9200/path/", ["http://a:9200/path"]),
        ("http://a/path", ["http://a:80/path"]),
        ("http://a:1, https://b:2", ["http://a:1", "https://b:2"]),
        (["http://a:1", "http://b"], ["http://a:1", "http://b:80"]),
        ("http://user:pass%2Fword@a", ["http://user:pass%2Fword@a:80"]),
        ("http://[::1]", ["http://[::1]:80"]),
        ("http://[::1]:9200", ["http://[::1]:9200"]),
    ],
)
def test_addresses(given, expected):
    assert parse_addresses(given) == expected


def test_the_environment_is_asked_before_localhost(monkeypatch):
    monkeypatch.setenv("ELASTICSEARCH_URL", "http://a:1,http://b:2")
    assert parse_addresses(None) == ["http://a:1", "http://b:2"]
    assert parse_addresses("http://c:3") == ["http://c:3"]
    monkeypatch.delenv("ELASTICSEARCH_URL")
    assert parse_addresses(None) == ["http://localhost:9200"]


@pytest.mark.parametrize("given", ["localhost:9200", "ftp://a", "elastic:CANARY-SECRET@a:9200", ""])
def test_what_is_no_address_is_told_without_its_password(given, monkeypatch):
    monkeypatch.delenv("ELASTICSEARCH_URL", raising=False)
    with pytest.raises(ElasticsearchStoreError, match="must start with http") as caught:
        parse_addresses([given])
    assert "CANARY-SECRET" not in str(caught.value)


@pytest.mark.parametrize("letter", ["/", "?", "#", "["])
def test_a_password_that_breaks_the_address_is_not_told(letter):
    with pytest.raises(ElasticsearchStoreError, match="percent-encoded") as caught:
        parse_addresses(f"http://elastic:{letter}CANARY-SECRET@a")
    assert "CANARY-SECRET" not in f"{caught.value!r} {caught.value.__cause__!r}"


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ((None, None, None, None), {}),
        (("key", None, None, None), {"api_key": "key"}),
        (("key", "id", None, "password"), {"api_key": ("id", "key")}),
        ((None, None, Secret.from_token("me"), Secret.from_token("pass")), {"basic_auth": ("me", "pass")}),
        ((None, None, None, Secret.from_token("pass")), {"basic_auth": ("elastic", "pass")}),
        ((None, None, Secret.from_token("me"), None), {}),
    ],
)
def test_credentials(given, expected):
    assert Credentials(*given).resolve() == expected


def test_half_a_key_is_told():
    with pytest.raises(ElasticsearchStoreError, match="ELASTIC_API_KEY"):
        Credentials(None, "id", None, None).resolve()
