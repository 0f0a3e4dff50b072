"""A question goes one way: by its language, by how it begins, or the way of the rest."""

import pytest
from haystack import Pipeline

from components.routing import QuestionRouter

ROUTES = {"german": {"languages": ["de-AT"]}, "dates": {"begins": ["When", "in what year"], "languages": ["en"]}}


@pytest.mark.parametrize(
    ("question", "route"),
    [
        ("Wann wurde die Brücke eröffnet?", "german"),
        ("when was the bridge opened?", "dates"),
        ("In what year did the bridge open?", "dates"),
        ("Whenever did it open?", "rest"),
        ("What opened when?", "rest"),
        ("Quand le pont a-t-il été ouvert ?", "rest"),
        ("", "rest"),
    ],
)
def test_the_first_route_that_fits(question: str, route: str) -> None:
    assert QuestionRouter(ROUTES, "rest").run(query=question) == {route: question}


@pytest.mark.parametrize(
    ("routes", "otherwise", "told"),
    [
        ({"a": {"begin": ["when"]}}, "rest", "unknown condition 'begin'; did you mean begins"),
        ({"a": {}}, "rest", "'a' needs a list of words"),
        ({"a": {"begins": "when"}}, "rest", "'a' needs a list of words"),
        ({"a b": {"begins": ["when"]}}, "rest", "named like a variable, got 'a b'"),
        ({"a": {"begins": ["when"]}}, "a", "a route of its own"),
    ],
)
def test_routes_that_mean_nothing_are_refused(routes: dict[str, dict[str, list[str]]], otherwise: str, told: str):
    with pytest.raises(ValueError, match=told):
        QuestionRouter(routes, otherwise)


def test_yaml_round_trip() -> None:
    pipeline = Pipeline()
    pipeline.add_component("router", QuestionRouter(ROUTES, "rest", language="de"))
    again = Pipeline.loads(pipeline.dumps(), allowed_modules=["components.*"]).get_component("router")
    assert (again.routes, again.otherwise, again.language) == (ROUTES, "rest", "de")
    assert pipeline.run({"router": {"query": "1874"}}) == {"router": {"german": "1874"}}
