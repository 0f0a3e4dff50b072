"""Documents as what Elasticsearch keeps of them, and back: meta lies flat beside the Document's own fields."""

from collections.abc import Iterator, Sequence
from itertools import islice
from typing import Any

import numpy as np
from haystack import Document
from haystack.dataclasses import ByteStream, SparseEmbedding

from components.stores.elasticsearch_bulk import Action, Operation
from components.stores.elasticsearch_mapping import RESERVED
from components.stores.elasticsearch_smile import encode, float32_arrays

_TOGETHER = 256  # documents whose vectors are encoded in one go


def check_documents(documents: Any, dims: int | None) -> None:
    """
    Refuse, before anything is written, what could never be stored.

    :param dims: Length of the index's vectors; None takes that of the first document that has one.
    :raises ValueError: Naming the document and the field.
    """
    if not isinstance(documents, list) or not all(isinstance(document, Document) for document in documents):
        raise ValueError("write_documents takes a list of haystack Documents")
    for document in documents:
        if bad := RESERVED & document.meta.keys():
            names = ", ".join(sorted(bad))
            raise ValueError(f"document {document.id}: meta holds {names}, which is the Document's own: rename it")
        if document.embedding is None:
            continue
        length = len(document.embedding)
        if dims is not None and length != dims:
            raise ValueError(
                f"document {document.id}: field embedding has {length} numbers, but the index holds vectors of {dims}: "
                "embed with the model that the index was made with, or rebuild it"
            )
        dims = length


def actions(documents: Sequence[Document], operation: Operation) -> Iterator[Action]:
    """
    What to send for each document.

    :raises ValueError: When a document holds what cannot be stored; the message names it and the field.
    """
    remaining = iter(documents)
    while some := list(islice(remaining, _TOGETHER)):
        embedded = [document.embedding for document in some if document.embedding is not None]
        vectors = iter(float32_arrays(_finite(some, np.asarray(embedded, dtype=np.float32))) if embedded else [])
        for document in some:
            row = to_row(document)
            if document.embedding is not None:
                row["embedding"] = next(vectors)
            yield Action(operation, document.id, _encoded(document.id, row))


def _finite(documents: Sequence[Document], vectors: np.ndarray) -> np.ndarray:
    if not np.isfinite(vectors).all():
        embedded = [document for document in documents if document.embedding is not None]
        bad = embedded[int(np.flatnonzero(~np.isfinite(vectors).all(axis=1))[0])]
        raise ValueError(f"document {bad.id}: field embedding holds NaN or infinite numbers")
    return vectors


def _encoded(document_id: str, row: dict[str, Any]) -> bytes:
    try:
        return encode(row)
    except (TypeError, ValueError):
        for name, value in row.items():
            try:
                encode(value)
            except (TypeError, ValueError) as error:
                raise ValueError(f"document {document_id}: field {name}: {error}") from None
        raise


def to_row(document: Document) -> dict[str, Any]:
    """Everything but the embedding."""
    row: dict[str, Any] = {"id": document.id}
    if document.content is not None:
        row["content"] = document.content
    if document.blob is not None:
        row["blob"] = document.blob.to_dict()
    if document.sparse_embedding is not None:
        row["sparse_embedding"] = document.sparse_embedding.to_dict()
    row.update(document.meta)
    return row


def to_document(row: dict[str, Any], score: float | None = None) -> Document:
    """The Document out of a hit's `_source`."""
    meta = {name: value for name, value in row.items() if name not in RESERVED}
    blob, sparse = row.get("blob"), row.get("sparse_embedding")
    return Document(
        id=row["id"],
        content=row.get("content"),
        blob=None if blob is None else ByteStream.from_dict(blob),
        sparse_embedding=None if sparse is None else SparseEmbedding.from_dict(sparse),
        embedding=row.get("embedding"),
        meta=meta,
        score=score,
    )
