"""What a passage index is made with, and which settings contradict an index that is there; no server is asked."""

import pytest

from components.stores.elasticsearch.index.languages import ANALYSERS, analysis, to_analyser, to_iso
from components.stores.elasticsearch.index.mapping import IndexDesign, index_settings


def differences(made_with: IndexDesign, store: IndexDesign) -> list[str]:
    return store.differences(made_with.mapping())


def test_each_field_is_searched_filtered_or_only_kept():
    fields = IndexDesign(search_fields={"content": 1.0, "title": 0.5}, meta_fields={"born": "date"}).mapping()
    properties = fields["properties"]
    assert properties["content"] == {"type": "text", "analyzer": "excerpt_words"}
    assert properties["title"]["type"] == "keyword"
    assert properties["title"]["fields"]["words"]["analyzer"] == "excerpt_words"
    assert properties["born"] == {"type": "date"}
    assert properties["blob"]["enabled"] is False
    assert "dims" not in properties["embedding"]
    assert IndexDesign(embedding_dims=7).mapping()["properties"]["embedding"]["dims"] == 7


def test_weights_stand_in_the_question_not_in_the_mapping():
    design = IndexDesign(search_fields={"content": 1.0, "title": 0.5})
    assert design.query_fields() == ["content^1", "title.words^0.5"]
    assert differences(design, IndexDesign(search_fields={"content": 3.0, "title": 2.0})) == []


@pytest.mark.parametrize(
    ("quantisation", "with_graph", "without"),
    [("auto", "int8_hnsw", "int8_flat"), ("hnsw", "hnsw", "flat"), ("bbq_hnsw", "bbq_hnsw", "bbq_flat")]
    + [(name, name, name) for name in ("flat", "int8_flat", "int4_flat", "bbq_flat")],
)
def test_a_graph_that_is_left_for_later(quantisation, with_graph, without):
    design = IndexDesign(quantisation=quantisation)
    for flag, expected in ((True, with_graph), (False, without)):
        options = design.mapping(flag)["properties"]["embedding"]["index_options"]
        assert options == {"type": expected}


@pytest.mark.parametrize(
    ("quantisation", "dims", "passages", "expected"),
    [
        ("auto", 384, 5_000, []),
        ("auto", 384, 5_001, ["bbq_hnsw", "int8_hnsw"]),
        ("auto", 383, 5_001, ["int8_hnsw"]),
        ("auto", None, 5_001, ["int8_hnsw"]),
        ("int4_hnsw", 8, 1, ["int4_hnsw"]),
        ("flat", 384, 10**6, []),
    ],
)
def test_which_graph_so_many_vectors_get(quantisation, dims, passages, expected):
    assert [one["type"] for one in IndexDesign(quantisation=quantisation).graphs(dims, passages)] == expected


@pytest.mark.parametrize(
    ("here", "named"),
    [
        ({"language": "german"}, "language is 'en' in the index and 'de' in the settings"),
        ({"language": None}, "language is 'en' in the index and None in the settings"),
        ({"quantisation": "flat"}, "quantisation is 'hnsw' in the index and 'flat'"),
        ({"similarity": "l2_norm"}, "embedding_similarity_function is 'cosine' in the index and 'l2_norm'"),
        ({"embedding_dims": 5}, "embedding_dimension is 4 in the index and 5 in the settings"),
        ({"search_fields": {"content": 1.0, "author": 1.0}}, "search_fields names 'author'"),
    ],
)
def test_settings_that_contradict_the_index_are_named(here, named):
    made = {"language": "english", "quantisation": "hnsw", "embedding_dims": 4}
    [told] = differences(IndexDesign(**made), IndexDesign(**{**made, **here}))
    assert told.startswith(named)


@pytest.mark.parametrize("here", [{"quantisation": "auto"}, {"embedding_dims": None}, {}])
def test_settings_that_leave_it_open_fit(here):
    made = {"language": "english", "quantisation": "hnsw", "embedding_dims": 4}
    assert differences(IndexDesign(**made), IndexDesign(**{**made, **here})) == []


def test_the_length_is_compared_with_the_vectors_that_are_there():
    mapping = IndexDesign().mapping()
    mapping["properties"]["embedding"]["dims"] = 4
    assert IndexDesign(embedding_dims=4).differences(mapping) == []
    assert IndexDesign(embedding_dims=5).differences(mapping) == [
        "embedding_dimension is 4 in the index and 5 in the settings"
    ]


def test_an_index_of_another_program_is_read_off():
    mapping = {"properties": {"embedding": {"type": "dense_vector", "similarity": "l2_norm", "dims": 4}}}
    assert IndexDesign().differences(mapping) == [
        "embedding_similarity_function is 'l2_norm' in the index and 'cosine' in the settings"
    ]


@pytest.mark.parametrize(("replicas", "key"), [(2, "number_of_replicas"), ("0-1", "auto_expand_replicas")])
def test_replicas_are_a_number_or_a_range(replicas, key):
    settings = index_settings(3, replicas, 50)
    assert settings[key] == replicas
    assert settings["number_of_shards"] == 3
    assert settings["mapping"]["total_fields"]["limit"] == 50


@pytest.mark.parametrize(
    ("code", "analyser"),
    [("en", "english"), ("EN", "english"), ("pt-BR", "brazilian"), ("pt_br", "brazilian"), ("ja", "cjk"), (None, None)],
)
def test_languages_by_iso_code(code, analyser):
    assert to_analyser(code) == analyser


def test_every_analyser_has_a_code_that_leads_back():
    for analyser in set(ANALYSERS.values()):
        assert to_analyser(to_iso(analyser)) == analyser


def test_words_are_stemmed_after_accents_and_possessives_before():
    assert analysis("english", "a")["analyzer"]["a"]["filter"] == [
        "excerpt_possessive", "lowercase", "excerpt_stop", "asciifolding", "excerpt_stem",
    ]  # fmt: skip
    assert analysis("german", "a")["filter"]["excerpt_stem"] == {"type": "stemmer", "language": "light_german"}
    assert analysis("thai", "a") == {"analyzer": {"a": {"type": "thai"}}}
    assert analysis(None, "a")["analyzer"]["a"]["filter"] == ["lowercase", "asciifolding"]
