"""Versions of an index behind an alias: a rebuild happens beside the old one, and the switch is one step."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from components.stores.elasticsearch_errors import ElasticsearchStoreError

if TYPE_CHECKING:
    from components.stores.elasticsearch import ElasticsearchDocumentStore

_WITHIN = 60.0


@contextmanager
def rebuilt(store: "ElasticsearchDocumentStore", **changed: Any) -> Iterator["ElasticsearchDocumentStore"]:
    """
    A new, empty version of the store's index, with other settings if need be; questions go on over the old one.

    At the end of the block passages and sources are switched over in one atomic step, and the old version is deleted.
    When the block fails, the new version is deleted and everything stays as it was. A rebuild that was killed leaves
    a version that nobody sees; the next one deletes it.

    :param store: The store whose alias is switched.
    :param changed: Settings of the new version that differ: `language`, `quantisation`, `embedding_dims` ...
    :returns: The store to write to; once the block is left, any store of the same `index` sees what it holds.
    :raises ElasticsearchStoreError: When the index has no alias, so that nothing could be switched.
    """
    old = store.found()
    if old is not None and not old.is_alias:
        raise ElasticsearchStoreError(
            f"index {old.index} was made without an alias, so it cannot be switched for another: use another name"
        )
    leavings = [name for name in _versions(store) if old is None or name != old.index]
    _delete(store, leavings)
    number = max((_number(name) for name in [*leavings, *([old.index] if old else [])]), default=0) + 1
    new = store.version(number, **changed)
    try:
        with new.loading():
            yield new
        _switch(store, old.index if old else None, new.index)
    except BaseException:
        _delete(store, [new.index])
        raise
    finally:
        new.close()
        store.forget()
    if old is not None:
        _delete(store, [old.index])


def _number(index: str) -> int:
    return int(index.rpartition("-v")[2])


def _versions(store: "ElasticsearchDocumentStore") -> list[str]:
    """The indices of passages that are versions of this store, in use or not."""
    prefix = f"{store.index}-v"
    reply = store.request("GET", f"/{prefix}*/_alias", within=_WITHIN, allow=(404,))
    return sorted(name for name in reply if name.startswith(prefix) and name.removeprefix(prefix).isdigit())


def _switch(store: "ElasticsearchDocumentStore", old: str | None, new: str) -> None:
    """Both aliases in one request, which Elasticsearch carries out whole or not at all."""
    actions: list[dict[str, Any]] = []
    for alias, suffix in ((store.index, ""), (f"{store.index}-sources", "-sources")):
        if old is not None:
            actions.append({"remove": {"index": f"{old}{suffix}", "alias": alias, "must_exist": False}})
        actions.append({"add": {"index": f"{new}{suffix}", "alias": alias, "is_write_index": True}})
    store.request("POST", "/_aliases", {"actions": actions}, within=_WITHIN)


def _delete(store: "ElasticsearchDocumentStore", versions: Sequence[str]) -> None:
    for name in versions:
        for index in (name, f"{name}-sources"):
            store.request("DELETE", f"/{index}", within=_WITHIN, allow=(404,))
