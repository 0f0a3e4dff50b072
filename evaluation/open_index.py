"""An index of all the paragraphs of SQuAD files, made by the index pipeline's own components, or found again."""

import hashlib
import json
import os
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from evaluation.squad import SquadQuestion

if TYPE_CHECKING:
    from pipelines.loader import LoadedPipeline

# Shows progress: (what, total, unit) -> context of a function called with how many more are done.
Progress = Callable[[str, int | None, str], AbstractContextManager[Callable[..., None]]]

_DONE = "complete.json"
_AT_ONCE = 1_000  # paragraphs embedded and written in one go; bounds memory


def paragraph_id(text: str) -> str:
    """The `source_id` under which a paragraph is indexed: 32 hex of its text's sha256."""
    return hashlib.sha256(text.encode("utf-8", "replace")).hexdigest()[:32]


def paragraphs_of(questions: Sequence[SquadQuestion]) -> dict[str, str]:
    """Each distinct paragraph with the title of its (first) article."""
    titles: dict[str, str] = {}
    for one in questions:
        titles.setdefault(one.context, one.article.replace("_", " "))
    return titles


def indexed(paragraphs: dict[str, str], pipelines: str, cache: Path, progress: Progress) -> dict[str, str]:
    """
    Index the paragraphs into a store in the cache folder, unless a complete one of the same paragraphs and the same
    pipeline is there.

    :param paragraphs: text -> title.
    :param pipelines: set or folder of pipelines; its splitter, embedder and store are used.
    :returns: the environment in which the set's pipelines use that store.
    :raises ValueError: when the index pipeline lacks one of the components.
    """
    from indexing.fingerprint import pipeline_fingerprint
    from pipelines.loader import load_pipeline

    plain = load_pipeline("index", pipelines)
    fingerprint = pipeline_fingerprint([_part(plain, "PassageSplitter"), _part(plain, "PassageEmbedder")])
    # The store's own settings count as well, but not where it lies, which is what this decides.
    store = {key: value for key, value in _settings(plain.document_store).items() if key != "path"}
    content = json.dumps([fingerprint, store, sorted(paragraphs.items())], default=str)
    key = hashlib.sha256(content.encode("utf-8", "replace")).hexdigest()[:16]
    folder = cache / key
    environment = {**os.environ, "EXCERPT_STORE": str(folder / "store"), "EXCERPT_INDEX": f"excerpt-eval-{key}"}
    if (folder / _DONE).is_file():
        return environment
    folder.mkdir(parents=True, exist_ok=True)
    passages = _fill(load_pipeline("index", pipelines, environment), paragraphs, progress)
    done = {"paragraphs": len(paragraphs), "passages": passages, "fingerprint": fingerprint}
    (folder / _DONE).write_text(json.dumps(done), encoding="utf-8")
    return environment


def _fill(loaded: "LoadedPipeline", paragraphs: dict[str, str], progress: Progress) -> int:
    from haystack import Document
    from haystack.document_stores.types import DuplicatePolicy

    splitter, embedder = _part(loaded, "PassageSplitter"), _part(loaded, "PassageEmbedder")
    for part in (splitter, embedder):
        part.warm_up()
    store = loaded.document_store
    documents = [
        Document(
            id=paragraph_id(text),
            content=text,
            meta={"source_id": paragraph_id(text), "title": title, "file_path": title, "file_name": title},
        )
        for text, title in paragraphs.items()
    ]
    passages = 0
    with progress("Indexing", len(documents), "paragraphs") as advance:
        for begin in range(0, len(documents), _AT_ONCE):
            batch = documents[begin : begin + _AT_ONCE]
            split: list[Document] = splitter.run(documents=batch)["documents"]
            # OVERWRITE: a run that was stopped half-way is taken up again over what it left.
            written = embedder.run(documents=split)["documents"]
            store.write_documents(written, policy=DuplicatePolicy.OVERWRITE)
            passages += len(written)
            advance(len(batch))
    if hasattr(store, "optimise"):
        store.optimise()
    return passages


def _part(loaded: "LoadedPipeline", kind: str) -> Any:
    part = loaded.component(kind)
    if part is None:
        raise ValueError(f"{loaded.path}: has no {kind}; this evaluation indexes paragraphs with it")
    return part


def _settings(store: Any) -> dict[str, Any]:
    return dict(store.to_dict()["init_parameters"])
