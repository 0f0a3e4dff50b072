"""Converts Documents to `_source` rows, with meta laid flat, and back; raises ValueError for what is no Document."""

from collections.abc import Iterator, Sequence
from itertools import islice
from typing import Any

import numpy as np
from haystack import Document
from haystack.dataclasses import ByteStream, SparseEmbedding

from components.search_form import search_form
from components.stores.contract import Refused
from components.stores.elasticsearch.client.errors import explain_dimension
from components.stores.elasticsearch.client.smile import Raw, encode, float32_arrays
from components.stores.elasticsearch.filters import labels_of
from components.stores.elasticsearch.index.bulk import Action, Operation
from components.stores.elasticsearch.index.field_types import FieldTypes
from components.stores.elasticsearch.index.mapping import LABELS, RESERVED, WRITTEN

LONGEST_ID = 512  # bytes; a longer one has Elasticsearch refuse the whole request it comes in
_TOGETHER = 256  # documents whose vectors are encoded in one go


def partition_storable(
    documents: Any, dims: int | None, field_types: FieldTypes
) -> tuple[list[Document], list[Refused]]:
    """
    Part what can be stored from what never could.

    :param dims: Length of the index's vectors; None takes that of the first document that has one.
    :param field_types: What the fields of meta hold so far.
    :returns: The documents to write, and the others with the field that is to blame.
    :raises ValueError: When `documents` is no list of Documents.
    """
    if not isinstance(documents, list) or not all(isinstance(document, Document) for document in documents):
        raise ValueError("write_documents takes a list of haystack Documents")
    good, bad = [], []
    field_types.begin_write()
    for document in documents:
        length = None if document.embedding is None else len(document.embedding)
        dims = dims or length
        if taken := RESERVED & document.meta.keys():
            names = ", ".join(sorted(taken))
            bad.append(Refused(document.id, None, f"meta holds {names}, which is the Document's own: rename it"))
        elif length is not None and dims is not None and length != dims:
            bad.append(Refused(document.id, "embedding", explain_dimension(length, dims)))
        elif (length_of_id := len(document.id.encode(errors="replace"))) > LONGEST_ID:
            reason = f"the id is {length_of_id} bytes long, Elasticsearch takes {LONGEST_ID} at most"
            bad.append(Refused(document.id, "id", reason))
        elif (conflict := field_types.find_conflict(document.meta)) is not None:
            bad.append(Refused(document.id, *conflict))
        else:
            good.append(document)
    return good, bad


def make_actions(
    documents: Sequence[Document], operation: Operation, refused: list[Refused], labelled: bool = True
) -> Iterator[Action]:
    """
    What to send for each document.

    :param refused: Gets the documents that turn out to hold what cannot be stored; they are left out.
    :param labelled: Whether the index keeps labels for filters.
    """
    remaining = iter(documents)
    while block := list(islice(remaining, _TOGETHER)):
        vectors = iter(_encode_vectors(block))
        for document in block:
            row = to_row(document, labelled)
            if document.embedding is not None:
                if (vector := next(vectors)) is None:
                    reason = "field embedding holds NaN or infinite numbers"
                    refused.append(Refused(document.id, "embedding", reason))
                    continue
                row["embedding"] = vector
            try:
                yield Action(operation, document.id, encode(row))
            except (TypeError, ValueError) as error:
                refused.append(_blame_field(document.id, row, error))


def _encode_vectors(documents: Sequence[Document]) -> list[Raw | None]:
    """The encoded vectors of those that have one, None where it holds what is no number."""
    embedded = [document.embedding for document in documents if document.embedding is not None]
    if not embedded:
        return []
    vectors = np.asarray(embedded, dtype=np.float32)
    finite = np.atleast_1d(np.isfinite(vectors).all(axis=1))
    return [raw if good else None for raw, good in zip(float32_arrays(vectors), finite, strict=True)]


def _blame_field(document_id: str, row: dict[str, Any], error: Exception) -> Refused:
    for name, value in row.items():
        try:
            encode(value)
        except (TypeError, ValueError) as of_the_field:
            return Refused(document_id, name, f"field {name}: {of_the_field}")
    return Refused(document_id, None, str(error))  # a name that is no text


def to_row(document: Document, labelled: bool = True) -> dict[str, Any]:
    """
    Everything but the embedding.

    :param labelled: Whether the index keeps labels for filters.
    """
    row: dict[str, Any] = {"id": document.id}
    if document.content is not None:
        row["content"] = search_form(document.content)
        if row["content"] != document.content:
            row[WRITTEN] = document.content
    if document.blob is not None:
        row["blob"] = document.blob.to_dict()
    if document.sparse_embedding is not None:
        row["sparse_embedding"] = document.sparse_embedding.to_dict()
    if labelled and (labels := labels_of(document.meta)):
        row[LABELS] = labels
    row.update(document.meta)
    return row


def to_document(row: dict[str, Any], score: float | None = None) -> Document:
    """The Document out of a hit's `_source`."""
    meta = {name: value for name, value in row.items() if name not in RESERVED}
    blob, sparse = row.get("blob"), row.get("sparse_embedding")
    return Document(
        id=row["id"],
        content=row.get(WRITTEN, row.get("content")),
        blob=None if blob is None else ByteStream.from_dict(blob),
        sparse_embedding=None if sparse is None else SparseEmbedding.from_dict(sparse),
        embedding=row.get("embedding"),
        meta=meta,
        score=score,
    )
