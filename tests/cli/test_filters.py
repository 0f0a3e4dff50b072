"""The short form of filters and Haystack's own, checked against what Haystack itself makes of them."""

import pytest
from haystack import Document
from haystack.utils.filters import document_matches_filter

from cli.filters import parse_filters


@pytest.mark.parametrize(
    ("given", "filters"),
    [
        ("year>=2020", {"field": "meta.year", "operator": ">=", "value": 2020}),
        ("meta.year = 2020", {"field": "meta.year", "operator": "==", "value": 2020}),
        ("file=a b.pdf", {"field": "meta.file_name", "operator": "==", "value": "a b.pdf"}),
        ("page<3", {"field": "meta.page_number", "operator": "<", "value": 3}),
        ('code="007"', {"field": "meta.code", "operator": "==", "value": "007"}),
        ("draft!=true", {"field": "meta.draft", "operator": "!=", "value": True}),
        ("ratio<=0.5", {"field": "meta.ratio", "operator": "<=", "value": 0.5}),
        ("url=http://x/?a=b", {"field": "meta.url", "operator": "==", "value": "http://x/?a=b"}),
        ("list=[1,2]", {"field": "meta.list", "operator": "==", "value": "[1,2]"}),
        ('{"field": "meta.y", "operator": "in", "value": [1]}', {"field": "meta.y", "operator": "in", "value": [1]}),
    ],
)
def test_forms(given: str, filters: dict) -> None:
    assert parse_filters([given]) == filters


def test_several_must_all_hold_and_none_is_none() -> None:
    assert parse_filters([]) is None
    both = parse_filters(["year>=2020", "file!=a.txt"])
    assert both is not None
    documents = [
        Document(content=n, meta={"year": y, "file_name": n}) for n, y in (("a.txt", 2021), ("b", 2021), ("c", 2019))
    ]
    assert [one.content for one in documents if document_matches_filter(both, one)] == ["b"]


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ("year", "write field=value"),
        ("year>March", "numbers and ISO 8601 dates"),
        ("content>3", "texts are not ordered"),
        (
            '{"operator": "OR", "conditions": ['
            + ", ".join(f'{{"field": "meta.f{n}", "operator": "==", "value": 1}}' for n in range(2000))
            + "]}",
            "2,000 conditions are left",
        ),
        (
            ('{"operator": "NOT", "conditions": [' * 40)
            + '{"field": "meta.a", "operator": "==", "value": 1}'
            + "]}" * 40,
            "deep",
        ),
        ('{"a":' * 100_000, "nested too deep"),
        ("year ~ 3", "write field=value"),
        ('{"field": "meta.y"', "not valid JSON"),
        ('{"field": "meta.y", "operator": "=", "value": 1}', "allowed are ==, !="),
        ('{"field": "meta.y", "operator": "=="}', "`value` is missing"),
        ('{"field": "meta.y", "operator": "in", "value": 3}', "needs a list"),
        ('{"operator": "XOR", "conditions": []}', "AND, OR, NOT"),
        ('{"operator": "AND", "conditions": []}', "at least one"),
        (
            '{"operator": "NOT", "conditions": [{"field": "", "operator": "==", "value": 1}]}',
            r"conditions\[0\]: field ''",
        ),
    ],
)
def test_what_is_wrong_is_said(given: str, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        parse_filters([given])
