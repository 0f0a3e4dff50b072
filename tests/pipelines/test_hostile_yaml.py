"""A hundred hostile pipeline files: each is refused by name, nothing runs, and no secret stands in the message."""

# ruff: noqa: E501 one file a line

import json
import resource
import time
from pathlib import Path

import pytest
from haystack import Pipeline  # noqa: F401 imported before processes are forbidden: torch starts some on its import
from haystack_integrations.components.readers.transformers import TransformersExtractiveReader  # noqa: F401

from pipelines.dangers import check_template
from pipelines.loader import BrokenPipelineError, load_pipeline

SECRET = "CANARY-SECRET-4711-xyz"
HEAD = """\
components:
  retriever:
    type: haystack.components.retrievers.in_memory.InMemoryBM25Retriever
    init_parameters:
      document_store:
        type: haystack.document_stores.in_memory.InMemoryDocumentStore
"""
READER = "haystack_integrations.components.readers.transformers.TransformersExtractiveReader"
OURS = "components.reader.ExtractiveReader"
EMBEDDER = "components.embedder.QuestionEmbedder"


def component(kind: str, settings: str) -> str:
    return f"{HEAD}  x:\n    type: {kind}\n    init_parameters: {settings}\n"


def template(text: str) -> str:
    return component(
        "haystack.components.converters.OutputAdapter", json.dumps({"template": text, "output_type": "str"})
    )


TYPES = {
    name: component(name, "{}")
    for name in (
        *("os.system", "subprocess.Popen", "builtins.eval", "builtins.exec", "posix.system", "shutil.rmtree"),
        *("importlib.import_module", "runpy.run_path", "ctypes.CDLL", "pickle.loads", "torch.load", "code.interact"),
        *("haystack.utils.auth.os.system", "haystack.components.agents.Agent", "haystack.tools.Tool"),
        *("haystack.components.tools.ToolInvoker", "haystack.components.fetchers.LinkContentFetcher"),
        *("haystack.components.routers.ConditionalRouter", "haystack.components.generators.OpenAIGenerator"),
        *("haystack.components.converters.MultiFileConverter", "haystack.components.preprocessors.PythonCodeSplitter"),
        *("haystack.components.embedders.OpenAITextEmbedder", "haystack.core.pipeline.Pipeline"),
        *("haystack.core.super_component.SuperComponent", "haystack.components.rankers.LLMRanker"),
        *("haystack_integrations.components.generators.transformers.TransformersChatGenerator",),
        *("haystack_integrations.components.retrievers.elasticsearch.ElasticsearchSQLRetriever",),
        *("components", "components.models._sha256", "components.models.resolve_model", "indexing.run.index"),
        *("components.models.Path", "components..reader.ExtractiveReader", "components.reader.os.system"),
        *("cli.main.app", "training.run.finetune.finetune", "pipelines.loader.load_pipeline", "sitecustomize.x"),
        *("components.no_such_module.X", "", ".", "components.reader.ExtractiveReader()"),
    )
}
SETTINGS = {
    "remote code": component(READER, "{model_kwargs: {trust_remote_code: true}}"),
    "remote code, deep": component(READER, "{model_kwargs: {config: {a: [{trust_remote_code: 1}]}}}"),
    "remote code, other case": component(READER, "{model_kwargs: {Trust-Remote-Code: yes}}"),
    "remote code in ours": component(OURS, "{model_kwargs: {trust_remote_code: true}}"),
    "remote code as text": component(READER, "{model_kwargs: {trust_remote_code: 'true'}}"),
    "auto_map": component(READER, "{model_kwargs: {auto_map: {AutoModel: x.Y}}}"),
    "code_revision": component(READER, "{model_kwargs: {code_revision: main}}"),
    "custom pipeline": component(READER, "{model_kwargs: {custom_pipeline: evil/x}}"),
    "pickles allowed": component(READER, "{model_kwargs: {use_safetensors: false}}"),
    "weights_only": component(READER, "{model_kwargs: {weights_only: false}}"),
    "pickled weights": component(READER, "{model: /tmp/pytorch_model.bin}"),
    "pickled weights of ours": component(OURS, "{model: evil.PT}"),
    "token in plain": component(READER, f"{{model_kwargs: {{token: {SECRET}}}}}"),
    "use_auth_token": component(READER, f"{{model_kwargs: {{use_auth_token: {SECRET}}}}}"),
    "token of ours": component(EMBEDDER, f"{{token: {SECRET}}}"),
    "token as a secret of text": component(EMBEDDER, f"{{token: {{type: token, token: {SECRET}}}}}"),
    "password": component(READER, f"{{model_kwargs: {{proxies: {{password: {SECRET}}}}}}}"),
    "authorization": component(READER, f"{{model_kwargs: {{headers: {{Authorization: {SECRET}}}}}}}"),
    "token from the environment, in plain": component(EMBEDDER, "{token: '${SECRET}'}"),
    "unsafe": component(
        "haystack.components.converters.OutputAdapter", "{template: x, output_type: str, unsafe: true}"
    ),
    "filters of code": component(
        "haystack.components.converters.OutputAdapter",
        "{template: x, output_type: str, custom_filters: {f: os.system}}",
    ),
    "code of a splitter": component(
        "haystack.components.preprocessors.DocumentSplitter", "{splitting_function: os.system}"
    ),
    "a component in a setting": component(READER, "{model_kwargs: {x: {type: os.system, init_parameters: {}}}}"),
    "a class without a module": component(READER, "{model_kwargs: {x: {type: Popen, init_parameters: {}}}}"),
    "top_k is nan": component("components.retriever.HybridRetriever", "{document_store: null, top_k: .nan}"),
    "top_k without end": component(OURS, "{top_k: .inf}"),
    "top_k is a list": component(OURS, "{top_k: [1]}"),
    "top_k is text": component(OURS, "{top_k: '3'}"),
    "top_k is a switch": component(OURS, "{top_k: true}"),
    "model is a number": component(EMBEDDER, "{model: 3}"),
    "NUL": component(EMBEDDER, '{model: "a\\0b"}'),
    "unknown setting": component(OURS, "{__class__: x}"),
    "a pattern without end": component("haystack.components.preprocessors.DocumentCleaner", "{remove_regex: '(a+)+$'}"),
    "a long pattern": component(
        "haystack.components.preprocessors.DocumentCleaner", f"{{remove_regex: '{'a?' * 200}'}}"
    ),
    "the secret as a type": component("'${SECRET}'", "{}"),
    "the secret as a number": component(OURS, "{top_k: !!int '${SECRET}'}"),
    "the secret as a choice": component(OURS, "{early_stop: '${SECRET}'}"),
    "the secret in a filter": component(
        "components.retriever.HybridRetriever", "{document_store: null, filters: {field: x, operator: '${SECRET}'}}"
    ),
    "the secret in a template": template("{{ x | ${SECRET} }}"),
}
TEMPLATES = {
    text: template(text)
    for text in (
        *("{{ 'x' * 10**10 }}", "{{ 10**10**10 }}", "{{ 'x' * n }}", "{% for i in range(10**9) %}x{% endfor %}"),
        *("{{ x.__class__.__mro__ }}", "{{ x['__class__']() }}", "{{ cycler.__init__.__globals__.os.system('id') }}"),
        *(
            "{{ lipsum(10000) }}",
            "{% include '/etc/passwd' %}",
            "{% import 'os' as os %}",
            "{% macro f() %}{{ f() }}{% endmacro %}",
        ),
        *(
            "{% set x = x ~ x %}{% set x = x ~ x %}",
            "{{ 'a' | center(1000000000) }}",
            "{{ '%9999999999d' | format(1) }}",
        ),
        *(
            "{% for a in x %}{% for b in x %}{{ x }}{% endfor %}{% endfor %}",
            "{{ x | attr('__class__') }}",
            "{{ x | indent(10**9) }}",
        ),
        *(
            "{{ x | replace('a', 'aaaa') | replace('a', 'aaaa') }}",
            "{% for a in x recursive %}{{ loop(x) }}{% endfor %}",
        ),
        *("{% call x() %}{% endcall %}", "{{ namespace() }}", "{{ x", "{% if %}", "{{ (" * 40, "{{ x }}" * 3000),
    )
}
FILES = {
    "not a mapping": "- a\n",
    "empty": "",
    "no components": "inputs: {}\n",
    "python object": "components: !!python/object/apply:os.system ['touch canary']\n",
    "python name": "components: {x: {type: !!python/name:os.system ''}}\n",
    "alias bomb": "a: &a [x,x,x,x,x,x,x,x,x]\n" + "".join(f"{c}: &{c} [{', '.join([f'*{p}'] * 9)}]\n" for p, c in zip("abcdef", "bcdefg", strict=True)),
    "a loop": "metadata: &a {b: *a}\n",
    "too deep": "components: " + "[" * 60 + "]" * 60,
    "too large": f"{HEAD}# " + "x" * 300_000,
    "runs without end": f"{HEAD}max_runs_per_component: 1000000000\n",
    "runs of text": f"{HEAD}max_runs_per_component: many\n",
    "key twice": f"{HEAD}components: {{}}\n",
    "a list as a key": "? [a, b]\n: c\n",
    "unknown section": f"{HEAD}run: os.system\n",
    "not UTF-8": "\udcff",
    "a variable that is not there": component(OURS, "{model: '${NO_SUCH_VARIABLE}'}"),
    "a variable that does not end": component(OURS, "{model: '${SECRET'}"),
    "a connection that is none": f"{HEAD}connections: [os.system]\n",
    "an output of nothing": f"{HEAD}outputs: {{x: os.system}}\n",
    "the secret as a component": f"{HEAD}connections: [{{sender: '${{SECRET}}.x', receiver: retriever.query}}]\n",
    "two documents": f"{HEAD}---\n{HEAD}",
}  # fmt: skip
HOSTILE = {
    **{f"type {key}": text for key, text in TYPES.items()},
    **SETTINGS,
    **{f"template {key[:40]}": text for key, text in TEMPLATES.items()},
    **FILES,
}


def test_there_are_as_many_as_promised() -> None:
    assert len(HOSTILE) >= 100


@pytest.mark.parametrize("name", HOSTILE)
def test_is_refused_in_words(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("os.system", lambda *_: pytest.fail("a command was run"))
    monkeypatch.setattr("subprocess.Popen.__init__", lambda *_, **__: pytest.fail("a process was started"))
    (tmp_path / "ask.yaml").write_bytes(HOSTILE[name].encode("utf-8", "surrogateescape"))
    before, began = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, time.monotonic()
    with pytest.raises(BrokenPipelineError) as caught:
        load_pipeline("ask", str(tmp_path), {"SECRET": SECRET})
    assert SECRET not in str(caught.value) and SECRET[:8] not in str(caught.value)
    cause = caught.value.__cause__
    assert cause is None or SECRET not in str(cause)
    assert str(tmp_path / "ask.yaml") in str(caught.value)
    assert "nothing feeds its input" not in str(caught.value), "refused for something harmless"
    assert [file.name for file in tmp_path.iterdir()] == ["ask.yaml"]
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 600_000, "kilobytes"
    assert time.monotonic() - began < 60


def test_a_model_folder_with_code_of_its_own_is_refused_before_anything_is_loaded(tmp_path: Path) -> None:
    model = tmp_path / "model"
    model.mkdir()
    (model / "config.json").write_text('{"auto_map": {"AutoModelForQuestionAnswering": "evil.Model"}}')
    (model / "evil.py").write_text("open('canary', 'w')")
    (tmp_path / "ask.yaml").write_text(component(READER, f"{{model: {model}}}"))
    with pytest.raises(BrokenPipelineError, match="auto_map"):
        load_pipeline("ask", str(tmp_path), {})
    (model / "config.json").write_text("{}")
    (model / "pytorch_model.bin").write_bytes(b"")
    with pytest.raises(BrokenPipelineError, match="pickled weights"):
        load_pipeline("ask", str(tmp_path), {})
    (model / "model.safetensors").write_bytes(b"")
    with pytest.raises(BrokenPipelineError, match="code of its own"):
        load_pipeline("ask", str(tmp_path), {})


def test_a_foreign_reader_takes_safetensors_only(tmp_path: Path) -> None:
    (tmp_path / "ask.yaml").write_text(
        f"components: {{x: {{type: {READER}, init_parameters: {{model: a/b}}}}}}\n"
        "inputs: {query: x.query, documents: x.documents}\n"
    )
    reader = load_pipeline("ask", str(tmp_path), {}).component("TransformersExtractiveReader")
    assert reader.model_kwargs["use_safetensors"] is True


@pytest.mark.parametrize(
    "text",
    [
        "{{ documents | join(', ') }}",
        "{% for document in documents %}{{ document.content | trim }} ({{ loop.index }})\n{% endfor %}Question: {{ query }}",
        "{% if documents | length > 3 %}{{ documents[0].meta['title'] | default('?') }}{% else %}none{% endif %}",
        "{{ a ~ ' ' ~ b }}",
    ],
)
def test_templates_that_people_write_are_taken(text: str) -> None:
    assert check_template(text) is None


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("components.reader.ExtractiveReader", "components.reader.component.ExtractiveReader"),
        ("components.stores.lancedb.LanceDBDocumentStore", "components.stores.lancedb.store.LanceDBDocumentStore"),
    ],
)
def test_names_from_before_a_move_go_on_working(old: str, new: str, tmp_path: Path) -> None:
    from pipelines.loader import SETS

    text = (SETS / "embedded" / "ask.yaml").read_text(encoding="utf-8")
    assert old in text
    (tmp_path / "ask.yaml").write_text(text.replace(old, new))
    assert load_pipeline("ask", str(tmp_path), {}).component(old.rpartition(".")[2]) is not None or "Store" in old
