"""SMILE against the specification's bytes, and a real server as the reader that must understand all of it."""

import struct

import numpy as np
import pytest
from haystack import Document
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from components.stores.elasticsearch import ElasticsearchDocumentStore
from components.stores.elasticsearch.client.smile import HEADER, encode, float32_arrays
from components.stores.elasticsearch.index.mapping import IndexDesign


@pytest.mark.parametrize(
    ("value", "coded"),
    [
        (None, "21"), (True, "23"), (False, "22"), ("", "20"), (0, "c0"), (-1, "c1"), (15, "de"), (-16, "df"),
        (16, "24a0"), (1889, "243b82"), ("abc", "e0616263fc"), ("é", "e4c3a9fc"), ([], "f8f9"), ({}, "fafb"),
        ({"a": 1}, "fa8061c2fb"), ({"": 1}, "fa20c2fb"), ({"é": 1}, "fa34c3a9fcc2fb"),
        (1.0, "29003f7800000000000000"),
    ],
)  # fmt: skip
def test_bytes_of_the_specification(value, coded):
    assert encode(value) == HEADER + bytes.fromhex(coded)


@given(arrays.arrays(np.float32, st.tuples(st.integers(1, 4), st.integers(1, 9)), elements=st.floats(width=32)))
def test_floats_keep_every_bit(vectors):
    for row, coded in zip(vectors, float32_arrays(vectors), strict=True):
        assert (coded[0], coded[-1]) == (0xF8, 0xF9)
        for place, number in enumerate(row):
            token = coded[1 + 6 * place : 7 + 6 * place]
            bits = 0
            for byte in token[1:]:
                assert byte < 0x80
                bits = bits << 7 | byte
            assert token[0] == 0x28
            assert bits.to_bytes(4, "big") == struct.pack(">f", number)


@pytest.mark.parametrize(
    ("value", "error"),
    [("\ud800", "surrogate"), (2**64, "64 bits"), (object(), "type object"), ({1: 2}, "must be text"), (b"x", "bytes")],
)
def test_what_cannot_be_kept_is_refused(value, error):
    with pytest.raises((TypeError, ValueError), match=error):
        encode(value)


TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=80)
NAMES = st.text("abcdefgh_-é大🕌", min_size=1, max_size=90).filter(str.strip)
VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**63 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | TEXT,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(NAMES, inner, max_size=4),
    max_leaves=12,
)


@pytest.mark.elasticsearch
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(value=VALUES, content=TEXT)
def test_a_real_server_gives_back_what_it_was_given(kept, value, content):
    """In a field that is kept but not indexed, so that any value goes."""
    document = Document(id="one", content=content, meta={"kept": {"value": value}}, embedding=[0.1, 1e-30, -3.5, 7.0])
    kept.delete_documents(["one"])
    kept.write_documents([document])
    [back] = kept.filter_documents()
    assert back.meta == document.meta
    assert back.content == content
    assert np.float32(back.embedding).tolist() == np.float32(document.embedding).tolist()


@pytest.fixture
def kept(elasticsearch_url, index_name):
    mapping = IndexDesign().mapping()
    mapping["properties"]["kept"] = {"type": "object", "enabled": False}
    store = ElasticsearchDocumentStore(hosts=elasticsearch_url, index=index_name, replicas=0, custom_mapping=mapping)
    yield store
    store.close()
