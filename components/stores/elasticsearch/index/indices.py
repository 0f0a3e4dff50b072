"""
Names, finds and makes the indices of a store, passages and sources, each behind an alias; raises
ElasticsearchStoreError when one cannot be made, or was made with other settings.
"""

import re
from dataclasses import dataclass
from typing import Any

from components.stores.elasticsearch.client.errors import REBUILD, ElasticsearchStoreError, cause
from components.stores.elasticsearch.client.requests import Requests
from components.stores.elasticsearch.index.mapping import LABELS, SOURCES_MAPPING, IndexDesign, index_settings

TIMEOUT = 60.0  # seconds that making, finding or deleting an index may take
SOURCES = "-sources"  # what the names of the sources' alias and indices end with


@dataclass(frozen=True)
class IndexTarget:
    """
    An index, and the name to ask it by.

    :param name: What requests ask for: the alias, or an index that somebody made without one.
    :param index: The index behind it.
    :param is_alias: Whether `name` is an alias, so that versions can be switched.
    """

    name: str
    index: str
    is_alias: bool


@dataclass(frozen=True)
class IndexSet:
    """
    Names and makes a store's indices: `<name>` is an alias of `<name>-v000001`, `<name>-sources` of
    `<name>-v000001-sources`. A rebuild makes v000002 beside them.

    :param requests: Sends requests.
    :param name: The alias.
    :param design: What the mapping is made of.
    :param custom_mapping: Takes the place of the design's mapping.
    :param any_design: An index that was made by another one is taken all the same: to read from it.
    """

    requests: Requests
    name: str
    design: IndexDesign
    shards: int
    replicas: int | str
    max_fields: int
    custom_mapping: dict[str, Any] | None = None
    any_design: bool = False

    def find(self) -> IndexTarget | None:
        """Where the passages are, or None when there is no index yet."""
        return self._find(self.name)

    def find_sources(self) -> IndexTarget | None:
        return self._find(self.name + SOURCES)

    def _find(self, name: str) -> IndexTarget | None:
        reply = self.requests.send("GET", f"/{name}/_alias", timeout=TIMEOUT, allow=(404,))
        found = {
            index: about["aliases"] for index, about in reply.items() if isinstance(about, dict) and "aliases" in about
        }
        if not found:
            return None
        writable = [index for index, aliases in found.items() if aliases.get(name, {}).get("is_write_index")]
        if len(found) > 1 and len(writable) != 1:
            raise ElasticsearchStoreError(
                f"alias {name} names several indices ({', '.join(sorted(found))}) and none to write to: leave it one"
            )
        index = (writable or list(found))[0]
        return IndexTarget(name, index, index != name)

    def make(self, with_graph: bool = True) -> IndexTarget:
        """Where the passages are, made if there was no index; `with_graph` False leaves the vectors' graph out."""
        number: int | None = None
        while True:
            if (target := self.find()) is not None:
                return target
            if number is None:  # a version whose passages were deleted: both aliases go on naming one version
                sources = self.find_sources()
                number = self.version_number(sources.index.removesuffix(SOURCES)) if sources is not None else None
                number = 1 if number is None else number
            self._create(self.version(number), self.name, passages=True, with_graph=with_graph)
            number += 1  # taken by the leavings of a rebuild, or by another process that was quicker

    def make_sources(self) -> IndexTarget:
        """Where the sources are, made if there was no index."""
        if (target := self.find_sources()) is not None:
            return target
        index = self.make().index + SOURCES
        made = self._create(index, self.name + SOURCES, passages=False)
        if (target := self.find_sources()) is None:
            raise ElasticsearchStoreError(
                f"index {index} was {'made' if made else 'there already'}, but no alias {self.name}{SOURCES} names it: "
                "give it that alias if it holds this store's sources, else delete it"
            )
        return target

    def version(self, number: int) -> str:
        return f"{self.name}-v{number:06d}"

    def version_number(self, index: str) -> int | None:
        """The number of a version by its name; None for an index that is named otherwise."""
        match = re.fullmatch(rf"{re.escape(self.name)}-v([0-9]{{6}})", index)
        return int(match[1]) if match else None

    def create_version(self, index: str) -> None:
        """
        Make the passages' and the sources' index of a version, without aliases: nobody sees them yet.

        :raises ElasticsearchStoreError: When one is there already: what is in it may be in use.
        """
        for name, passages in ((index, True), (index + SOURCES, False)):
            if not self._create(name, None, passages, with_graph=False):
                raise ElasticsearchStoreError(
                    f"index {name} is there already, and a new version must begin empty: it was made this moment by "
                    "another rebuild, or by this one and the reply was lost. Nothing was changed: start again once no "
                    "other rebuild runs"
                )

    def remake(self, target: IndexTarget) -> None:
        """
        Delete the index of the passages and make it anew by the settings of now, under its own name: the alias of the
        sources goes on naming the same version. One without an alias is made with one.
        """
        self.requests.send("DELETE", f"/{target.index}", timeout=TIMEOUT, allow=(404,))
        if target.is_alias:
            self._create(target.index, target.name, passages=True)
        self.make()

    def _create(self, index: str, alias: str | None, passages: bool, with_graph: bool = True) -> bool:
        """False when it is there already."""
        mapping = self._passages_mapping(with_graph) if passages else SOURCES_MAPPING
        settings = index_settings(self.shards if passages else 1, self.replicas, self.max_fields)
        if passages:
            settings["analysis"] = self.design.analysis()
        body: dict[str, Any] = {"mappings": mapping, "settings": {"index": settings}}
        if alias is not None:
            body["aliases"] = {alias: {"is_write_index": True}}
        reply = self.requests.send("PUT", f"/{index}", body, timeout=TIMEOUT, allow=(400,))
        kind, reason = cause(reply)
        if kind and kind != "resource_already_exists_exception":
            raise ElasticsearchStoreError(
                f"index {index} could not be made with these settings: {kind}: {reason[:300]}"
            )
        return not kind

    def declared_fields(self) -> frozenset[str]:
        """The fields of meta whose type somebody chose."""
        chosen = (self.custom_mapping or {}).get("properties", {})
        return self.design.declared | chosen.keys()

    def _passages_mapping(self, with_graph: bool) -> dict[str, Any]:
        if self.custom_mapping is None:
            return self.design.mapping(with_graph)
        # The mark by which a rebuild knows an index of ours; of settings it says nothing.
        return {**self.custom_mapping, "_meta": {"excerpt": {}, **self.custom_mapping.get("_meta", {})}}

    def mapping(self, target: IndexTarget) -> dict[str, Any]:
        reply = self.requests.send("GET", f"/{target.index}/_mapping", timeout=TIMEOUT)
        return dict(reply[target.index]["mappings"])

    def check(self, target: IndexTarget) -> tuple[int | None, bool]:
        """
        Length of the vectors, None while there are none; and whether the index keeps labels for filters.

        :raises ElasticsearchStoreError: When the index was made with other settings than these.
        """
        mapping = self.mapping(target)
        is_ours = self.custom_mapping is None and not self.any_design
        if is_ours and (differences := self.design.differences(mapping)):
            raise ElasticsearchStoreError(
                f"index {target.index} was made with other settings: {'; '.join(differences)}. Use those it was made "
                f"with, or make it anew with these: {REBUILD}"
            )
        properties = mapping.get("properties", {})
        dims = properties.get("embedding", {}).get("dims")
        return (int(dims) if dims else None), LABELS in properties
