"""
What the labels for filters cost a load into Elasticsearch: the same passages with and without them, in turns.

    python -m benchmarks.elasticsearch.labels --out benchmarks/results/elasticsearch_labels.json

Passages are made of random words; each brings along eight fields, as documents of a service do. Without labels, the
index is one from before there were any: `custom_mapping` leaves their field out.
"""

import argparse
import json
import time
from pathlib import Path
from typing import Any

import numpy as np
from haystack import Document
from haystack.document_stores.types import DuplicatePolicy

from benchmarks.common.hardware import hardware, summary, three
from benchmarks.elasticsearch.sides import server
from components.stores.elasticsearch import ElasticsearchDocumentStore
from components.stores.elasticsearch.index.mapping import LABELS

DIMENSION = 384


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--passages", type=int, default=10_000, help="of a round")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--out", type=Path, help="JSON file to write")
    given = parser.parse_args()
    rates: dict[str, list[float]] = {"with labels": [], "without": []}
    sizes: dict[str, list[float]] = {"with labels": [], "without": []}
    with server() as bench:
        for number in range(-1, given.rounds):  # the first one warms up and does not count
            documents = passages(given.passages if number >= 0 else 2_000, number + 1)
            for name in rates:
                rate, size = load(bench.url, documents, labelled=name == "with labels")
                if number >= 0:
                    rates[name].append(rate)
                    sizes[name].append(size)
    ratios = summary([a / b for a, b in zip(rates["with labels"], rates["without"], strict=True)])
    told = {name: summary(values) for name, values in rates.items()}
    bytes_each = {name: summary(values) for name, values in sizes.items()}
    for name in rates:
        print(f"{name:<12} {three(told[name], 0)} passages a second, {bytes_each[name]['median']:,.0f} bytes each")
    print(f"speed with labels / without: {three(ratios, 3)}")
    result = {"passages": given.passages, "passages_a_second": told, "with_over_without": ratios, "bytes": bytes_each}
    result["setting"] = hardware(("haystack-ai", "elasticsearch"))
    if given.out is not None:
        given.out.write_text(json.dumps(result, indent=2) + "\n", encoding="utf-8")


def passages(count: int, seed: int) -> list[Document]:
    """Of 100 words each, with a vector of length 1."""
    chance = np.random.default_rng(seed)
    words = np.array([f"word{number}" for number in range(20_000)])
    vectors = chance.normal(size=(count, DIMENSION)).astype(np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    ranks = np.minimum(chance.zipf(1.3, size=(count, 100)), len(words)) - 1
    made = []
    for number in range(count):
        meta = {
            "source_id": f"{seed}-{number // 8}", "file_path": f"/documents/{number // 8}.pdf",
            "page_number": number % 40, "author": f"author {number % 200}", "year": 1980 + number % 45,
            "tags": [f"tag{number % 30}", "all"],
            "language": "en", "reviewed": number % 2 == 0, "department": f"department {number % 12}",
            "allow": f"|group{number % 20}|", "changed": f"2025-{1 + number % 12:02}-01T00:00:00",
        }  # fmt: skip
        text = " ".join(words[ranks[number]])
        made.append(Document(id=f"{seed}-{number}", content=text, meta=meta, embedding=vectors[number].tolist()))
    return made


def load(url: str, documents: list[Document], labelled: bool) -> tuple[float, float]:
    """Passages a second into a new index, and bytes a passage takes there."""
    settings: dict[str, Any] = {"hosts": url, "index": f"labels-{time.time_ns()}", "replicas": 0, "timeout": 60.0}
    if not labelled:
        design = ElasticsearchDocumentStore(**settings).indices.design
        mapping = design.mapping(with_graph=False)  # as so few passages have none with labels
        del mapping["properties"][LABELS]
        settings["custom_mapping"] = mapping
    store = ElasticsearchDocumentStore(**settings)
    began = time.perf_counter()
    with store.loading():
        for first in range(0, len(documents), 1_000):
            store.write_documents(documents[first : first + 1_000], DuplicatePolicy.OVERWRITE)
    spent = time.perf_counter() - began
    assert store.count_documents() == len(documents)
    assert store.active.is_labelled() == labelled
    size = store.status().size_bytes or 0
    target = store.active.find()
    assert target is not None
    store.request("DELETE", f"/{target.index}", timeout=60)
    store.close()
    return len(documents) / spent, size / len(documents)


if __name__ == "__main__":
    main()
