"""Explains Elasticsearch's errors and what to do about them, without document text, questions, passwords."""

import re
from collections.abc import Sequence
from typing import Any
from urllib.parse import urlsplit, urlunsplit

from elastic_transport import ApiError as TransportApiError
from elastic_transport import ConnectionError as NoConnection
from elastic_transport import ConnectionTimeout, SerializationError, TlsError, TransportError
from haystack.document_stores.errors import DocumentStoreError

from components.stores import contract
from components.stores.contract import Refused

REBUILD = "`excerpt index PATH... --rebuild`"


class ElasticsearchStoreError(DocumentStoreError):
    """Elasticsearch did not do what was asked; the message names cause and remedy."""


class StoreUnavailable(ElasticsearchStoreError):
    """It could not be reached, or not within the time allowed: the same request may succeed later."""


class TooLarge(ElasticsearchStoreError):
    """A request, or one document, was larger than the server takes (413)."""


class PartialResult(StoreUnavailable):
    """Some shards did not answer: the result would silently be short."""


class RefusedDocuments(ElasticsearchStoreError, contract.RefusedDocuments):
    """Elasticsearch refused some documents; the others are written."""


class InvalidDocuments(RefusedDocuments, contract.InvalidDocuments):
    """Some documents could never be stored, as is seen without asking Elasticsearch; the others are written."""


def without_password(url: str) -> str:
    """The address as it may be shown: without user and password."""
    parts = urlsplit(url)
    return urlunsplit((parts.scheme, parts.netloc.rpartition("@")[2], parts.path, "", ""))


def is_retryable(error: Exception) -> bool:
    """Whether the same request may succeed a moment later."""
    if isinstance(error, TlsError):
        return False
    if isinstance(error, NoConnection | ConnectionTimeout | SerializationError):
        return True
    return isinstance(error, TransportApiError) and error.meta.status in (429, 502, 503, 504)


def explain(error: Exception, hosts: Sequence[str], index: str) -> ElasticsearchStoreError:
    """
    The error a user can act on.

    :param error: What the client raised.
    :param hosts: The addresses that were asked (passwords are left out of the message).
    :param index: The index.
    """
    at = ", ".join(map(without_password, hosts))
    if isinstance(error, ElasticsearchStoreError):
        return error
    if isinstance(error, TlsError):
        return ElasticsearchStoreError(f"no secure connection to Elasticsearch at {at}: {_explain_tls(error)}")
    if isinstance(error, ConnectionTimeout):
        return StoreUnavailable(
            f"Elasticsearch at {at} did not answer in time: is it overloaded, or `timeout` too short?"
        )
    if isinstance(error, NoConnection):
        return StoreUnavailable(
            f"no connection to Elasticsearch at {at}: is it running, and is the address "
            "(ELASTICSEARCH_URL) right? One with TLS begins with https://"
        )
    if isinstance(error, SerializationError):
        return StoreUnavailable(
            f"what answers at {at} sent no valid reply: is it Elasticsearch, and is a proxy in between cutting replies?"
        )
    if isinstance(error, TransportApiError):
        return _explain_status(error, at, index)
    if isinstance(error, TransportError):
        return StoreUnavailable(f"talking to Elasticsearch at {at} failed: {type(error).__name__}")
    if type(error).__name__ == "UnsupportedProductError":
        return ElasticsearchStoreError(f"what answers at {at} is not Elasticsearch: check ELASTICSEARCH_URL")
    raise error


def _explain_status(error: TransportApiError, at: str, index: str) -> ElasticsearchStoreError:
    status, kind, reason = error.meta.status, *cause(error.body)
    if status == 401:
        return ElasticsearchStoreError(
            f"Elasticsearch at {at} did not accept the credentials: check ELASTICSEARCH_USERNAME and "
            "ELASTICSEARCH_PASSWORD, or ELASTIC_API_KEY"
        )
    if kind == "cluster_block_exception":
        return StoreUnavailable(explain_block(index, reason))
    if status == 403:
        return ElasticsearchStoreError(
            f"these credentials may not do this on index {index} of {at}: grant them read, write and manage on {index}*"
        )
    if kind == "index_not_found_exception":
        return ElasticsearchStoreError(f"there is no index {index} at {at}: run `excerpt index` first")
    if status == 413:
        return TooLarge(f"a request was too large for {at}: lower bulk_bytes, or raise http.max_content_length")
    if status == 429:
        return StoreUnavailable(
            f"Elasticsearch at {at} is overloaded ({kind or 429}): try again, or send less at a time"
        )
    if status in (502, 503, 504):
        return StoreUnavailable(
            f"Elasticsearch at {at} is not able to answer ({kind or status}): see its /_cluster/health"
        )
    if status == 404 and not kind:
        return ElasticsearchStoreError(
            f"what answers at {at} does not know Elasticsearch's paths: check ELASTICSEARCH_URL"
        )
    return ElasticsearchStoreError(
        f"Elasticsearch at {at} refused a request on index {index}: {kind or status}: {_safe(reason)}"
    )


def explain_block(index: str, reason: str) -> str:
    """What a block on writing means."""
    if "flood-stage" in reason or "read-only-allow-delete" in reason:
        return (
            f"index {index} is read-only because a node's disk is almost full (flood-stage watermark): free disk space "
            "or add a node; Elasticsearch then lifts the block by itself"
        )
    if "read-only" in reason or "write (api)" in reason:
        lift = f'PUT {index}/_settings {{"index.blocks.write": false, "index.blocks.read_only": null}}'
        return f"index {index} is read-only: lift it with {lift}"
    return f"index {index} is blocked ({_safe(reason)[:120]}): see /_cluster/health; it may still be recovering"


def cause(body: Any) -> tuple[str, str]:
    """(type, reason) of an error reply; empty when it has another form."""
    error = body.get("error") if isinstance(body, dict) else None
    if not isinstance(error, dict):
        return "", str(error or "")
    roots = error.get("root_cause") or [error]
    first = roots[0] if isinstance(roots[0], dict) else error
    return str(first.get("type", "")), str(first.get("reason", ""))


def explain_dimension(length: int, dims: int) -> str:
    """Why a vector does not fit the index."""
    return (
        f"field embedding has {length} numbers, but the index holds vectors of {dims}: embed with the model that the "
        f"index was made with, or make it anew with this one: {REBUILD}"
    )


def explain_refusal(document_id: str, error: dict[str, Any]) -> Refused:
    """
    Why one document of a bulk request was refused, naming the field.

    :param document_id: Its id.
    :param error: The item's `error`; its texts may quote the document, so only known parts of them are passed on.
    """
    kind, texts = str(error.get("type", "")), _reasons(error)
    together = " ".join(texts)
    if match := re.search(r"Limit of total fields \[(\d+)\]", together):
        return Refused(
            document_id,
            None,
            f"its meta would make more than {match[1]} fields: use fewer names in meta, or raise max_fields",
        )
    if match := re.search(r"different number of dimensions \[(\d+)\] than defined in the mapping \[(\d+)\]", together):
        return Refused(document_id, "embedding", explain_dimension(int(match[1]), int(match[2])))
    if "zero magnitude" in together:
        return Refused(
            document_id, "embedding", "field embedding is all zeros, which has no direction: is the text empty?"
        )
    if match := re.search(r"failed to parse field \[([^\]]*)\] of type \[([^\]]*)\]", together):
        if match[1] == "embedding":
            return Refused(
                document_id, "embedding", "field embedding is not a vector of finite numbers of the right length"
            )
        return Refused(
            document_id,
            match[1],
            f"field {match[1]} holds another type than in the documents before, where it was {match[2]}: give it one "
            f"type in all documents, or name its type in meta_fields and make the index anew: {REBUILD}",
        )
    if match := re.search(r"object mapping for \[([^\]]*)\]", together):
        return Refused(
            document_id, match[1], f"field {match[1]} is a plain value here and an object elsewhere: use one of both"
        )
    if match := re.search(r"[Ii]mmense term.*?field=\"?([^\s\"]+)", together):
        return Refused(document_id, match[1], f"field {match[1]} is too long to be filtered by (32766 bytes)")
    return Refused(document_id, None, f"{kind}: {_safe(texts[0]) if texts else ''}"[:300])


def _reasons(error: Any) -> list[str]:
    texts = []
    while isinstance(error, dict):
        texts.append(str(error.get("reason", "")))
        error = error.get("caused_by")
    return texts


def _safe(reason: str) -> str:
    """A reason without what it quotes of the document or the question."""
    return re.sub(r"(Preview of field's value:|For input string:|Cannot parse|Failed to parse query).*", "", reason)[
        :300
    ]


_UNKNOWN = (
    "its certificate is signed by an authority that is not known here: name that authority's certificate in ca_certs "
    "(ELASTICSEARCH_CA_CERTS)"
)
_OTHER_NAME = (
    "its certificate was made for another name: ask for it by that name in ELASTICSEARCH_URL, or have one made for "
    "this name"
)
_NO_TLS = "what answers there speaks no TLS: begins the address with http:// (ELASTICSEARCH_URL)?"
_TLS_CAUSES = {
    "certificate has expired": "its certificate has expired: renew it there (and check the clock of this machine)",
    "not yet valid": "its certificate is not valid yet: check the clock of this machine",
    "self-signed certificate": _UNKNOWN,
    "unable to get local issuer": _UNKNOWN,
    "mismatch": _OTHER_NAME,  # as Python says it
    "doesn't match": _OTHER_NAME,  # as urllib3 does
    "wrong version number": _NO_TLS,
    "record layer failure": _NO_TLS,
}


def _explain_tls(error: TlsError) -> str:
    text = str(error.message).lower().replace("_", " ")  # its own words tell of earlier attempts only
    return next(
        (meaning for known, meaning in _TLS_CAUSES.items() if known in text),
        "its certificate could not be verified: renew it, or name the authority that signed it in ca_certs "
        "(ELASTICSEARCH_CA_CERTS)",
    )
