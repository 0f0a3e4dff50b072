"""
Makes a new version of an index beside the one in use and switches both aliases in one step; raises
ElasticsearchStoreError when the index is none that could be switched, or the switch fails.
"""

import logging
from typing import Any

from components.stores.elasticsearch.client.errors import ElasticsearchStoreError
from components.stores.elasticsearch.index.indices import SOURCES, IndexSet, IndexTarget

logger = logging.getLogger(__name__)
_TIMEOUT = 60.0  # seconds a request may take
_Targets = tuple[IndexTarget | None, IndexTarget | None]  # of the passages and of their sources
_NOT_CLEARED = "its unfinished version {} could not be deleted; nobody sees it, and the next rebuild clears it away"


class Rebuild:
    """
    One rebuild: `version_name` is the index to fill; then either `switch` to it, or `discard` it.

    A rebuild that was killed leaves a version that nobody sees; the next one deletes it.

    :param indices: Of the store whose aliases are switched.
    :raises ElasticsearchStoreError: When an alias names an index that is not a version of this store.
    """

    def __init__(self, indices: IndexSet) -> None:
        self.indices = indices
        self.old = self._find_versions()
        taken = self._clear_leavings()
        number = (indices.version_number(self.old[0].index) or 0) + 1 if self.old[0] else 1
        while number in taken:  # a number is not given again, in case whoever had it still writes
            number += 1
        self.version_name = indices.version(number)

    def switch(self) -> None:
        """
        Have the aliases name the new version, and delete the old one.

        :raises ElasticsearchStoreError: When the switch failed; the message says what is there then.
        """
        try:
            self._switch_aliases()
        except BaseException as error:  # the alias may name the new version all the same: only `_settle` may delete it
            self._settle(error)
            if not isinstance(error, Exception):
                logger.warning("interrupted, but the new index is complete and in use")
                self._delete_old()
                raise
        self._delete_old()

    def discard(self, error: BaseException) -> None:
        """Delete the unfinished version after `error`, which is told when that fails too."""
        try:
            self._delete(self.version_name + SOURCES, self.version_name)
        except ElasticsearchStoreError:
            error.add_note(_NOT_CLEARED.format(self.version_name))

    def _find_versions(self) -> _Targets:
        """
        What the two aliases name now.

        :raises ElasticsearchStoreError: When that is no version of this store: it would be deleted.
        """
        indices = self.indices
        targets = indices.find(), indices.find_sources()
        for target, suffix in zip(targets, ("", SOURCES), strict=True):
            if target is None:
                continue
            if not target.is_alias:
                raise ElasticsearchStoreError(
                    f"index {target.index} was made without an alias, so it cannot be switched for another: use "
                    "another name (EXCERPT_INDEX, or `index` in the YAML), and index into that"
                )
            name = target.index.removesuffix(suffix)
            if indices.version_number(name) is None or not target.index.endswith(suffix):
                raise ElasticsearchStoreError(
                    f"alias {target.name} names the index {target.index}, which is not a version that this store made: "
                    f"only {indices.name}-v000001{suffix} and the like can be switched for another and then deleted. "
                    "Use another name (EXCERPT_INDEX, or `index` in the YAML) and index into that, or take the alias "
                    f"away from {target.index}"
                )
        return targets

    def _clear_leavings(self) -> set[int]:
        """
        Delete what killed rebuilds left: versions of ours that no alias names. An index that only has such a name, or
        that somebody gave an alias, is somebody's.

        :returns: The numbers in the names there were, whoever made them.
        """
        path, params = f"/{self.indices.name}-v*", {"expand_wildcards": "all"}
        reply = self.indices.requests.send("GET", path, timeout=_TIMEOUT, params=params, allow=(404,))
        there = {name: about for name, about in reply.items() if isinstance(about, dict) and "mappings" in about}
        unused = {name for name, about in there.items() if not about.get("aliases")}
        marked = {name for name in unused if "excerpt" in there[name]["mappings"].get("_meta", {})}
        names = {*there, *(alias for about in there.values() for alias in about.get("aliases", {}))}
        numbers = {name: self.indices.version_number(name.removesuffix(SOURCES)) for name in names}
        for name in sorted(unused, reverse=True):  # sources before their passages, which tell whose both are
            if numbers[name] is not None and (name in marked or name.removesuffix(SOURCES) in marked):
                self._delete(name)
        return {number for number in numbers.values() if number is not None}

    def _switch_aliases(self) -> None:
        """Both aliases in one request, which Elasticsearch carries out whole or not at all."""
        actions: list[dict[str, Any]] = []
        for target, suffix in zip(self.old, ("", SOURCES), strict=True):
            alias = self.indices.name + suffix
            if target is not None:
                actions.append({"remove": {"index": target.index, "alias": alias, "must_exist": False}})
            actions.append({"add": {"index": self.version_name + suffix, "alias": alias, "is_write_index": True}})
        self.indices.requests.send("POST", "/_aliases", {"actions": actions}, timeout=_TIMEOUT)

    def _settle(self, error: BaseException) -> None:
        """
        After a switch that failed, as far as is known here: returns when it has happened, else undoes it and raises.

        :raises ElasticsearchStoreError: When what the aliases name cannot be read; nothing is deleted then.
        :raises BaseException: `error`, when the switch has not happened.
        """
        new = {self.version_name, self.version_name + SOURCES}
        try:
            targets = (self.indices.find(), self.indices.find_sources())
            now = {target.index for target in targets if target is not None}
            if now >= new:
                return
            if not now & new:
                self._undo_switch()
                raise error
        except ElasticsearchStoreError as unknown:
            if unknown is error:
                raise
        message = (
            f"whether {self.indices.name} was switched over to {self.version_name} is not known: the reply was lost, "
            "and then what the alias names could not be read or put right. Nothing in use was deleted: the old version "
            "or the new one is there, whole. Once the server answers, `excerpt status` tells which, and the next "
            "--rebuild clears the other away"
        )
        if not isinstance(error, Exception):
            error.add_note(message)
            raise error
        raise ElasticsearchStoreError(f"{message} ({error})") from error

    def _undo_switch(self) -> None:
        """
        Delete the new version, and give the old one its aliases in the same step: a switch whose request is still on
        its way or in the server's queue would otherwise be carried out between a look at the alias and the deletion.
        """
        actions: list[dict[str, Any]] = [
            {"add": {"index": target.index, "alias": target.name, "is_write_index": True}}
            for target in self.old
            if target is not None
        ]
        actions += [{"remove_index": {"index": self.version_name + suffix}} for suffix in ("", SOURCES)]
        self.indices.requests.send("POST", "/_aliases", {"actions": actions}, timeout=_TIMEOUT, allow=(404,))

    def _delete_old(self) -> None:
        try:
            self._delete(*(target.index for target in reversed(self.old) if target is not None))
        except ElasticsearchStoreError as error:
            logger.warning(
                "the new index is in use, but the old one was not deleted; the next rebuild does it: %s", error
            )

    def _delete(self, *indices: str) -> None:
        for index in indices:
            self.indices.requests.send("DELETE", f"/{index}", timeout=_TIMEOUT, allow=(404,))
