"""One question of a loaded pipeline, with the filters of a command line: what was found, or why nothing could be."""

import asyncio
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from cli import exits

if TYPE_CHECKING:
    from pipelines.loader import LoadedPipeline


class Asker:
    """
    :param loaded: The ask pipeline.
    :param filters: As typed; several must all hold.
    :param top_k: How many answers at most; None leaves it to the pipeline.
    :raises CommandError: when the index is empty, when a filter's file or field is not there.
    """

    def __init__(self, loaded: "LoadedPipeline", filters: Sequence[str] = (), top_k: int | None = None) -> None:
        self.loaded, self.store = loaded, loaded.document_store
        if self.store is not None and self.store.count_documents() == 0:
            raise exits.CommandError("the index is empty. Fill it: excerpt index PATH")
        self.values: dict[str, Any] = {"filters": self._conditions(filters), "top_k": top_k}

    def ask(self, question: str) -> dict[str, Any]:
        """
        What was found, as `pipelines.answers` describes it.

        :raises CommandError: when no passage matches the filter.
        """
        results = self.loaded.run(query=question, **self.values)
        self._add_places(results["answers"])
        return self._told(question, results)

    async def ask_async(self, question: str) -> dict[str, Any]:
        """`ask`: many of these at once are answered in batches."""
        results = await self.loaded.run_async(query=question, **self.values)
        await asyncio.to_thread(self._add_places, results["answers"])
        return self._told(question, results)

    def _add_places(self, answers: Any) -> None:
        from components.places import add_places

        add_places(answers, self.store)

    def _told(self, question: str, results: dict[str, Any]) -> dict[str, Any]:
        from pipelines.answers import answers_json, written_json

        found = answers_json(question, results["answers"])
        if "written" in self.loaded.outputs:
            found["written"] = written_json(results["written"])
        if not found["answers"] and self.values["filters"] is not None:
            self._require_matches()
        return found

    def _conditions(self, filters: Sequence[str]) -> dict[str, Any] | None:
        from cli.filters import NothingMatches, fields_of, is_negative, parse_filters

        try:
            conditions = parse_filters(filters, self._files_named)
        except NothingMatches as error:
            raise exits.CommandError(str(error), exits.NOTHING_MATCHES) from error
        if conditions is not None and is_negative(conditions):  # what is not there differs from everything
            self._require_fields(fields_of(conditions))
        return conditions

    def _files_named(self, name: str) -> list[str]:
        from cli.commands.files.find import matching

        return [source.source_id for source in matching(self.store.sources.all(), name)]

    def _require_matches(self) -> None:
        from cli.filters import fields_of

        if self.store.count_documents_by_filter(self.values["filters"]) == 0:
            self._require_fields(fields_of(self.values["filters"]))
            raise exits.CommandError("no passage of the index matches the filter", exits.NOTHING_MATCHES)

    def _require_fields(self, fields: set[str]) -> None:
        known = {name.removeprefix("meta.") for name in self.store.get_metadata_fields_info()}
        for field in sorted(fields - {"id", "content"}):
            name = field.removeprefix("meta.")
            if name not in known and name.partition(".")[0] not in known:
                from components.suggest import suggest

                raise exits.CommandError(
                    f"filter: no passage has a field `{name}`{suggest(name, sorted(known))}", exits.USAGE
                )
