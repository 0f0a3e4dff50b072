"""What errors and refusals of Elasticsearch mean, from replies as the server gives them; no server is asked."""

import re

import pytest
from elastic_transport import ApiResponseMeta, ConnectionTimeout, HttpHeaders, NodeConfig, TlsError
from elastic_transport import ConnectionError as NoConnection
from elasticsearch import ApiError

from components.stores.elasticsearch.client.errors import (
    ElasticsearchStoreError,
    StoreUnavailable,
    TooLarge,
    explain,
    explain_block,
    explain_refusal,
    is_retryable,
    without_password,
)
from components.stores.elasticsearch.client.replies import SearchRefused, check_searches

HOSTS = ["http://elastic:CANARY-SECRET@a:9200", "http://b:9200"]


def reply(status: int, kind: str | None = None, reason: str = "") -> ApiError:
    body = {"error": {"type": kind, "reason": reason}} if kind else {}
    node = NodeConfig("http", "a", 9200)
    return ApiError(str(status), ApiResponseMeta(status, "1.1", HttpHeaders(), 0.1, node), body)


@pytest.mark.parametrize(
    ("error", "kind", "named"),
    [
        (reply(401), ElasticsearchStoreError, "ELASTICSEARCH_PASSWORD"),
        (reply(403), ElasticsearchStoreError, r"grant them read, write and manage on passages\*"),
        (reply(403, "cluster_block_exception", "flood-stage watermark"), StoreUnavailable, "disk is almost full"),
        (reply(404, "index_not_found_exception"), ElasticsearchStoreError, "run `excerpt index` first"),
        (reply(404), ElasticsearchStoreError, "check ELASTICSEARCH_URL"),
        (reply(413), TooLarge, "lower bulk_bytes"),
        (reply(429, "circuit_breaking_exception"), StoreUnavailable, "overloaded .circuit_breaking_exception"),
        (reply(503), StoreUnavailable, "_cluster/health"),
        (reply(400, "parsing_exception", "bad"), ElasticsearchStoreError, "parsing_exception: bad"),
        (NoConnection("x"), StoreUnavailable, "is it running"),
        (ConnectionTimeout("x"), StoreUnavailable, "did not answer in time"),
        (TlsError("certificate has expired"), ElasticsearchStoreError, "renew it"),
        (TlsError("self-signed certificate"), ElasticsearchStoreError, "ca_certs"),
        (TlsError("wrong version number"), ElasticsearchStoreError, "speaks no TLS"),
        (TlsError("something new"), ElasticsearchStoreError, "could not be verified"),
    ],
)
def test_errors_name_cause_and_remedy_and_no_password(error, kind, named):
    explained = explain(error, HOSTS, "passages")
    assert type(explained) is kind
    with pytest.raises(ElasticsearchStoreError, match=named):
        raise explained
    assert "CANARY-SECRET" not in str(explained)


def test_what_is_not_elasticsearchs_is_raised_as_it_is():
    with pytest.raises(ZeroDivisionError):
        explain(ZeroDivisionError(), HOSTS, "passages")


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (reply(429), True),
        (reply(503), True),
        (reply(400), False),
        (reply(401), False),
        (NoConnection("x"), True),
        (ConnectionTimeout("x"), True),
        (TlsError("x"), False),
        (ValueError(), False),
    ],
)
def test_what_may_succeed_a_moment_later(error, expected):
    assert is_retryable(error) is expected


@pytest.mark.parametrize(
    ("error", "field", "named"),
    [
        (
            {"type": "illegal_argument_exception", "reason": "Limit of total fields [60] has been exceeded"},
            None,
            "more than 60 fields.*max_fields",
        ),
        (
            {
                "type": "document_parsing_exception",
                "reason": "[1:9] failed to parse",
                "caused_by": {
                    "reason": "The [dense_vector] field [embedding] in doc has a different number of dimensions [3] "
                    "than defined in the mapping [4]"
                },
            },
            "embedding",
            "has 3 numbers, but the index holds vectors of 4.*--rebuild",
        ),
        (
            {
                "type": "document_parsing_exception",
                "reason": "failed to parse field [embedding] of type [dense_vector]",
                "caused_by": {"reason": "cosine similarity does not support vectors with zero magnitude"},
            },
            "embedding",
            "all zeros",
        ),
        (
            {
                "type": "document_parsing_exception",
                "reason": "failed to parse field [year] of type [double] in document with id 'x'. Preview of field's "
                "value: 'CANARY-TEXT'",
                "caused_by": {"reason": 'For input string: "CANARY-TEXT"'},
            },
            "year",
            "holds another type than in the documents before, where it was double.*meta_fields.*--rebuild",
        ),
        (
            {"reason": "failed to parse field [embedding] of type [dense_vector]"},
            "embedding",
            "not a vector of finite numbers",
        ),
        (
            {"reason": "object mapping for [place] tried to parse field [place] as object, but found a concrete value"},
            "place",
            "a plain value here and an object elsewhere",
        ),
        (
            {"reason": 'Document contains at least one immense term in field="author" (whose UTF8 encoding is longer)'},
            "author",
            "too long to be filtered by",
        ),
        ({"type": "unheard_of", "reason": "strange: Preview of field's value: 'CANARY-TEXT'"}, None, "unheard_of"),
        ({}, None, "^: $"),
    ],
)
def test_refusals_name_the_field_and_quote_nothing_of_the_document(error, field, named):
    refused = explain_refusal("some-id", error)
    assert (refused.id, refused.field) == ("some-id", field)
    assert re.search(named, refused.reason)
    assert "CANARY-TEXT" not in refused.reason


@pytest.mark.parametrize(
    ("reason", "named"),
    [
        ("disk usage exceeded flood-stage watermark, index has read-only-allow-delete block", "disk is almost full"),
        ("FORBIDDEN/8/index write (api)", "lift it with PUT passages/_settings"),
        ("state not recovered", "may still be recovering"),
    ],
)
def test_blocks(reason, named):
    assert named in explain_block("passages", reason)


@pytest.mark.parametrize(
    ("url", "expected"),
    [("https://user:secret@a:1/path?x=1", "https://a:1/path"), ("http://a", "http://a")],
)
def test_passwords_are_left_out(url, expected):
    assert without_password(url) == expected


def test_a_search_that_is_refused_does_not_quote_the_question():
    error = {"error": {"type": "query_shard_exception", "reason": "failed: CANARY-QUESTION"}, "status": 400}
    with pytest.raises(SearchRefused, match="query_shard_exception") as caught:
        check_searches({"responses": [error]}, 1)
    assert "CANARY-QUESTION" not in str(caught.value)
