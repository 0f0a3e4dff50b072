"""A field of meta holds one type, by the mapping, by earlier documents, by earlier values; no server is asked."""

from typing import Any

import pytest

from components.stores.elasticsearch.index.field_types import FieldTypes

MAPPING = {
    "properties": {
        "year": {"type": "double"},
        "author": {"type": "keyword"},
        "place": {"properties": {"name": {"type": "keyword"}, "floor": {"type": "double"}}},
    }
}


class Mapping:
    def __init__(self, mapping: dict[str, Any]) -> None:
        self.mapping, self.reads = mapping, 0

    def __call__(self) -> dict[str, Any]:
        self.reads += 1
        return self.mapping


@pytest.fixture
def mapping() -> Mapping:
    return Mapping(MAPPING)


@pytest.fixture
def field_types(mapping: Mapping) -> FieldTypes:
    types = FieldTypes(mapping, frozenset({"chosen"}))
    types.begin_write()
    return types


@pytest.mark.parametrize(
    ("meta", "field"),
    [
        ({"year": "1999"}, "year"),
        ({"author": 5}, "author"),
        ({"author": True}, "author"),
        ({"place": {"floor": "ground"}}, "place.floor"),
        ({"year": [1999, "later"]}, "year"),
        ({"new": [1, "two"]}, "new"),
    ],
)
def test_another_type_is_told_with_the_field(field_types, meta, field):
    name, reason = field_types.find_conflict(meta)
    assert name == field
    assert reason.startswith(f"field {field} holds another type")
    assert "meta_fields" in reason


@pytest.mark.parametrize(
    "meta",
    [
        {"year": 1999},
        {"year": 1999.5},
        {"year": [1, 2.5]},
        {"year": None},
        {"author": "Ada"},
        {"place": {"name": "hall", "floor": 2}},
        {"new": "text"},
        {"chosen": 1},
        {"chosen": {"below": "text"}},
    ],
)
def test_what_fits_is_no_conflict(field_types, meta):
    assert field_types.find_conflict(meta) is None


def test_earlier_documents_of_one_write_count(field_types):
    assert field_types.find_conflict({"new": 1}) is None
    assert field_types.find_conflict({"new": "one"}) is not None


def test_a_document_with_a_conflict_leaves_nothing_behind(field_types):
    assert field_types.find_conflict({"new": 1, "year": "x"}) is not None
    assert field_types.find_conflict({"new": "one"}) is None


def test_what_a_write_brought_counts_later_only_if_the_index_holds_it(field_types):
    field_types.find_conflict({"new": 1})
    field_types.begin_write()
    assert field_types.find_conflict({"new": "one"}) is None


def test_the_mapping_is_read_once_a_write_and_only_for_fields_not_known(field_types, mapping):
    for _ in range(3):
        field_types.find_conflict({"year": 1, "new": 2})
    assert mapping.reads == 1
    field_types.begin_write()
    field_types.find_conflict({"year": 1})
    assert mapping.reads == 1
    field_types.find_conflict({"other": 1})
    assert mapping.reads == 2
