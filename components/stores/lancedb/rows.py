"""Haystack Documents as rows of the LanceDB table, and back without loss (embeddings excepted: float32)."""

import base64
import json
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from haystack import Document
from haystack.dataclasses import ByteStream, SparseEmbedding

from components.search_form import search_form
from components.stores.filter_labels import exists_label, leaves, numbers, value_labels

if TYPE_CHECKING:
    import pyarrow as pa

# What a search returns of a row: everything but the vector, and the columns that only serve filters.
DOCUMENT_COLUMNS = ["id", "content", "meta", "extra"]
VECTOR = "vector"


def field_column(field: str) -> str:
    """The column of a searchable field; those of meta are prefixed so that no meta key can hit a column of ours."""
    return "content" if field == "content" else f"text_{field}"


def schema(fields: Iterable[str], dimension: int | None, about: dict[str, Any]) -> "pa.Schema":
    """
    :param fields: The searchable fields besides `content`.
    :param dimension: Length of the embeddings; None while no document with one has been written.
    :param about: What is to be known of the table when it is opened again; kept in the schema's metadata.
    """
    import pyarrow as pa

    columns = [
        pa.field("id", pa.string(), nullable=False),
        pa.field("content", pa.string()),
        # A plain string, since a JSON column would sort the keys and change numbers beyond 64 bits.
        pa.field("meta", pa.string(), nullable=False),
        pa.field("extra", pa.string()),
        pa.field("kv", pa.list_(pa.string()), nullable=False),
        pa.field("nums", pa.json_()),
        *(pa.field(field_column(field), pa.string()) for field in fields if field != "content"),
    ]
    if dimension is not None:
        columns.append(pa.field(VECTOR, pa.list_(pa.float32(), dimension)))
    return pa.schema(columns, metadata={"excerpt": json.dumps(about)})


def to_table(documents: Sequence[Document], fields: Iterable[str], dimension: int | None) -> "pa.Table":
    """
    :raises ValueError: When a meta is not JSON, a text holds half a surrogate pair, or an embedding is of the wrong
        length or not finite; the message names the document.
    """
    import pyarrow as pa

    rows = schema(fields, dimension, {})
    columns: dict[str, Any] = {
        "id": [document.id for document in documents],
        "content": [_searched(document) for document in documents],
        "extra": [_extra(document) for document in documents],
        **meta_columns([(document.id, document.meta) for document in documents], fields),
    }
    if dimension is not None:
        columns[VECTOR] = _vectors(documents, dimension)
    arrays = [
        columns[field.name] if isinstance(columns[field.name], pa.Array) else pa.array(columns[field.name], field.type)
        for field in rows
    ]
    return pa.Table.from_arrays(arrays, schema=rows.remove_metadata())


def meta_columns(metas: Sequence[tuple[str, dict[str, Any]]], fields: Iterable[str]) -> dict[str, list[Any]]:
    """The columns made of (document id, meta): the meta itself, what filters need, and the searchable fields."""
    columns: dict[str, list[Any]] = {"meta": [], "kv": [], "nums": []}
    extra_fields = [field for field in fields if field != "content"]
    columns |= {field_column(field): [] for field in extra_fields}
    for document_id, meta in metas:
        try:
            columns["meta"].append(json.dumps(meta))
        except (TypeError, ValueError) as error:
            raise ValueError(
                f"The meta of document {document_id} cannot be kept as JSON ({error}). "
                "Convert dates to ISO strings and other objects to texts or numbers before writing."
            ) from error
        labels: dict[str, None] = {}
        for path, value in leaves(meta):
            labels[exists_label(path)] = None
            labels.update(dict.fromkeys(value_labels(path, value)))
        columns["kv"].append([_storable(label) for label in labels])
        columns["nums"].append(json.dumps({_storable(path): number for path, number in numbers(meta).items()}))
        for field in extra_fields:
            value = meta.get(field)
            columns[field_column(field)].append(_storable(search_form(value)) if isinstance(value, str) else None)
    return columns


def to_documents(table: "pa.Table") -> list[Document]:
    """The Documents of rows; with an embedding where the vector column has been fetched."""
    vectors = table[VECTOR].to_pylist() if VECTOR in table.column_names else None
    documents = []
    for position, row in enumerate(table.select(DOCUMENT_COLUMNS).to_pylist()):
        extra = json.loads(row["extra"]) if row["extra"] else {}
        documents.append(
            Document(
                id=row["id"],
                content=extra.get("content", row["content"]),
                meta=json.loads(row["meta"]),
                embedding=vectors[position] if vectors else None,
                score=extra.get("score"),
                blob=_blob(extra["blob"]) if "blob" in extra else None,
                sparse_embedding=SparseEmbedding(**extra["sparse"]) if "sparse" in extra else None,
            )
        )
    return documents


def as_vector(embedding: Sequence[float], dimension: int, whose: str) -> "np.ndarray[Any, np.dtype[np.float32]]":
    """
    :param whose: What the embedding belongs to, for the message.
    :raises ValueError: When it is not a list of `dimension` finite numbers.
    """
    vector = np.asarray(embedding, dtype=np.float32)
    if vector.shape != (dimension,):
        raise ValueError(
            f"The embedding of {whose} has {vector.size} numbers, but this store holds embeddings of {dimension}. "
            "Use the embedder the index was made with, or make it anew: `excerpt index PATH... --rebuild`"
        )
    if not np.isfinite(vector).all():
        raise ValueError(f"The embedding of {whose} holds NaN or infinite numbers")
    return vector


def stack_vectors(embeddings: Sequence[Sequence[float]], dimension: int) -> "np.ndarray[Any, np.dtype[np.float32]]":
    """The embeddings of questions as one array (n, dimension). Raises ValueError as `as_vector` does."""
    vectors = [as_vector(embedding, dimension, f"question {number}") for number, embedding in enumerate(embeddings, 1)]
    return np.stack(vectors) if vectors else np.zeros((0, dimension), dtype=np.float32)


def _vectors(documents: Sequence[Document], dimension: int) -> "pa.Array":
    import pyarrow as pa

    values = np.zeros((len(documents), dimension), dtype=np.float32)
    missing = np.zeros(len(documents), dtype=bool)
    for row, document in enumerate(documents):
        if document.embedding is None:
            missing[row] = True
        else:
            values[row] = as_vector(document.embedding, dimension, f"document {document.id}")
    return pa.FixedSizeListArray.from_arrays(pa.array(values.ravel()), dimension, mask=pa.array(missing))


def _searched(document: Document) -> str | None:
    """The content as words are looked for in it (`search_form`); where it is written otherwise, `extra` holds it."""
    text = _text(document, document.content, "content")
    return None if text is None else search_form(text)


def _text(document: Document, text: str | None, what: str) -> str | None:
    if text is not None and not text.isascii():
        try:
            text.encode()
        except UnicodeEncodeError as error:
            raise ValueError(
                f"The {what} of document {document.id} holds half a surrogate pair at character {error.start}, which "
                "is no text. Replace it before writing."
            ) from error
    return text


def _storable(text: str) -> str:
    # Meta may hold broken surrogates (JSON escapes them); what is derived from it must be UTF-8.
    return text if text.isascii() else text.encode("utf-8", "backslashreplace").decode()


def _extra(document: Document) -> str | None:
    extra: dict[str, Any] = {}
    if document.score is not None:
        extra["score"] = document.score
    if document.content is not None and search_form(document.content) != document.content:
        extra["content"] = document.content
    if document.sparse_embedding is not None:
        extra["sparse"] = document.sparse_embedding.to_dict()
    if document.blob is not None:
        data = base64.b64encode(document.blob.data).decode("ascii")
        extra["blob"] = {"data": data, "meta": document.blob.meta, "mime_type": document.blob.mime_type}
    return json.dumps(extra) if extra else None


def _blob(kept: dict[str, Any]) -> ByteStream:
    return ByteStream(data=base64.b64decode(kept["data"]), meta=kept["meta"], mime_type=kept["mime_type"])
