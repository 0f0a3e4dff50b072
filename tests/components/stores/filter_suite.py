"""A filter means the same in every store, and what Haystack's rule says: the suite over `filter_table`."""

from typing import Any

import pytest
from haystack import Document
from haystack.errors import FilterError
from haystack.utils.filters import document_matches_filter

from tests.components.stores.filter_table import documents, filters


def by_the_rule(condition: dict[str, Any], document: Document) -> bool:
    """Haystack's rule, each comparison by itself: one that it cannot decide is false, not the end of all."""
    if "field" not in condition:
        found = [by_the_rule(one, document) for one in condition["conditions"]]
        return {"AND": all(found), "OR": any(found), "NOT": not all(found)}[condition["operator"]]
    try:
        return bool(document_matches_filter(condition, document))
    except (FilterError, TypeError):
        return False


class FilterSuite:
    @pytest.fixture
    def document_store(self):
        raise NotImplementedError("override with an empty store")

    def test_every_filter_of_the_table_leaves_what_the_rule_says(self, document_store):
        written = documents()
        document_store.write_documents(written)
        wrong = {}
        for condition in filters():
            expected = sorted(one.id for one in written if by_the_rule(condition, one))
            try:
                found = sorted(one.id for one in document_store.filter_documents(condition))
            except Exception as error:  # all that differ are told at once
                found = [f"{type(error).__name__}: {error}"[:200]]
            if found != expected:
                wrong[str(condition)[:160]] = (found, expected)
        assert not wrong, "\n".join(f"{one}\n  {found}\n  {expected}" for one, (found, expected) in wrong.items())

    def test_what_is_changed_is_found_by_its_new_value(self, document_store):
        document_store.write_documents([Document(id="a", content="x", meta={"k": ["x"], "n": 1})])
        old, new = ({"field": "meta.k", "operator": "==", "value": value} for value in (["x"], ["x", "y"]))
        assert document_store.update_by_filter(old, {"k": ["x", "y"]}) == 1
        assert [len(document_store.filter_documents(one)) for one in (old, new)] == [0, 1]
        kept = document_store.filter_documents({"field": "meta.n", "operator": "==", "value": 1})
        assert [one.meta for one in kept] == [{"k": ["x", "y"], "n": 1}]
