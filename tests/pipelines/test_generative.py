"""The set `generative`: an index like the embedded one's, and a reader that writes."""

import pytest
from haystack import Document

from pipelines.loader import BrokenPipelineError, load_pipeline
from tests.components.generation.conftest import known, tiny_t5  # noqa: F401 - fixtures
from tests.components.generation.tiny_t5 import Lessons


def test_a_question_is_answered_by_writing(tiny_t5, known: Lessons, tmp_path):  # noqa: F811
    environment = {"EXCERPT_GENERATOR": str(tiny_t5), "EXCERPT_STORE": str(tmp_path / "store")}
    index = load_pipeline("index", "generative", environment)
    assert index.document_store is not None
    loaded = load_pipeline("ask", "generative", environment)
    contexts = dict.fromkeys(context for _, context, _ in known.answered)
    embedder = loaded.component("QuestionEmbedder")
    embedder.warm_up()
    documents = []
    for number, context in enumerate(contexts):
        meta = {"source_id": str(number), "source_version": "1", "file_path": f"{number}.txt", "split_idx_start": 0}
        vector = embedder.run(text=context)["embedding"]
        documents.append(Document(content=context, embedding=vector, meta=meta))
    loaded.document_store.write_documents(documents)
    question, _, answer = next(one for one in known.answered if one[2])
    answers = loaded.run(query=question)["answers"]
    assert answer in [one.data for one in answers] and answers[-1].data is None
    loaded.document_store.close()


def test_without_a_model_the_variable_is_named():
    with pytest.raises(BrokenPipelineError, match="EXCERPT_GENERATOR is not set"):
        load_pipeline("ask", "generative", {})
