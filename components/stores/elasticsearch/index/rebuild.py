"""Versions of an index behind an alias: a rebuild happens beside the old one, and the switch is one step."""

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from components.stores.elasticsearch.client.errors import ElasticsearchStoreError
from components.stores.elasticsearch.index.indices import SOURCES, Place

if TYPE_CHECKING:
    from components.stores.elasticsearch.store import ElasticsearchDocumentStore

logger = logging.getLogger(__name__)
_WITHIN = 60.0
_Places = tuple[Place | None, Place | None]  # of the passages and of their sources
_NOT_CLEARED = "its unfinished version {} could not be deleted; nobody sees it, and the next rebuild clears it away"


@contextmanager
def rebuilt(
    store: "ElasticsearchDocumentStore", before_switch: Callable[[], None] | None = None, **changed: Any
) -> Iterator["ElasticsearchDocumentStore"]:
    """
    A new, empty version of the store's index, with other settings if need be; questions go on over the old one.

    At the end of the block passages and sources are switched over in one atomic step, and the old version is deleted.
    When the block fails, the new version is deleted and everything stays as it was. A rebuild that was killed leaves
    a version that nobody sees; the next one deletes it.

    :param store: The store whose alias is switched.
    :param before_switch: Called directly before the switch (the end of loading may take long); what it raises stops it.
    :param changed: Settings of the new version that differ: `language`, `quantisation`, `embedding_dims` ...
    :returns: The store to write to; once the block is left, any store of the same `index` sees what it holds.
    :raises ElasticsearchStoreError: When the index is none that could be switched, or the switch fails.
    """
    old = _in_use(store)
    taken = _clear_leavings(store)
    number = (store.version_number(old[0].index) or 0) + 1 if old[0] else 1
    while number in taken:  # a number is not given again, in case whoever had it still writes
        number += 1
    new = store.version(number, **changed)
    try:
        try:
            with new.loading():
                yield new
            if before_switch is not None:
                before_switch()
        except BaseException as error:
            try:
                _delete(store, new.index + SOURCES, new.index)
            except ElasticsearchStoreError:
                error.add_note(_NOT_CLEARED.format(new.index))
            raise
        _put_in_place(store, old, new.index)
    finally:
        new.close()
        store.forget()


def _in_use(store: "ElasticsearchDocumentStore") -> _Places:
    """
    What the two aliases name now.

    :raises ElasticsearchStoreError: When that is an index which is not a version of this store: it would be deleted.
    """
    old = store.found(), store.found_sources()
    for place, suffix in zip(old, ("", SOURCES), strict=True):
        if place is None:
            continue
        if not place.is_alias:
            raise ElasticsearchStoreError(
                f"index {place.index} was made without an alias, so it cannot be switched for another: use another "
                "name (EXCERPT_INDEX, or `index` in the YAML), and index into that"
            )
        if store.version_number(place.index.removesuffix(suffix)) is None or not place.index.endswith(suffix):
            raise ElasticsearchStoreError(
                f"alias {place.target} names the index {place.index}, which is not a version that this store made: "
                f"only {store.index}-v000001{suffix} and the like can be switched for another and then deleted. Use "
                f"another name (EXCERPT_INDEX, or `index` in the YAML) and index into that, or take the alias away "
                f"from {place.index}"
            )
    return old


def _clear_leavings(store: "ElasticsearchDocumentStore") -> set[int]:
    """
    Delete what killed rebuilds left: versions of ours that no alias names. An index that only has such a name, or that
    somebody gave an alias, is somebody's.

    :returns: The numbers that names there were had, of whomever.
    """
    reply = store.request("GET", f"/{store.index}-v*", within=_WITHIN, params={"expand_wildcards": "all"}, allow=(404,))
    there = {name: about for name, about in reply.items() if isinstance(about, dict) and "mappings" in about}
    unused = {name for name, about in there.items() if not about.get("aliases")}
    marked = {name for name in unused if "excerpt" in there[name]["mappings"].get("_meta", {})}
    names = {*there, *(alias for about in there.values() for alias in about.get("aliases", {}))}
    numbers = {name: store.version_number(name.removesuffix(SOURCES)) for name in names}
    for name in sorted(unused, reverse=True):  # sources before their passages, which tell whose both are
        if numbers[name] is not None and (name in marked or name.removesuffix(SOURCES) in marked):
            _delete(store, name)
    return {number for number in numbers.values() if number is not None}


def _put_in_place(store: "ElasticsearchDocumentStore", old: _Places, new: str) -> None:
    """From here on the alias may name the new version, whatever the reply: only `_settle` may delete it."""
    try:
        _switch(store, old, new)
    except BaseException as error:
        _settle(store, old, new, error)
        if not isinstance(error, Exception):
            logger.warning("interrupted, but the new index is complete and in use")
            _delete_old(store, old)
            raise
    _delete_old(store, old)


def _delete_old(store: "ElasticsearchDocumentStore", old: _Places) -> None:
    try:
        _delete(store, *(place.index for place in reversed(old) if place is not None))
    except ElasticsearchStoreError as error:
        logger.warning("the new index is in use, but the old one was not deleted; the next rebuild does it: %s", error)


def _switch(store: "ElasticsearchDocumentStore", old: _Places, new: str) -> None:
    """Both aliases in one request, which Elasticsearch carries out whole or not at all."""
    actions: list[dict[str, Any]] = []
    for place, alias, suffix in zip(old, (store.index, store.index + SOURCES), ("", SOURCES), strict=True):
        if place is not None:
            actions.append({"remove": {"index": place.index, "alias": alias, "must_exist": False}})
        actions.append({"add": {"index": new + suffix, "alias": alias, "is_write_index": True}})
    store.request("POST", "/_aliases", {"actions": actions}, within=_WITHIN)


def _settle(store: "ElasticsearchDocumentStore", old: _Places, new: str, error: BaseException) -> None:
    """
    After a switch that failed, as far as is known here: returns when it has happened, else undoes it and raises.

    :raises ElasticsearchStoreError: When what the aliases name cannot be read; nothing is deleted then.
    :raises BaseException: `error`, when the switch has not happened.
    """
    try:
        now = {place.index for place in (store.found(), store.found_sources()) if place is not None}
        if now >= {new, new + SOURCES}:
            return
        if not now & {new, new + SOURCES}:
            _take_back(store, old, new)
            raise error
    except ElasticsearchStoreError as unknown:
        if unknown is error:
            raise
    told = (
        f"whether {store.index} was switched over to {new} is not known: the reply was lost, and then what the alias "
        "names could not be read or put right. Nothing in use was deleted: the old version or the new one is there, "
        "whole. Once the server answers, `excerpt status` tells which, and the next --rebuild clears the other away"
    )
    if not isinstance(error, Exception):
        error.add_note(told)
        raise error
    raise ElasticsearchStoreError(f"{told} ({error})") from error


def _take_back(store: "ElasticsearchDocumentStore", old: _Places, new: str) -> None:
    """
    Delete the new version, and give the old one its aliases in the same step: a switch whose request is still on its
    way or in the server's queue would otherwise be carried out between a look at the alias and the deletion.
    """
    actions: list[dict[str, Any]] = [
        {"add": {"index": place.index, "alias": place.target, "is_write_index": True}} for place in old if place
    ]
    actions += [{"remove_index": {"index": name}} for name in (new, new + SOURCES)]
    store.request("POST", "/_aliases", {"actions": actions}, within=_WITHIN, allow=(404,))


def _delete(store: "ElasticsearchDocumentStore", *indices: str) -> None:
    for index in indices:
        store.request("DELETE", f"/{index}", within=_WITHIN, allow=(404,))
