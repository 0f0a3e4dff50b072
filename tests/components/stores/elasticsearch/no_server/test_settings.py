"""Settings: by the YAML's names, the earlier ones with a warning, written down from the fields; no server is asked."""

import copy
import inspect
import pickle
import warnings
from dataclasses import fields
from pathlib import Path

import pytest
from haystack.utils import Secret

from components.stores.contract import PassageStore, Rebuildable
from components.stores.elasticsearch import ElasticsearchDocumentStore
from components.stores.elasticsearch.settings import RENAMED, ElasticsearchSettings
from pipelines.loader import load_pipeline

ROOT = Path(__file__).parents[5]
CHANGED = {
    "hosts": ["http://a:9200", "http://b:9200"],
    "index": "contracts",
    "search_fields": {"content": 1.0, "author": 2.0},
    "language": "de",
    "quantisation": "flat",
    "embedding_similarity_function": "dot_product",
    "embedding_dimension": 768,
    "meta_fields": {"version": "keyword"},
    "max_fields": 7,
    "shards": 3,
    "replicas": 2,
    "hold_back_replicas": True,
    "oversampling": 2.5,
    "fuzziness": "AUTO",
    "timeout": 1.5,
    "write_timeout": 2.5,
    "connect_timeout": 3.5,
    "connections": 5,
    "bulk_connections": 6,
    "bulk_bytes": 1 << 17,
    "username": Secret.from_env_var("SOME_USER"),
    "password": Secret.from_env_var("SOME_PASSWORD"),
    "api_key": Secret.from_env_var("SOME_KEY"),
    "api_key_id": Secret.from_env_var("SOME_KEY_ID"),
    "ca_certs": "ours.pem",
    "custom_mapping": {"properties": {}},
    "client_settings": {"verify_certs": False},
}


def test_every_setting_survives_yaml_and_copies():
    assert CHANGED.keys() == {field.name for field in fields(ElasticsearchSettings)}
    store = ElasticsearchDocumentStore(**CHANGED)
    written = store.to_dict()
    assert written["type"] == "components.stores.elasticsearch.ElasticsearchDocumentStore"
    for again in (
        ElasticsearchDocumentStore.from_dict(written),
        copy.deepcopy(store),
        pickle.loads(pickle.dumps(store)),
    ):
        assert again.settings == store.settings
        assert {name: getattr(again.settings, name) for name in CHANGED} == CHANGED
        assert again.connection is not store.connection
    assert written["init_parameters"]["password"]["env_vars"] == ["SOME_PASSWORD"]


def test_a_key_given_as_text_is_not_written_down():
    store = ElasticsearchDocumentStore(api_key="CANARY-SECRET")
    assert "CANARY-SECRET" not in str(store.to_dict())
    assert "CANARY-SECRET" not in repr(store)


@pytest.mark.parametrize(("earlier", "now", "value"), [("patience", "write_timeout", 3.0)])
def test_earlier_names_are_taken_with_a_warning(earlier, now, value):
    with pytest.warns(FutureWarning, match=f"{earlier} is now called {now}"):
        store = ElasticsearchDocumentStore(**{earlier: value})
    assert getattr(store.settings, now) == value
    with pytest.raises(TypeError, match="give one of them"):
        ElasticsearchDocumentStore(**{earlier: value, now: value})


def test_a_yaml_of_earlier_versions_loads(tmp_path: Path):
    folder = tmp_path / "mine"
    folder.mkdir()
    for name in ("index", "ask"):
        text = (ROOT / "pipelines" / "elasticsearch" / f"{name}.yaml").read_text()
        earlier = (
            "          language: english\n          patience: 5\n          wait: 6\n          embedding_dims: 384 #"
        )
        assert "          language: en #" in text
        (folder / f"{name}.yaml").write_text(text.replace("          language: en #", earlier))
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        store = load_pipeline("ask", str(folder)).document_store
    settings = store.settings
    assert (settings.language, settings.write_timeout, settings.connect_timeout) == ("en", 5, 6)
    assert settings.embedding_dimension == 384
    messages = " ".join(str(one.message) for one in told if one.category is FutureWarning)
    assert all(name in messages for name in (*RENAMED, "write 'en' instead of 'english'"))


def test_the_signature_names_each_setting_for_loaders():
    names = inspect.signature(ElasticsearchDocumentStore.__init__).parameters.keys() - {"self"}
    assert names == {field.name for field in fields(ElasticsearchSettings)} | RENAMED.keys()
    with pytest.raises(TypeError, match="no setting 'indx'; did you mean index"):
        ElasticsearchDocumentStore(indx="x")


@pytest.mark.parametrize(
    ("wrong", "named"),
    [
        ({"timeout": 0}, "timeout"),
        ({"write_timeout": -1}, "write_timeout"),
        ({"shards": 0}, "shards"),
        ({"bulk_bytes": 10}, "bulk_bytes"),
        ({"oversampling": 0.5}, "oversampling"),
        ({"embedding_dimension": 5000}, "embedding_dimension"),
        ({"language": "klingon"}, "language is 'klingon'.* en, "),
        ({"quantisation": "int2"}, "quantisation is 'int2'.*bbq_hnsw"),
        ({"embedding_similarity_function": "manhattan"}, "embedding_similarity_function"),
        ({"search_fields": {"content": 0.0}}, "search_fields"),
        ({"search_fields": {"content": 1.0, "embedding": 1.0}}, "embedding cannot be a field of meta"),
    ],
)
def test_what_is_not_allowed_is_named(wrong, named):
    with pytest.raises(ValueError, match=named):
        ElasticsearchDocumentStore(**wrong)


def test_it_keeps_the_contract():
    store = ElasticsearchDocumentStore()
    assert isinstance(store, PassageStore)
    assert isinstance(store, Rebuildable)
    assert store.folder is None
