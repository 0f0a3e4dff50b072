"""The loader on real Haystack components: what it fills in, what it refuses, and in which words."""

import shutil
import textwrap
from pathlib import Path

import pytest

from pipelines.loader import SETS, BrokenPipelineError, LoadedPipeline, find_pipelines, load_pipeline, store_folders

GOOD = """\
components:
  retriever:
    type: haystack.components.retrievers.in_memory.InMemoryBM25Retriever
    init_parameters:
      document_store:
        type: haystack.document_stores.in_memory.InMemoryDocumentStore
        init_parameters: {bm25_algorithm: BM25Okapi}
      top_k: ${TOP_K:-7}
  joiner:
    type: haystack.components.joiners.DocumentJoiner
connections:
  - {sender: retriever.documents, receiver: joiner.documents}
inputs:
  query: [retriever.query]
outputs:
  documents: joiner.documents
"""


def load(folder: Path, text: str, **environment: str) -> LoadedPipeline:
    (folder / "ask.yaml").write_text(textwrap.dedent(text), encoding="utf-8")
    return load_pipeline("ask", str(folder), environment)


def refused(folder: Path, text: str, **environment: str) -> str:
    with pytest.raises(BrokenPipelineError) as error:
        load(folder, text, **environment)
    assert str(folder / "ask.yaml") in str(error.value)
    return str(error.value)


def test_runs_by_declared_names(tmp_path: Path) -> None:
    from haystack import Document

    loaded = load(tmp_path, GOOD)
    loaded.document_store.write_documents([Document(content="the cat sat"), Document(content="a dog")])
    assert next(document.content for document in loaded.run(query="cat")["documents"]) == "the cat sat"
    assert loaded.component("InMemoryBM25Retriever").top_k == 7
    with pytest.raises(ValueError, match=r"`question` is not declared.*Allowed are query"):
        loaded.run(question="cat")


def test_environment_fills_numbers_but_cannot_inject(tmp_path: Path) -> None:
    assert load(tmp_path, GOOD, TOP_K="3").component("InMemoryBM25Retriever").top_k == 3
    assert load(tmp_path, GOOD, TOP_K="").component("InMemoryBM25Retriever").top_k == 7
    quoted = GOOD.replace("BM25Okapi", '"${ALGORITHM}"')
    for hostile in (
        "x\n  evil: {type: os.system}",
        "[1, 2]",
        "{a: 1}",
        "!!python/name:os.system",
        "*alias",
        "${TOP_K}",
    ):
        message = refused(tmp_path, quoted, ALGORITHM=hostile)
        assert "BM25 algorithm" in message, "the value must arrive at the store as the text it is"
    message = refused(tmp_path, quoted)
    assert "ALGORITHM is not set and has no default" in message and "line 7" in message


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        (
            "top_k: ${TOP_K:-7}",
            "topk: 7",
            ["line 8", 'component "retriever"', '"topk" is unknown', "did you mean top_k?"],
        ),
        (
            "bm25_algorithm",
            "algorithm",
            ["line 7", "retriever.document_store", '"algorithm" is unknown', "bm25_algorithm"],
        ),
        ("top_k: ${TOP_K:-7}", "top_k: ${TOP_K", ["line 8", "${NAME:-default}"]),
        ("top_k: ${TOP_K:-7}", "top_k: -3", ['component "retriever"', "top_k"]),
        ("joiners.DocumentJoiner", "joiners.DocumentJoinr", ["line 10", "did you mean DocumentJoiner?"]),
        ("haystack.components.joiners.DocumentJoiner", "os.path.join", ["line 10", "is not allowed", "components.*"]),
        ("haystack.components.joiners.DocumentJoiner", "haystack.utils.device.Device", ["is not allowed"]),
        (
            "receiver: joiner.documents",
            "receiver: joiner.document",
            ['has no input "document"', "did you mean documents?"],
        ),
        ("sender: retriever.documents", "sender: retriver.documents", ["line 12", "did you mean retriever?"]),
        ("query: [retriever.query]", "query: [retriever.question]", ["line 14", 'has no input "question"', "query"]),
        ("query: [retriever.query]", "top_k: [retriever.top_k]", ['nothing feeds its input "query"']),
        ("documents: joiner.documents", "documents: joiner", ["name a socket"]),
        ("outputs:", "output:", ["section `output` is unknown", "did you mean outputs?"]),
        ("    type: haystack.components.joiners.DocumentJoiner", "    typ: x", ["`type` is missing"]),
        ("bm25_algorithm: BM25Okapi", "bm25_algorithm: BM99", ['component "retriever"', "BM99"]),
        ("top_k: ${TOP_K:-7}", "top_k: 7\n      top_k: 8", ["line 9", "given twice"]),
        ("top_k: ${TOP_K:-7}", "filters: {field: meta.y, operator: '=', value: 1}", ["operator '='", "==, !="]),
        ("top_k: ${TOP_K:-7}", "top_k: [7", ["not valid YAML", "line"]),
        ("top_k: ${TOP_K:-7}", "top_k: !!python/name:os.system", ["not valid YAML", "line 8"]),
    ],
)
def test_broken_yaml_is_named(tmp_path: Path, old: str, new: str, words: list[str]) -> None:
    assert old in GOOD
    message = refused(tmp_path, GOOD.replace(old, new))
    for word in words:
        assert word in message, message


@pytest.mark.parametrize(
    ("component", "words"),
    [
        ("OutputAdapter\n    init_parameters: {template: x, output_type: str, unsafe: true}", '"unsafe" may not be on'),
        (
            "OutputAdapter\n    init_parameters: {template: x, output_type: str, custom_filters: {f: os.system}}",
            "names code",
        ),
    ],
)
def test_yaml_may_not_run_code(tmp_path: Path, component: str, words: str) -> None:
    text = GOOD.replace("haystack.components.joiners.DocumentJoiner", f"haystack.components.converters.{component}")
    assert words in refused(tmp_path, text)


def test_size_depth_and_aliases_are_bounded(tmp_path: Path) -> None:
    assert "256" in refused(tmp_path, GOOD + "#" * 300_000).replace("262,144", "256")
    assert "deeper than the 20" in refused(tmp_path, "a: " + "[" * 30 + "]" * 30)
    assert "more than the 50 aliases" in refused(tmp_path, "a: &a 1\nb: [" + "*a, " * 51 + "]")
    assert "contains itself" in refused(tmp_path, "metadata: &a {b: *a}")
    bomb = "metadata:\n  a0: &a0 [1,1,1,1,1,1,1,1,1,1]\n"
    bomb += "".join(f"  a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]\n" for n in range(1, 6))
    assert "grows too large" in refused(tmp_path, bomb)


def test_every_set_is_found_by_name_and_a_wrong_name_tells_them() -> None:
    assert find_pipelines("embedded").name == "embedded"
    with pytest.raises(BrokenPipelineError, match="embedded"):
        find_pipelines("no-such-set")


def test_a_store_is_found_by_its_folder_in_any_set(tmp_path: Path) -> None:
    shutil.copytree(SETS / "embedded", tmp_path / "mine")
    assert store_folders("ask", str(tmp_path / "mine"), {"EXCERPT_STORE": "there"}) == [Path("there")]
    assert store_folders("ask", "elasticsearch", {}) == [], "a server is no folder"


def test_each_component_is_handed_out_as_soon_as_it_is_built(tmp_path: Path) -> None:
    (tmp_path / "ask.yaml").write_text(GOOD.replace("joiners.DocumentJoiner", "joiners.DocumentJoinr"))
    built: list[str] = []
    with pytest.raises(BrokenPipelineError):
        load_pipeline("ask", str(tmp_path), {}, lambda part: built.append(type(part).__name__))
    assert built == [], "nothing is built of a file that is wrong"
    (tmp_path / "ask.yaml").write_text(GOOD)
    load_pipeline("ask", str(tmp_path), {}, lambda part: built.append(type(part).__name__))
    assert built == ["InMemoryBM25Retriever", "DocumentJoiner"]
