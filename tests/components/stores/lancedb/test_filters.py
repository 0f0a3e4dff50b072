"""Filters inside the database mean what Haystack's own function says they mean."""

import itertools

import pytest
from haystack import Document
from haystack.errors import FilterError
from haystack.utils.filters import document_matches_filter
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from components.stores.filters import MAX_DEPTH
from components.stores.lancedb import LanceDBDocumentStore
from components.stores.lancedb.filters import to_sql

KEYS = ["a", "b", "it's", "sp ace", "", "dot.ted", "back\\slash", "sep\x1farator", "?a", "=a", "日本", "n\nl", 'q"uote']
TEXTS = st.one_of(
    st.sampled_from(
        [
            "",
            "x",
            "1",
            "True",
            "it's",
            "a\\",
            "two\nlines",
            "nul\x00",
            "z" * 200,
            "z" * 201,
            "2024-05-31",
            "2024-05-31T00:00:00",
            "2024-05-31T00:00:00Z",
            "2024-05-31 02:00:00+02:00",
            "2024-05-30T24:00",
            "2024-02-30",
            "0001-01-01T00:00:00+14:00",
            "9999-12-31T23:59:59-12:00",
        ]
    ),
    st.text(max_size=5),
)
NUMBERS = st.one_of(
    st.booleans(),
    st.integers(-3, 3),
    st.sampled_from([0.5, 1.0, -2.5, 1e300, float("inf"), float("-inf"), 2**53, 2**70, -(2**63), -0.0]),
    st.floats(allow_nan=False, width=32),
)
SCALARS = st.one_of(st.none(), TEXTS, NUMBERS)
VALUES = st.one_of(SCALARS, st.lists(SCALARS, max_size=2), st.dictionaries(st.sampled_from(KEYS), SCALARS, max_size=2))
METAS = st.dictionaries(st.sampled_from(KEYS), VALUES, max_size=5)
FIELDS = st.one_of(
    st.sampled_from(KEYS).filter(lambda key: "." not in key),
    st.lists(st.sampled_from(KEYS), min_size=1, max_size=2).map(lambda keys: "meta." + ".".join(keys)),
    st.sampled_from(["unknown.field", "content.a"]),
)
# Ordering is defined for numbers and dates, of the same kind on both sides; beyond, Haystack raises while it reads.
DATES = ["2024-05-31", "2024-05-31T12:00:00", "2024-05-31T12:00:00Z", "2024-06-01T01:00:00+14:00", "1969-07-21"]
ORDERED = {"number": NUMBERS, "when": st.sampled_from(DATES)}


def comparisons():
    single = st.builds(
        lambda field, operator, value: {"field": field, "operator": operator, "value": value},
        FIELDS,
        st.sampled_from(["==", "!="]),
        VALUES,
    )
    several = st.builds(
        lambda field, operator, values: {"field": field, "operator": operator, "value": values},
        FIELDS,
        st.sampled_from(["in", "not in"]),
        st.lists(VALUES, max_size=3),
    )
    ordered = st.sampled_from(list(ORDERED)).flatmap(
        lambda name: st.builds(
            lambda operator, value: {"field": f"meta.{name}", "operator": operator, "value": value},
            st.sampled_from([">", ">=", "<", "<="]),
            st.one_of(st.none(), ORDERED[name]),
        )
    )
    texts = st.builds(
        lambda field, operator, value: {"field": field, "operator": operator, "value": value},
        st.sampled_from(["id", "content"]),
        st.sampled_from(["==", "!="]),
        st.sampled_from(["0", "1", "text 0", "it's", None]),
    )
    return st.one_of(single, several, ordered, texts)


FILTERS = st.recursive(
    comparisons(),
    lambda inner: st.builds(
        lambda operator, conditions: {"operator": operator, "conditions": conditions},
        st.sampled_from(["AND", "OR", "NOT"]),
        st.lists(inner, max_size=3),
    ),
    max_leaves=6,
)
DOCUMENT_METAS = st.builds(
    lambda meta, ordered: meta | ordered, METAS, st.fixed_dictionaries({}, optional=dict(ORDERED.items()))
)


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    store = LanceDBDocumentStore(tmp_path_factory.mktemp("filters") / "store", durable=False)
    yield store
    store.close()


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(metas=st.lists(DOCUMENT_METAS, min_size=1, max_size=8), filters=st.lists(FILTERS, min_size=8, max_size=8))
def test_filters_match_what_haystack_matches(store, metas, filters):
    store.delete_all_documents()
    documents = [
        Document(id=str(number), content=None if number % 3 == 2 else f"text {number}", meta=meta)
        for number, meta in enumerate(metas)
    ]
    store.write_documents(documents)
    assert [one.meta for one in store.filter_documents()] == metas
    for one in filters:
        expected = [document.id for document in documents if document_matches_filter(one, document)]
        assert [document.id for document in store.filter_documents(one)] == expected, one
        assert store.count_documents_by_filter(one) == len(expected)


def test_the_label_index_changes_nothing(tmp_path):
    store = LanceDBDocumentStore(tmp_path / "store", durable=False)
    documents = [Document(id=f"{n:03}", meta={"n": n, "odd": bool(n % 2), "none": None}) for n in range(300)]
    store.write_documents(documents)
    store.optimise()
    store.write_documents([Document(id="new", meta={"n": 7})])  # not in the index yet
    documents.append(Document(id="new", meta={"n": 7}))
    for one in (
        {"field": "meta.n", "operator": "==", "value": 7},
        {"field": "meta.odd", "operator": "!=", "value": True},
        {"operator": "NOT", "conditions": [{"field": "meta.n", "operator": ">=", "value": 5}]},
        {"field": "meta.none", "operator": "==", "value": None},
        {"field": "meta.n", "operator": "in", "value": list(range(0, 4000, 2))},
    ):
        expected = {document.id for document in documents if document_matches_filter(one, document)}
        assert {document.id for document in store.filter_documents(one)} == expected
    store.close()


def nested(depth: int, operators: str) -> dict:
    node = {"field": "meta.a", "operator": "==", "value": 1}
    for operator in itertools.islice(itertools.cycle(operators.split()), depth):
        node = {"operator": operator, "conditions": [node, {"field": "meta.b", "operator": "==", "value": 2}]}
    return node


@pytest.mark.parametrize("operators", ["NOT", "AND OR", "OR NOT", "NOT AND OR"])
def test_deep_filters_work_up_to_the_limit_and_are_refused_beyond(store, operators):
    store.delete_all_documents()
    documents = [Document(id="x", meta={"a": 1}), Document(id="y", meta={"a": 1, "b": 2}), Document(id="z")]
    store.write_documents(documents)
    deepest = nested(MAX_DEPTH, operators)
    expected = [document.id for document in documents if document_matches_filter(deepest, document)]
    assert [document.id for document in store.filter_documents(deepest)] == expected
    with pytest.raises(FilterError, match="deep"):
        store.filter_documents(nested(60, operators))
    with pytest.raises(FilterError, match="deep"):
        to_sql(nested(20_000, operators))


@pytest.mark.parametrize("operator", ["AND", "OR"])
def test_nesting_of_one_operator_counts_as_one_level(store, operator):
    store.delete_all_documents()
    store.write_documents([Document(id="x", meta={"a": 1, "b": 2})])
    assert len(store.filter_documents(nested(300, operator))) == 1


def test_wide_filters(store):
    store.delete_all_documents()
    store.write_documents([Document(id=str(n), meta={"n": n}) for n in range(50)])
    conditions = [{"field": "meta.n", "operator": "==", "value": n} for n in range(0, 5000, 2)]
    assert len(store.filter_documents({"operator": "OR", "conditions": conditions})) == 25


def test_no_filter_deletes_everything(store):
    for change in (store.delete_by_filter, lambda filters: store.update_by_filter(filters, {"a": 1})):
        with pytest.raises(FilterError, match="delete_all_documents"):
            change({})
