"""The YAML that comes with Excerpt: it loads, Haystack alone loads it too, and every setting survives a round trip."""

import inspect
from typing import Any

import pytest
import yaml
from haystack import Pipeline
from haystack.core.serialization import component_to_dict

from pipelines.loader import SETS, load_pipeline

FILES = sorted(SETS.glob("*/*.yaml"))
ALLOWED = ["components.*", "indexing.*"]
ENVIRONMENT = {
    "EXCERPT_STORE": "somewhere",
    "ELASTICSEARCH_URL": "http://localhost:9200",
    "EXCERPT_GENERATOR": "models/t5",
}


def names(path: Any) -> str:
    return f"{path.parent.name}-{path.stem}"


@pytest.mark.parametrize("path", FILES, ids=names)
def test_loads_with_its_declared_inputs(path: Any) -> None:
    loaded = load_pipeline(path.stem, path.parent.name, ENVIRONMENT)
    wanted = {"ask": {"query", "filters", "top_k"}, "index": {"sources", "meta"}}[path.stem]
    assert set(loaded.inputs) >= wanted
    assert ("answers" if path.stem == "ask" else "counts") in loaded.outputs


@pytest.mark.parametrize("path", FILES, ids=names)
def test_is_plain_haystack_yaml(path: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Hayhooks loads these files without our loader; only `${...}` is ours."""
    for name, value in ENVIRONMENT.items():
        monkeypatch.setenv(name, value)
    text = path.read_text(encoding="utf-8")
    assert Pipeline.loads(text, allowed_modules=ALLOWED).graph.nodes
    for section in ("inputs", "outputs"):
        assert isinstance(yaml.safe_load(text)[section], dict)


@pytest.mark.parametrize("path", FILES, ids=names)
def test_every_setting_survives_a_round_trip(path: Any) -> None:
    """From the signature, so that a new setting is covered on the day it is added."""
    for name, built in load_pipeline(path.stem, path.parent.name, ENVIRONMENT).pipeline.walk():
        cls = type(built)
        written = component_to_dict(built, name)
        parameters = inspect.signature(cls.__init__).parameters
        assert set(written["init_parameters"]) == set(parameters) - {"self"}, name
        changed = {
            key: value
            for key, parameter in parameters.items()
            if key != "self" and (value := _another(written["init_parameters"][key], parameter.default)) is not None
        }
        given = {**written, "init_parameters": {**written["init_parameters"], **changed}}
        copy = Pipeline.from_dict({"components": {name: given}}, allowed_modules=ALLOWED).get_component(name)
        again = component_to_dict(copy, name)
        for key, value in changed.items():
            assert again["init_parameters"][key] == value, f"{name} loses {key}"


def _another(value: Any, default: Any) -> Any:
    """A legal value that is not the default one, for settings where any number or switch will do."""
    if isinstance(value, bool):
        return not value
    if isinstance(value, int):
        return value + 1
    if isinstance(value, float) and 0 < value < 1:
        return value / 2
    return None
