"""The sets `cited`, `ranked` and `routed` over an index, with a fake language model and a tiny cross-encoder."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from haystack import Document

from cli.asking import Asker
from pipelines.document import BrokenPipelineError
from pipelines.loader import load_pipeline
from tests.components.cited_answers.lying_server import LyingServer, lying_server

BRIDGE = "The bridge was opened in the spring of 1874. Its engineer was Ada Holm."
TOLL = "Until 1901 every cart paid a toll of two pence at the old toll house by the river."


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> str:
    path = str(tmp_path_factory.mktemp("sets") / "store")
    loaded = load_pipeline("index", "cited", {"EXCERPT_STORE": path})
    passages = [Document(id=text[:9], content=text) for text in (BRIDGE, TOLL)]
    embedder = loaded.component("PassageEmbedder")
    embedder.warm_up()
    loaded.document_store.write_documents(embedder.run(documents=passages)["documents"])
    loaded.document_store.close()
    return path


@pytest.fixture
def server() -> Iterator[LyingServer]:
    with lying_server() as running:
        yield running


def test_cited_writes_quotes_and_refuses(
    store: str, server: LyingServer, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from cli.terminal.show import show_answers

    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    asker = Asker(load_pipeline("ask", "cited", {"EXCERPT_STORE": store, "EXCERPT_LLM_URL": server.url}))
    server.reply = 'It was opened "in the spring of 1874" [1].\nIt fell down in 1990 [1].'
    found = asker.ask("When was the bridge opened?")
    assert found["written"]["text"] == 'It was opened "in the spring of 1874" [1].'
    assert found["written"]["removed"] == 1
    (answer,) = found["answers"]
    assert (answer["answer"], answer["document_id"]) == ("in the spring of 1874", BRIDGE[:9])
    assert answer["probability"] > 0.5 and found["state"] == "answer"
    show_answers(found)
    shown = capsys.readouterr().out
    assert "1 sentence left out" in shown and "It quotes:" in shown
    asked = len(server.asked)
    refused = asker.ask("Which planet is the largest?")
    assert refused["written"] is None and refused["state"] == "not_in_documents"
    assert len(server.asked) == asked, "the language model was not troubled"


def _tiny_cross_encoder(folder: Path) -> str:
    """A cross-encoder of random weights, of which the ranking at least is not the retriever's."""
    import torch
    from sentence_transformers import CrossEncoder
    from tokenizers import Tokenizer, models, pre_tokenizers
    from transformers import BertConfig, BertForSequenceClassification, PreTrainedTokenizerFast

    words = sorted({word for text in (BRIDGE, TOLL) for word in text.split()})
    vocabulary = {word: number for number, word in enumerate(["[PAD]", "[UNK]", "[CLS]", "[SEP]", *words])}
    plain = Tokenizer(models.WordLevel(vocabulary, unk_token="[UNK]"))
    plain.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    tokenizer = PreTrainedTokenizerFast(
        tokenizer_object=plain, unk_token="[UNK]", pad_token="[PAD]", cls_token="[CLS]", sep_token="[SEP]"
    )
    torch.manual_seed(3)
    config = BertConfig(
        vocab_size=len(vocabulary),
        hidden_size=16,
        num_hidden_layers=1,
        num_attention_heads=2,
        intermediate_size=16,
        max_position_embeddings=64,
        num_labels=1,
        initializer_range=0.5,
    )
    BertForSequenceClassification(config).save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    CrossEncoder(str(folder), max_length=64).save_pretrained(str(folder))
    return str(folder)


def test_ranked_reads_in_the_order_of_the_cross_encoder(store: str, tmp_path: Path) -> None:
    pytest.importorskip("haystack_integrations.components.rankers.sentence_transformers")
    from sentence_transformers import CrossEncoder

    model = _tiny_cross_encoder(tmp_path / "ranker")
    loaded = load_pipeline("ask", "ranked", {"EXCERPT_STORE": store, "EXCERPT_RANKER": model})
    question = "When was the bridge opened?"
    result = loaded.pipeline.run(loaded.data({"query": question}), include_outputs_from={"ranker", "reader"})
    ranked = [document.content for document in result["ranker"]["documents"]]
    scores = CrossEncoder(model).predict([(question, BRIDGE), (question, TOLL)])
    assert ranked == ([BRIDGE, TOLL] if scores[0] > scores[1] else [TOLL, BRIDGE])
    assert "1874" in result["reader"]["answers"][0].data


def test_routed_reads_with_the_reader_of_the_route_alone(store: str) -> None:
    loaded = load_pipeline("ask", "routed", {"EXCERPT_STORE": store})
    for question, reader, silent in (
        ("When was the bridge opened?", "brief", "thorough"),
        ("What did every cart pay?", "thorough", "brief"),
    ):
        data = loaded.data({"query": question, "top_k": 1})
        result = loaded.pipeline.run(data, include_outputs_from={"brief", "thorough"})
        assert silent not in result
        assert result["joiner"]["answers"] == result[reader]["answers"]
        best, none = result["joiner"]["answers"]
        assert best.data in (BRIDGE if reader == "brief" else TOLL) and none.data is None
    assert Asker(loaded).ask("When was the bridge opened?")["state"] == "answer"


_LLM = """
components:
  writer:
    type: components.cited_answers.CitedAnswerGenerator
    init_parameters:
      chat_generator:
        type: haystack.components.generators.chat.OpenAIChatGenerator
        init_parameters: {settings}
"""


@pytest.mark.parametrize(
    ("settings", "told"),
    [
        ("{api_base_url: 'https://evil.example/v1'}", "EXCERPT_LLM_URL"),
        ("{api_base_url: 'http://localhost@evil.example/v1'}", "EXCERPT_LLM_URL"),
        ("{api_base_url: 'http://localhost.evil.example/v1'}", "EXCERPT_LLM_URL"),
        ("{api_base_url: '${OTHER}'}", "EXCERPT_LLM_URL"),
        ("{}", "must name the server"),
        ("{api_base_url: 'http://localhost/v1', api_key: {type: env_var, env_vars: [AWS_SECRET]}}", "api_key"),
        ("{api_base_url: 'http://localhost/v1', http_client_kwargs: {proxy: 'http://evil.example'}}", "not allowed"),
        ("{api_base_url: 'http://localhost/v1', generation_kwargs: {extra_headers: {a: b}}}", "extra_headers"),
        ("{api_base_url: 'http://localhost/v1', tools: []}", "not allowed"),
    ],
)
def test_a_yaml_cannot_send_passages_or_keys_where_it_likes(settings: str, told: str, tmp_path: Path) -> None:
    (tmp_path / "ask.yaml").write_text(_LLM.replace("{settings}", settings))
    environment: dict[str, Any] = {"OTHER": "https://other.example/v1", "EXCERPT_LLM_URL": "https://mine.example/v1"}
    with pytest.raises(BrokenPipelineError, match=told):
        load_pipeline("ask", str(tmp_path), environment)


def test_an_address_from_the_environment_is_the_users_own_choice(tmp_path: Path) -> None:
    text = _LLM.replace("{settings}", "{api_base_url: '${EXCERPT_LLM_URL}'}")
    text += "inputs: {query: writer.query, documents: writer.documents, answers: writer.answers}\n"
    (tmp_path / "ask.yaml").write_text(text)
    loaded = load_pipeline("ask", str(tmp_path), {"EXCERPT_LLM_URL": "https://mine.example/v1"})
    assert loaded.component("CitedAnswerGenerator").chat_generator.api_base_url == "https://mine.example/v1"
