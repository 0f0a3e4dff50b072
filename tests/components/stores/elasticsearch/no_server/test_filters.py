"""Filters as Elasticsearch queries; what the queries find is the shared suite's to show; no server is asked."""

import pytest
from haystack.errors import FilterError

from components.stores.elasticsearch.filters import require_query, to_query


def is_(field: str, operator: str, value: object) -> dict[str, object]:
    return {"field": f"meta.{field}", "operator": operator, "value": value}


def all_of(*conditions: object) -> dict[str, object]:
    return {"operator": "AND", "conditions": list(conditions)}


def any_of(*conditions: object) -> dict[str, object]:
    return {"operator": "OR", "conditions": list(conditions)}


MISSING = {"bool": {"must_not": [{"exists": {"field": "a"}}]}}


@pytest.mark.parametrize(
    ("filters", "expected"),
    [
        (None, None),
        ({}, None),
        (is_("a", "==", 1), {"term": {"a": 1}}),
        (is_("a", "!=", 1), {"bool": {"must_not": [{"term": {"a": 1}}]}}),
        (is_("a", "==", None), MISSING),
        (is_("a", "!=", None), {"bool": {"must_not": [MISSING]}}),
        (is_("a", ">", 1), {"range": {"a": {"gt": 1}}}),
        (is_("a", "<=", "2024-05-31"), {"range": {"a": {"lte": "2024-05-31"}}}),
        (is_("a", ">", None), {"match_none": {}}),
        (is_("a", "in", [1, 2]), {"terms": {"a": [1, 2]}}),
        (is_("a", "not in", [1, 2]), {"bool": {"must_not": [{"terms": {"a": [1, 2]}}]}}),
        (
            is_("a", "in", [1, None]),
            {"bool": {"should": [{"terms": {"a": [1]}}, MISSING], "minimum_should_match": 1}},
        ),
        ({"field": "content", "operator": "==", "value": "x"}, {"term": {"content": "x"}}),
        (
            all_of(is_("a", "==", 1), is_("b", "==", 2)),
            {"bool": {"filter": [{"term": {"a": 1}}, {"term": {"b": 2}}]}},
        ),
        (
            any_of(is_("a", "==", 1), is_("b", "==", 2)),
            {"bool": {"should": [{"term": {"a": 1}}, {"term": {"b": 2}}], "minimum_should_match": 1}},
        ),
        (
            {"operator": "NOT", "conditions": [is_("a", "==", 1), is_("b", "==", 2)]},
            {"bool": {"must_not": [{"bool": {"filter": [{"term": {"a": 1}}, {"term": {"b": 2}}]}}]}},
        ),
        (any_of(*(is_("a", "==", number) for number in range(3))), {"terms": {"a": [0, 1, 2]}}),
        (any_of(), {"match_none": {}}),
        (all_of(is_("a", ">=", 1), is_("a", "<", 5)), {"bool": {"filter": [{"range": {"a": {"gte": 1, "lt": 5}}}]}}),
        (
            all_of(is_("a", ">", 1), is_("a", ">", 5), is_("b", "<", 3), is_("a", "<", 9)),
            {
                "bool": {
                    "filter": [
                        {"range": {"a": {"gt": 1}}},
                        {"range": {"a": {"gt": 5, "lt": 9}}},
                        {"range": {"b": {"lt": 3}}},
                    ]
                }
            },
        ),
        (
            any_of(is_("a", "<", 1), is_("a", ">", 5)),
            {"bool": {"should": [{"range": {"a": {"lt": 1}}}, {"range": {"a": {"gt": 5}}}], "minimum_should_match": 1}},
        ),
    ],
)
def test_queries_of_an_index_without_labels(filters, expected):
    assert to_query(filters, labelled=False) == expected


def label(*values: str) -> dict[str, object]:
    return {"terms": {"meta_labels": list(values)}}


WITHOUT_A = {"bool": {"must_not": [{"term": {"meta_labels": "?a"}}]}}


@pytest.mark.parametrize(
    ("filters", "expected"),
    [
        (is_("a", "==", 1), label("=a\x1fn:1")),
        (is_("a", "!=", "1"), {"bool": {"must_not": [label("=a\x1fs:1")]}}),
        (is_("a", "==", None), WITHOUT_A),
        (is_("a", "in", []), {"match_none": {}}),
        (
            is_("a", "in", ["x", None]),
            {"bool": {"should": [label("=a\x1fs:x"), WITHOUT_A], "minimum_should_match": 1}},
        ),
        (is_("who.age", "==", 36), label("=who\x1fage\x1fn:36")),
        (is_("page_number", "==", 1), {"terms": {"page_number": [1]}}),
        (is_("page_number", "==", "1"), {"terms": {"page_number": []}}),
        (is_("source_id", "==", "s"), {"terms": {"source_id": ["s"]}}),
        ({"field": "id", "operator": "==", "value": "x"}, {"term": {"id": "x"}}),
        (
            is_("a", ">", 1),
            {"bool": {"filter": [{"term": {"meta_labels": "#a"}}, {"range": {"a": {"gt": 1}}}]}},
        ),
    ],
)
def test_queries(filters, expected):
    assert to_query(filters) == expected


def test_a_list_of_more_labels_than_elasticsearch_takes_is_divided():
    query = to_query(
        is_("when", "in", [f"2024-01-01T{hour:02}:00:00.{number:06}" for hour in range(4) for number in range(9000)])
    )
    lists = [one["terms"]["meta_labels"] for one in query["bool"]["should"]]
    assert max(map(len, lists)) <= 65_536 and len(lists) > 1


def test_forty_thousand_equalities_are_one_list():
    query = to_query(any_of(*(is_("source_id", "==", f"{number}") for number in range(40_000))))
    assert len(query["terms"]["source_id"]) == 40_000


def test_a_filter_is_bounded_in_width_and_depth():
    with pytest.raises(FilterError, match="40,000 conditions"):
        to_query(any_of(*(is_(f"field{number}", "==", 1) for number in range(40_000))))
    nested: dict[str, object] = is_("a", "==", 1)
    for number in range(400):
        nested = (all_of if number % 2 else any_of)(nested, is_("b", ">", number))
    with pytest.raises(FilterError, match="deep"):
        to_query(nested)


@pytest.mark.parametrize("filters", [None, {}, all_of()])
def test_what_is_changed_needs_a_filter(filters):
    with pytest.raises(FilterError, match="delete_all_documents"):
        require_query(filters)
