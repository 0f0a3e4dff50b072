"""An index pipeline over a real Elasticsearch whose files say themselves what shall go wrong with them."""

import dataclasses
import os
import re
import sys
import time
from pathlib import Path
from typing import Any

from haystack import Document, Pipeline, component

from components.stores.elasticsearch import ElasticsearchDocumentStore
from indexing.converter import FileConverter
from indexing.maintenance.rebuild import rebuild
from indexing.passages import PassageSplitter
from indexing.run import index
from indexing.writer import SourceWriter
from tests.indexing.pipeline import HashEmbedder

os.environ["HAYSTACK_TELEMETRY_ENABLED"] = "False"  # as the command sets it; read when a pipeline first runs


@component
class ToldEmbedder(HashEmbedder):
    """
    `year=...` in a passage becomes a field of its meta, `dims=...` the length of its vector, `nan` its first number;
    `slow=1` takes a second, `gate=closed` until the file TEST_GATE is there.
    """

    @component.output_types(documents=list[Document])
    def run(self, documents: list[Document]) -> dict[str, list[Document]]:
        return {"documents": [self._told(one) for one in HashEmbedder.run(self, documents=documents)["documents"]]}

    @staticmethod
    def _told(document: Document) -> Document:
        told = dict(re.findall(r"(year|dims|nan|slow|gate)=(\w+)", document.content or ""))
        vector = list(document.embedding or [])
        meta: dict[str, Any] = dict(document.meta)
        if "year" in told:
            meta["year"] = int(told["year"]) if told["year"].isdigit() else told["year"]
        if "dims" in told:
            vector = vector[: int(told["dims"])]
        if "nan" in told:
            vector[0] = float("nan")
        deadline = time.monotonic() + 300
        while "gate" in told and not Path(os.environ["TEST_GATE"]).exists() and time.monotonic() < deadline:
            time.sleep(0.1)
        if "slow" in told:
            time.sleep(float(told["slow"]))
        return dataclasses.replace(document, meta=meta, embedding=vector)


def build(url: str, name: str, dimension: int = 8, **settings: Any) -> Pipeline:
    store = ElasticsearchDocumentStore(
        hosts=url, index=name, **{"replicas": 0, "connect_timeout": 60.0, "timeout": 30.0, **settings}
    )
    pipeline = Pipeline()
    pipeline.add_component("converter", FileConverter(workers=1))
    pipeline.add_component("splitter", PassageSplitter())
    pipeline.add_component("embedder", ToldEmbedder(dimension))
    pipeline.add_component("writer", SourceWriter(store))
    pipeline.connect("converter.documents", "splitter.documents")
    pipeline.connect("converter.documents", "writer.sources")
    pipeline.connect("converter.failures", "writer.failures")
    pipeline.connect("splitter.documents", "embedder.documents")
    pipeline.connect("embedder.documents", "writer.documents")
    return pipeline


def store_of(pipeline: Pipeline) -> ElasticsearchDocumentStore:
    return pipeline.get_component("writer").document_store


def files_in(store: ElasticsearchDocumentStore) -> dict[str, int]:
    """How many passages there are of each file."""
    found: dict[str, int] = {}
    for passage in store.filter_documents():
        found[passage.meta["file_name"]] = found.get(passage.meta["file_name"], 0) + 1
    return found


if __name__ == "__main__":
    folder, url, name = sys.argv[1:4]
    run = rebuild if "rebuild" in sys.argv[4:] else index
    run(build(url, name), [folder], batch_files=1)
