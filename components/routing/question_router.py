"""A question goes one of several ways, chosen by its language or by how it begins."""

from collections.abc import Mapping
from typing import Any

from haystack import component

from components.questions import WORD
from components.routing.question_language import question_language
from components.suggest import suggest

_CONDITIONS = ("begins", "languages")


@component
class QuestionRouter:
    """
    Hands the question to the first route that it fits, and to no other: what hangs on the others does not run.

    Each route is an output of its name. Haystack runs a reader once it has its question and its passages; so connect a
    route with the `query` of a reader, passages with every reader, and join their answers.

    ```python
    router = QuestionRouter(routes={"dates": {"begins": ["when", "in what year"]}}, otherwise="rest")
    router.run(query="When was it built?")  # {"dates": "When was it built?"}
    ```
    """

    # Haystack names a component by the module it says it is from, and YAML by this one.
    __module__ = "components.routing"

    def __init__(
        self, routes: dict[str, dict[str, list[str]]], otherwise: str = "otherwise", language: str = "en"
    ) -> None:
        """
        :param routes: Name of a route -> its conditions: `begins`, words with which the question begins, in any case;
            `languages`, ISO codes. All conditions given must hold, one of each list is enough. The first route wins.
        :param otherwise: Name of the route for questions that fit none.
        :param language: ISO code taken for questions that do not show their language, such as a name alone.
        :raises ValueError: For a route without conditions, an unknown condition, or a name twice.
        """
        for name, conditions in routes.items():
            if not name.isidentifier():
                raise ValueError(f"QuestionRouter: a route is named like a variable, got {name!r}")
            unknown = [key for key in conditions if key not in _CONDITIONS]
            if unknown:
                raise ValueError(
                    f"QuestionRouter: route {name!r} has the unknown condition {unknown[0]!r}"
                    f"{suggest(unknown[0], _CONDITIONS)}"
                )
            if not any(conditions.values()) or any(isinstance(given, str) for given in conditions.values()):
                raise ValueError(
                    f"QuestionRouter: route {name!r} needs a list of words in `begins`, or of ISO codes in `languages`"
                )
        if otherwise in routes or not otherwise.isidentifier():
            raise ValueError(
                f"QuestionRouter: otherwise must name a route of its own, like a variable, got {otherwise!r}"
            )
        self.routes = routes
        self.otherwise = otherwise
        self.language = language
        component.set_output_types(self, **dict.fromkeys((*routes, otherwise), str))

    def run(self, query: str) -> dict[str, Any]:
        """
        :param query: The question.
        :returns: The question under the name of its route alone.
        """
        return {self._route(query): query}

    def _route(self, query: str) -> str:
        words = [word.casefold() for word in WORD.findall(query)]
        language: str | None = None
        for name, conditions in self.routes.items():
            if conditions.get("languages"):
                language = language or question_language(query, self.language)
                if language not in _codes(conditions):
                    continue
            if conditions.get("begins") and not any(_begins(words, phrase) for phrase in conditions["begins"]):
                continue
            return name
        return self.otherwise


def _codes(conditions: Mapping[str, list[str]]) -> set[str]:
    return {code.lower().partition("-")[0] for code in conditions["languages"]}


def _begins(words: list[str], phrase: str) -> bool:
    wanted = [word.casefold() for word in WORD.findall(phrase)]
    return bool(wanted) and words[: len(wanted)] == wanted
