"""Documents as rows and back, and which can never be stored; no server is asked."""

from typing import Any

import numpy as np
import pytest
from haystack import Document
from haystack.dataclasses import ByteStream, SparseEmbedding

from components.stores.elasticsearch.client.smile import encode
from components.stores.elasticsearch.index.field_types import FieldTypes
from components.stores.elasticsearch.index.rows import make_actions, partition_storable, to_document, to_row


@pytest.fixture
def field_types() -> FieldTypes:
    return FieldTypes(dict, frozenset())


FULL = Document(
    id="full",
    content="text",
    blob=ByteStream(b"\x00\xff", {"a": 1}, "image/png"),
    sparse_embedding=SparseEmbedding([1, 5], [0.5, 0.25]),
    meta={"title": "A", "year": 1889, "nested": {"list": [1, 2]}, "none": None},
)


@pytest.mark.parametrize("document", [FULL, Document(id="bare"), Document(id="empty", content="")])
def test_a_document_comes_back_as_it_was(document):
    again = to_document(to_row(document))
    assert again == document
    assert list(again.meta) == list(document.meta)


def test_a_row_brings_vector_and_score_where_there_are_some():
    document = to_document({"id": "a", "embedding": [1.0, 2.0]}, score=0.5)
    assert (document.embedding, document.score) == ([1.0, 2.0], 0.5)


@pytest.mark.parametrize(
    ("document", "field", "named"),
    [
        (Document(id="a", meta={"content": "x"}), None, "meta holds content, which is the Document's own"),
        (Document(id="a", embedding=[1.0, 2.0]), "embedding", "has 2 numbers, but the index holds vectors of 3"),
        (Document(id="é" * 300), "id", "600 bytes long"),
        (Document(id="a", meta={"year": "long ago"}), "year", "holds another type"),
    ],
)
def test_what_never_can_be_stored_is_parted_off(document, field, named, field_types):
    fine = Document(id="fine", embedding=[1.0, 2.0, 3.0], meta={"year": 1999})
    storable, refused = partition_storable([fine, document], 3, field_types)
    assert storable == [fine]
    assert [(one.id, one.field) for one in refused] == [(document.id, field)]
    assert named in refused[0].reason


def test_the_first_vector_decides_the_length_of_an_empty_index(field_types):
    vectors = {"none": None, "two": [1.0, 2.0], "three": [1.0, 2.0, 3.0]}
    documents = [Document(id=name, embedding=vector) for name, vector in vectors.items()]
    storable, refused = partition_storable(documents, None, field_types)
    assert [one.id for one in storable] == ["none", "two"]
    assert [one.id for one in refused] == ["three"]


@pytest.mark.parametrize("documents", [[{"id": "a"}], "abc", None, (Document(id="a"),)])
def test_what_is_no_list_of_documents(documents, field_types):
    with pytest.raises(ValueError, match="list of haystack Documents"):
        partition_storable(documents, None, field_types)


def test_actions_leave_out_what_turns_out_not_to_be_storable():
    documents: list[Any] = [
        Document(id="nan", embedding=[float("nan"), 1.0]),
        Document(id="fine", embedding=[1.0, 2.0], meta={"a": 1}),
        Document(id="surrogate", content="\ud800"),
        Document(id="object", meta={"x": {"y": object()}}),
        Document(id="plain", content="text"),
    ]
    refused: list[Any] = []
    actions = list(make_actions(documents, "index", refused))
    assert [one.id for one in actions] == ["fine", "plain"]
    assert [(one.id, one.field) for one in refused] == [
        ("nan", "embedding"), ("surrogate", "content"), ("object", "x"),
    ]  # fmt: skip
    assert actions[1].source == encode(to_row(documents[4]))


def test_each_vector_goes_to_its_own_document_across_blocks():
    """More documents than are encoded in one go, every third without a vector."""
    documents = [Document(id=f"{i}", embedding=[float(i), 1.0] if i % 3 else None) for i in range(600)]
    actions = make_actions(documents, "create", [])
    for document, action in zip(documents, actions, strict=True):
        row = to_row(document)
        if document.embedding is not None:
            row["embedding"] = np.asarray(document.embedding, dtype=np.float32)
            vector = action.source.split(b"\x88embedding")[1]
            number = np.float32(document.embedding[0]).view(np.uint32)
            bits = bytes(int(number >> np.uint32(7 * (4 - place))) & 0x7F for place in range(5))
            assert vector.startswith(b"\xf8\x28" + bits)
        else:
            assert b"embedding" not in action.source
