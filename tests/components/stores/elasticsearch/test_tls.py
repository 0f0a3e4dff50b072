"""TLS before a real Elasticsearch: it works, and what is wrong with a certificate is told with its remedy."""

import logging
import os
import subprocess
import sys
from pathlib import Path

import pytest
from haystack import Document

from components.stores.elasticsearch import ElasticsearchDocumentStore
from components.stores.elasticsearch.client.errors import ElasticsearchStoreError, StoreUnavailable
from elasticsearch_server.certificates import DAY, Authority
from elasticsearch_server.proxy import Proxy

pytestmark = pytest.mark.elasticsearch
ROOT = Path(__file__).parents[4]


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    return Authority(tmp_path)


@pytest.fixture
def make_store(index_name, monkeypatch):
    monkeypatch.setenv("ELASTICSEARCH_PASSWORD", "CANARY-SECRET")
    stores = []

    def make(url: str, **settings) -> ElasticsearchDocumentStore:
        stores.append(ElasticsearchDocumentStore(hosts=url, index=index_name, replicas=0, **settings))
        return stores[-1]

    yield make
    for store in stores:
        store.close()


async def test_with_the_authority_named_all_is_as_without_tls(make_store, authority, elasticsearch_url):
    with Proxy(elasticsearch_url, tls=authority.server()) as proxy:
        store = make_store(proxy.url, ca_certs=str(authority.file))
        assert store.write_documents([Document(id="a", content="the iron tower", embedding=[1.0, 0.0])]) == 1
        assert [one.id for one in store.hybrid_search(["tower"], [[1.0, 0.0]])[0]] == ["a"]
        assert [one.id for one in (await store.hybrid_search_async(["tower"], None))[0]] == ["a"]


@pytest.mark.parametrize(
    ("certificate", "trusted", "told"),
    [
        ({"until": -DAY}, True, r"certificate has expired: renew it"),
        ({}, False, r"authority that is not known here: name .* in ca_certs \(ELASTICSEARCH_CA_CERTS\)"),
        ({"host": "search.example"}, True, r"made for another name: ask for it by that name in ELASTICSEARCH_URL"),
        ({"host": "127.0.0.2"}, True, r"made for another name"),
    ],
    ids=["expired", "unknown authority", "wrong name", "wrong address"],
)
def test_a_wrong_certificate_is_told_with_its_remedy(
    make_store, authority, elasticsearch_url, caplog, certificate, trusted, told
):
    caplog.set_level(logging.DEBUG)
    with Proxy(elasticsearch_url, tls=authority.server(**certificate)) as proxy:
        store = make_store(proxy.url, **({"ca_certs": str(authority.file)} if trusted else {}))
        with pytest.raises(ElasticsearchStoreError, match=told) as caught:
            store.count_documents()
        assert proxy.requests == [], "nothing, no password either, was sent to a server that is not known"
    assert proxy.url in str(caught.value)
    assert not isinstance(caught.value, StoreUnavailable), "waiting would not help"
    assert "CANARY-SECRET" not in f"{caught.value!r} {caplog.text} {store.to_dict()}"


def test_tls_where_there_is_none_and_none_where_there_is(make_store, authority, elasticsearch_url):
    with pytest.raises(ElasticsearchStoreError, match=r"speaks no TLS.*http://"):
        make_store(elasticsearch_url.replace("http://", "https://"), connect_timeout=2.0).count_documents()
    with Proxy(elasticsearch_url, tls=authority.server()) as proxy:
        plain = make_store(proxy.url.replace("https://", "http://"), connect_timeout=2.0)
        with pytest.raises(StoreUnavailable, match=r"https://"):
            plain.count_documents()


@pytest.mark.parametrize("content", [None, "no certificate at all"])
def test_an_authority_that_cannot_be_read_is_named(make_store, tmp_path, content):
    file = tmp_path / "ours.pem"
    if content is not None:
        file.write_text(content)
    with pytest.raises(ElasticsearchStoreError, match=r"ELASTICSEARCH_CA_CERTS.*ours\.pem.*PEM file"):
        make_store("https://127.0.0.1:9", ca_certs=str(file)).count_documents()


@pytest.mark.slow
def test_the_command_tells_it_in_one_sentence(authority, elasticsearch_url, index_name):
    with Proxy(elasticsearch_url, tls=authority.server(until=-DAY)) as proxy:
        environment = {
            **os.environ, "ELASTICSEARCH_URL": proxy.url, "ELASTICSEARCH_CA_CERTS": str(authority.file),
            "ELASTICSEARCH_PASSWORD": "CANARY-SECRET", "EXCERPT_INDEX": index_name,
        }  # fmt: skip
        done = subprocess.run(
            [sys.executable, "-m", "cli.main", "status", "--pipelines", "elasticsearch"],
            cwd=ROOT, env=environment, capture_output=True, text=True, timeout=400,
        )  # fmt: skip
    assert done.returncode == 1
    assert "certificate has expired: renew it" in done.stderr
    assert "Traceback" not in done.stderr
    assert "CANARY-SECRET" not in done.stdout + done.stderr
