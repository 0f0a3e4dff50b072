"""Which pipeline made these passages? A change of it means that everything is indexed again."""

import hashlib
import json
from collections.abc import Iterable, Mapping
from typing import Any

# Raised whenever the same file and the same settings come to give other text or other passages.
FORMAT_VERSION = 4

# Settings that say how fast, where or within which limits something runs, not what comes out.
_WITHOUT_EFFECT = {
    *("device", "precision", "threads", "batch_size", "max_batch_tokens", "progress_bar", "token"),
    *("workers", "timeout", "memory_mb", "max_file_mb", "max_waiting"),
}


def describe_pipeline(components: Iterable[Any]) -> dict[str, Any]:
    """
    What makes passages as they are: converter, splitter and embedder with their settings, the very models that those
    settings mean, and the version of this code's format. As JSON holds it: `{"format": 4, "components": [{"type": ...,
    "settings": {...}, "digest": ...}]}`, where `digest` names the model's weights.

    :param components: Haystack components in pipeline order, without the writer: where passages lie does not matter.
    :raises components.models.ModelError: when a component's model is not found.
    """
    from haystack.core.serialization import component_to_dict

    from components.models import model_digest, resolve_model

    described = []
    for component in components:
        written = component_to_dict(component, type(component).__name__)
        settings = {name: value for name, value in written["init_parameters"].items() if name not in _WITHOUT_EFFECT}
        model = getattr(component, "model", None)
        digest = model_digest(resolve_model(model)) if isinstance(model, str) else None
        described.append({"type": written["type"], "settings": settings, "digest": digest})
    text = json.dumps({"format": FORMAT_VERSION, "components": described}, default=str)
    return dict(json.loads(text))


def fingerprint_of(description: Mapping[str, Any]) -> str:
    """16 hex that name a pipeline by its `describe_pipeline`."""
    parts = [[one["type"], one["settings"], one["digest"]] for one in description["components"]]
    text = json.dumps([description["format"], parts], sort_keys=True, ensure_ascii=True)
    return hashlib.sha256(text.encode("ascii")).hexdigest()[:16]


def pipeline_fingerprint(components: Iterable[Any]) -> str:
    """`fingerprint_of` these components."""
    return fingerprint_of(describe_pipeline(components))


def source_version(content_hash: str, fingerprint: str) -> str:
    """16 hex: the version of a source whose bytes and pipeline are these."""
    return hashlib.sha256(f"{content_hash}\n{fingerprint}".encode("ascii")).hexdigest()[:16]
