"""Which pipeline made these passages? A change of it means that everything is indexed again."""

import hashlib
import json
from collections.abc import Iterable
from typing import Any

# Raised whenever the same file and the same settings come to give other text or other passages.
FORMAT_VERSION = 1

# Settings that change how fast or where something runs, not what comes out.
_WITHOUT_EFFECT = {
    "device",
    "batch_size",
    "workers",
    "token",
    "progress_bar",
    "threads",
    "max_batch_tokens",
    "precision",
}


def pipeline_fingerprint(components: Iterable[Any]) -> str:
    """
    16 hex that name converter, splitter and embedder with their settings, and the version of this code's format.

    :param components: Haystack components in pipeline order, without the writer: where passages lie does not matter.
    """
    from haystack.core.serialization import component_to_dict

    described = []
    for component in components:
        written = component_to_dict(component, type(component).__name__)
        settings = {name: value for name, value in written["init_parameters"].items() if name not in _WITHOUT_EFFECT}
        described.append([written["type"], settings])
    text = json.dumps([FORMAT_VERSION, described], sort_keys=True, ensure_ascii=True, default=str)
    return hashlib.sha256(text.encode("ascii")).hexdigest()[:16]


def source_version(content_hash: str, fingerprint: str) -> str:
    """16 hex: the version of a source whose bytes and pipeline are these."""
    return hashlib.sha256(f"{content_hash}\n{fingerprint}".encode("ascii")).hexdigest()[:16]
