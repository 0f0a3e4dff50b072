"""Keeps the record of sources in an index beside the passages'; raises RefusedDocuments for sources that it refuses."""

import base64
import json
import zlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, fields
from typing import Any

from components.stores.contract import Source
from components.stores.elasticsearch.client.errors import RefusedDocuments
from components.stores.elasticsearch.client.requests import Requests
from components.stores.elasticsearch.client.smile import encode
from components.stores.elasticsearch.index.active_index import ActiveIndex
from components.stores.elasticsearch.index.bulk import Action, BulkWriter
from components.stores.elasticsearch.index.indices import IndexTarget
from components.stores.elasticsearch.scan import scan

_HEAVY = ("text", "layout")
_GENERATIONS = "generations"  # the document whose version counts index runs
_PIPELINE = "pipeline-"  # before a fingerprint: the document that describes this pipeline


class ElasticsearchSourceRecord:
    """
    A SourceRecord (`components.stores.contract`) in the index `<index>-sources`.

    Texts lie compressed and not indexed. Each source is one document: a call with several sources that fails may have
    been carried out for some of them, each whole.

    :param requests: Sends requests.
    :param active: Finds and makes the index.
    :param make_writer: Returns what writes to an index.
    :param timeout: Seconds a request may take.
    """

    def __init__(
        self,
        requests: Requests,
        active: ActiveIndex,
        make_writer: Callable[[IndexTarget], BulkWriter],
        timeout: float,
    ) -> None:
        self.requests, self.active, self.timeout = requests, active, timeout
        self._make_writer = make_writer

    def all(self, under: str | None = None) -> Iterator[Source]:
        if (target := self.active.find_sources()) is None:
            return
        query: dict[str, Any] = {"exists": {"field": "path"}}
        if under is not None:
            folder = under.rstrip("/")
            query = {"bool": {"should": [{"term": {"path": folder}}, {"term": {"folders": folder}}]}}
            if not folder:
                query = {"exists": {"field": "path"}}
        self.requests.send("POST", f"/{target.name}/_refresh", timeout=self.timeout)
        hits = scan(self.requests, target.name, query, {"excludes": list(_HEAVY)}, self.timeout)
        # The whole list first, so that what is put while it is read through does not show up in it.
        yield from sorted((_to_source(hit["_source"]) for hit in hits), key=lambda one: (one.path, one.source_id))

    def get(self, source_id: str) -> Source | None:
        if (target := self.active.find_sources()) is None:
            return None
        path = f"/{target.name}/_doc/{source_id}"
        reply = self.requests.send("GET", path, timeout=self.timeout, allow=(404,))
        return _to_source(reply["_source"]) if reply.get("found") else None

    def get_layout(self, source_id: str) -> tuple[str, bytes | None] | None:
        if (target := self.active.find_sources()) is None:
            return None
        reply = self.requests.send(
            "GET", f"/{target.name}/_doc/{source_id}", timeout=self.timeout, allow=(404,),
            params={"_source_includes": "version,layout"},
        )  # fmt: skip
        if not reply.get("found"):
            return None
        row = reply["_source"]
        layout = row.get("layout")
        return str(row["version"]), None if layout is None else base64.b64decode(layout)

    def put(self, sources: Sequence[Source]) -> None:
        last = {source.source_id: source for source in sources}
        writer = self._make_writer(self.active.make_sources())
        result = writer.run(Action("index", name, encode(_to_row(source))) for name, source in last.items())
        if result.refused:
            raise RefusedDocuments(result.refused, result.done)

    def delete(self, source_ids: Sequence[str]) -> None:
        if (target := self.active.find_sources()) is None:
            return
        result = self._make_writer(target).run(Action("delete", name) for name in dict.fromkeys(source_ids))
        if result.refused:
            raise RefusedDocuments(result.refused, result.done)

    def clear(self) -> None:
        """Forget every source. Generations go on from where they are."""
        self.delete([source.source_id for source in self.all()])

    def put_pipeline(self, fingerprint: str, description: Mapping[str, Any]) -> None:
        path = f"/{self.active.make_sources().name}/_doc/{_PIPELINE}{fingerprint}"
        self.requests.send("PUT", path, {"description": json.dumps(dict(description))}, timeout=self.timeout)

    def get_pipeline(self, fingerprint: str) -> dict[str, Any] | None:
        if (target := self.active.find_sources()) is None:
            return None
        path = f"/{target.name}/_doc/{_PIPELINE}{fingerprint}"
        reply = self.requests.send("GET", path, timeout=self.timeout, allow=(404,))
        return dict(json.loads(reply["_source"]["description"])) if reply.get("found") else None

    def next_generation(self) -> int:
        # Every write of a document raises its version by one, in one step, whoever writes.
        path = f"/{self.active.make_sources().name}/_doc/{_GENERATIONS}"
        reply = self.requests.send("PUT", path, {}, timeout=self.timeout)
        return int(reply["_version"])

    def close(self) -> None:
        """Nothing is open besides the store's connections."""


def _to_row(source: Source) -> dict[str, Any]:
    row = asdict(source)
    row["page_starts"] = json.dumps(source.page_starts)
    row["folders"] = [source.path[:at] for at, letter in enumerate(source.path) if letter == "/" and at > 0]
    if source.text is not None:
        row["text"] = _compress(source.text.encode("utf-8", "surrogatepass"))
    if source.layout is not None:
        row["layout"] = base64.b64encode(source.layout).decode()
    return row


def _to_source(row: dict[str, Any]) -> Source:
    kept = {field.name: row[field.name] for field in fields(Source) if field.name in row}
    kept["page_starts"] = tuple(json.loads(kept.get("page_starts") or "[]"))
    if kept.get("text") is not None:
        kept["text"] = zlib.decompress(base64.b64decode(kept["text"])).decode("utf-8", "surrogatepass")
    if kept.get("layout") is not None:
        kept["layout"] = base64.b64decode(kept["layout"])
    return Source(**kept)


def _compress(data: bytes) -> str:
    return base64.b64encode(zlib.compress(data, 6)).decode()
