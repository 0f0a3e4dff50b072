"""The record of sources of an Elasticsearch store: an index of its own beside the passages'."""

import base64
import json
import zlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, fields
from typing import Any

from components.stores.contract import Source
from components.stores.elasticsearch.client.errors import RefusedDocuments
from components.stores.elasticsearch.client.requests import Requests
from components.stores.elasticsearch.client.smile import encode
from components.stores.elasticsearch.index.bulk import Action, BulkWriter
from components.stores.elasticsearch.scan import scan

Opened = tuple[str, Requests, BulkWriter]
_HEAVY = ("text", "layout")
_GENERATIONS = "generations"  # the document whose version counts index runs
_KEYWORD = {"type": "keyword", "ignore_above": 8191}
# Only what is asked for is indexed; the rest is kept in `_source`.
MAPPING: dict[str, Any] = {
    "_meta": {"excerpt": {}},  # the mark by which a rebuild knows an index of ours
    "dynamic": False,
    "properties": {"path": _KEYWORD, "folders": _KEYWORD, "state": {"type": "keyword"}},
}


class ElasticsearchSourceRecord:
    """
    A SourceRecord (see `components.stores.contract`) in the index `<index>-sources`.

    Texts lie compressed and not indexed. Each source is one document, so that each `put` of one source is whole or not
    done; of many sources, each is whole.

    :param open_index: Given True, makes the index if it is not there; returns the index's name, what sends requests and
        what writes to it, or None when there is no index.
    :param within: Seconds a request may take.
    """

    def __init__(self, open_index: Callable[[bool], Opened | None], within: float) -> None:
        self._open_index, self.within = open_index, within

    def all(self, under: str | None = None) -> Iterator[Source]:
        if (opened := self._open_index(False)) is None:
            return
        index, requests, _ = opened
        query: dict[str, Any] = {"exists": {"field": "path"}}
        if under is not None:
            folder = under.rstrip("/")
            query = {"bool": {"should": [{"term": {"path": folder}}, {"term": {"folders": folder}}]}}
            if not folder:
                query = {"exists": {"field": "path"}}
        requests("POST", f"/{index}/_refresh", within=self.within)
        hits = scan(requests, index, query, {"excludes": list(_HEAVY)}, self.within)
        # The whole list first, so that what is put while it is read through does not show up in it.
        yield from sorted((_source(hit["_source"]) for hit in hits), key=lambda one: (one.path, one.source_id))

    def get(self, source_id: str) -> Source | None:
        if (opened := self._open_index(False)) is None:
            return None
        index, requests, _ = opened
        found = requests("GET", f"/{index}/_doc/{source_id}", within=self.within, allow=(404,))
        return _source(found["_source"]) if found.get("found") else None

    def get_layout(self, source_id: str) -> tuple[str, bytes | None] | None:
        if (opened := self._open_index(False)) is None:
            return None
        index, requests, _ = opened
        path = f"/{index}/_doc/{source_id}?_source_includes=version,layout"
        found = requests("GET", path, within=self.within, allow=(404,))
        if not found.get("found"):
            return None
        row = found["_source"]
        layout = row.get("layout")
        return str(row["version"]), None if layout is None else base64.b64decode(layout)

    def put(self, sources: Sequence[Source]) -> None:
        _, _, writer = self._made()
        last = {source.source_id: source for source in sources}
        result = writer.run(Action("index", name, encode(_stored(source))) for name, source in last.items())
        if result.refused:
            raise RefusedDocuments(result.refused, result.done)

    def delete(self, source_ids: Sequence[str]) -> None:
        if (opened := self._open_index(False)) is None:
            return
        result = opened[2].run(Action("delete", name) for name in dict.fromkeys(source_ids))
        if result.refused:
            raise RefusedDocuments(result.refused, result.done)

    def clear(self) -> None:
        """Forget every source. Generations go on from where they are."""
        self.delete([source.source_id for source in self.all()])

    def next_generation(self) -> int:
        # Every write of a document raises its version by one, in one step, whoever writes.
        index, requests, _ = self._made()
        reply = requests("PUT", f"/{index}/_doc/{_GENERATIONS}", {}, within=self.within)
        return int(reply["_version"])

    def close(self) -> None:
        """Nothing is open besides the store's connections."""

    def _made(self) -> Opened:
        opened = self._open_index(True)
        if opened is None:
            raise RuntimeError("the index of sources was not made")
        return opened


def _stored(source: Source) -> dict[str, Any]:
    row = asdict(source)
    row["page_starts"] = json.dumps(source.page_starts)
    row["folders"] = [source.path[:at] for at, letter in enumerate(source.path) if letter == "/" and at > 0]
    if source.text is not None:
        row["text"] = _packed(source.text.encode("utf-8", "surrogatepass"))
    if source.layout is not None:
        row["layout"] = base64.b64encode(source.layout).decode()
    return row


def _source(row: dict[str, Any]) -> Source:
    kept = {field.name: row[field.name] for field in fields(Source) if field.name in row}
    kept["page_starts"] = tuple(json.loads(kept.get("page_starts") or "[]"))
    if kept.get("text") is not None:
        kept["text"] = zlib.decompress(base64.b64decode(kept["text"])).decode("utf-8", "surrogatepass")
    if kept.get("layout") is not None:
        kept["layout"] = base64.b64decode(kept["layout"])
    return Source(**kept)


def _packed(data: bytes) -> str:
    return base64.b64encode(zlib.compress(data, 6)).decode()
