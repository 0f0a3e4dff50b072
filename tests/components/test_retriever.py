import asyncio
import inspect

import pytest
from haystack import Document, Pipeline
from haystack.errors import FilterError

from components.retriever import HybridRetriever
from components.stores.lancedb import LanceDBDocumentStore

WALL = "The Berlin Wall fell on 9 November 1989 and people crossed it."
BEARS = "Brown bears sleep through the winter in dens."
WINTER = "In the winter of 1989 the dens of the bears were counted; sleep was not."
DOCUMENTS = [
    Document(id="wall", content=WALL, meta={"lang": "en", "year": 1989}, embedding=[1.0, 0.0, 0.0]),
    Document(id="bears", content=BEARS, meta={"lang": "en", "year": 2001}, embedding=[0.0, 1.0, 0.0]),
    Document(id="winter", content=WINTER, meta={"lang": "de", "year": 2001}, embedding=[0.0, 0.8, 0.6]),
]


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    store = LanceDBDocumentStore(tmp_path_factory.mktemp("retriever") / "store", durable=False)
    store.write_documents(DOCUMENTS)
    yield store
    store.close()


def ids(result):
    return [document.id for document in result["documents"]]


def test_words_and_meaning(store):
    found = HybridRetriever(store).run("When did the Wall fall?", [0.9, 0.1, 0.0])["documents"]
    assert found[0].id == "wall"
    assert {document.id for document in found} == {"wall", "bears", "winter"}
    assert all(document.embedding is None for document in found)
    assert all(0.0 <= document.score <= 1.0 for document in found)
    assert [document.score for document in found] == sorted((document.score for document in found), reverse=True)


def test_words_alone_need_no_embedding(store):
    assert ids(HybridRetriever(store).run("What fell in November?"))[0] == "wall"
    assert ids(HybridRetriever(store, words_weight=1.0).run("What fell in November?", [0.0, 1.0, 0.0]))[0] == "wall"


def test_meaning_alone(store):
    retriever = HybridRetriever(store, words_weight=0.0)
    assert ids(retriever.run("wall", [0.0, 1.0, 0.0])) == ["bears", "winter", "wall"]
    with pytest.raises(ValueError, match=r"words_weight 0 .* without an embedding: connect an embedder"):
        retriever.run("wall")


def test_the_wording_decides_between_passages_with_the_same_words(store):
    question = "Do brown bears sleep through the winter in dens?"
    with_phrases = HybridRetriever(store).run(question)["documents"]
    without = HybridRetriever(store, phrase_weight=0.0).run(question)["documents"]

    def lead(found):
        scores = {document.id: document.score for document in found}
        return scores["bears"] / scores["winter"]

    assert lead(with_phrases) > lead(without)


def test_a_passage_below_top_k_can_come_up_by_its_wording(tmp_path):
    texts = ["Normandy, France; Normandy, France: in.", "The Normans settled Normandy in France then and stayed."]
    store = LanceDBDocumentStore(tmp_path / "store", durable=False)
    store.write_documents([Document(id=str(number), content=text) for number, text in enumerate(texts)])
    question = "Normandy in France?"
    assert ids(HybridRetriever(store, phrase_weight=0.0).run(question, top_k=1)) == ["0"]
    assert ids(HybridRetriever(store).run(question, top_k=1)) == ["1"]
    store.close()


def test_only_the_best_candidates_are_looked_at_for_phrases(store):
    question = "Where were the dens of the bears counted in the winter of 1989?"
    plain = HybridRetriever(store, phrase_weight=0.0).run(question)["documents"]
    first_only = HybridRetriever(store, phrase_candidates=1).run(question)["documents"]
    assert [document.id for document in first_only] == [document.id for document in plain]


def test_top_k(store):
    retriever = HybridRetriever(store, top_k=2)
    assert len(ids(retriever.run("bears in winter", [0.0, 1.0, 0.0]))) == 2
    assert len(ids(retriever.run("bears in winter", [0.0, 1.0, 0.0], top_k=1))) == 1
    assert ids(retriever.run("bears in winter", [0.0, 1.0, 0.0], top_k=0)) == []
    with pytest.raises(ValueError, match="top_k is -1"):
        retriever.run("bears", top_k=-1)


def comparison(field, operator, value):
    return {"field": f"meta.{field}", "operator": operator, "value": value}


def test_filters_of_setting_and_question_both_hold(store):
    english = comparison("lang", "==", "en")
    late = comparison("year", ">", 1990)
    either = {"operator": "OR", "conditions": [late, comparison("year", "==", 1)]}
    retriever = HybridRetriever(store, filters=english)
    assert set(ids(retriever.run("1989 bears"))) == {"wall", "bears"}
    assert ids(retriever.run("1989 bears", filters=late)) == ["bears"]
    # Haystack's merge would drop the setting here: another operator, the same field.
    assert ids(retriever.run("1989 bears", filters=either)) == ["bears"]
    assert ids(retriever.run("1989 bears", filters=comparison("lang", "==", "de"))) == []
    replacing = HybridRetriever(store, filters=english, filter_policy="replace")
    assert ids(replacing.run("1989 bears", filters=comparison("lang", "==", "de"))) == ["winter"]
    assert set(ids(replacing.run("1989 bears"))) == {"wall", "bears"}


def test_many_questions_as_one_by_one(store):
    questions = ["When did the wall fall?", "", "Where do bears sleep?", "nothing of this occurs: xyzzy"]
    vectors = [[1.0, 0.0, 0.0], [0.0, 0.0, 1.0], [0.1, 0.9, 0.2], [0.5, 0.5, 0.0]]
    retriever = HybridRetriever(store)
    together = retriever.search(questions, vectors)
    assert together == [retriever.run(q, v)["documents"] for q, v in zip(questions, vectors, strict=True)]
    assert retriever.search([], []) == []
    with pytest.raises(ValueError, match="4 questions came with 1 embeddings"):
        retriever.search(questions, vectors[:1])


async def test_run_async_gives_what_run_gives(store):
    questions = ["When did the wall fall?", "Where do bears sleep?"] * 8
    retriever = HybridRetriever(store)
    found = await asyncio.gather(*(retriever.run_async(question, [0.3, 0.3, 0.3]) for question in questions))
    assert found == [retriever.run(question, [0.3, 0.3, 0.3]) for question in questions]


async def test_what_is_asked_together_is_searched_together_and_answered_apart(store, monkeypatch):
    retriever = HybridRetriever(store)
    asked = []
    search = LanceDBDocumentStore.hybrid_search

    def counted(self, queries, *arguments):
        asked.append(len(queries))
        return search(self, queries, *arguments)

    monkeypatch.setattr(LanceDBDocumentStore, "hybrid_search", counted)
    calls = [
        {"query": "bears in winter", "query_embedding": [0.0, 1.0, 0.0], "top_k": 1 + number % 2} for number in range(8)
    ]
    calls += [{"query": "bears", "filters": comparison("lang", "==", "de")}, {"query": "winter"}]
    found = await asyncio.gather(*(retriever.run_async(**call) for call in calls))
    assert sum(asked) == len(calls) and len(asked) < len(calls)
    monkeypatch.undo()
    assert found == [retriever.run(**call) for call in calls]
    retriever.close()


async def test_a_bad_question_fails_alone(store):
    retriever = HybridRetriever(store)
    found = await asyncio.gather(
        retriever.run_async("wall", [1.0, 0.0, 0.0]),
        retriever.run_async("wall", [1.0, 0.0]),
        retriever.run_async("wall", [1.0, 0.0, 0.0], filters={"field": "meta.lang"}),
        retriever.run_async("wall", top_k=-1),
        return_exceptions=True,
    )
    assert ids(found[0])[0] == "wall"
    assert "has 2 numbers" in str(found[1])
    assert isinstance(found[2], FilterError)
    assert "top_k is -1" in str(found[3])
    retriever.close()


def test_run_and_run_async_have_one_signature():
    assert inspect.signature(HybridRetriever.run) == inspect.signature(HybridRetriever.run_async)


def test_every_setting_survives_yaml(tmp_path):
    settings = {
        "top_k": 7,
        "fusion": "rrf",
        "words_weight": 0.25,
        "candidates": 33,
        "rank_constant": 11,
        "phrase_weight": 0.125,
        "phrase_candidates": 9,
        "forgive_typos": False,
        "language": "German",
        "filters": comparison("lang", "==", "en"),
        "filter_policy": "replace",
        "timeout": 5.0,
        "max_waiting": 17,
        "distinct": False,
    }
    names = set(inspect.signature(HybridRetriever.__init__).parameters) - {"self", "document_store"}
    assert names == set(settings), "a new setting belongs into this test"
    pipeline = Pipeline()
    store = LanceDBDocumentStore(tmp_path / "store")
    pipeline.add_component("retriever", HybridRetriever(store, **settings))
    back = Pipeline.loads(pipeline.dumps(), allowed_modules=["components.*"]).get_component("retriever")
    assert {name: getattr(back, name) for name in settings} == settings
    assert isinstance(back.document_store, LanceDBDocumentStore)
    assert back.document_store.path == str(tmp_path / "store")


def test_making_one_touches_nothing_and_warming_up_is_repeatable(tmp_path):
    retriever = HybridRetriever(LanceDBDocumentStore(tmp_path / "nowhere"))
    assert not (tmp_path / "nowhere").exists()
    retriever.warm_up()
    retriever.warm_up()
    assert ids(retriever.run("anything", [1.0, 0.0])) == []


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"top_k": 0}, "top_k is 0"),
        ({"fusion": "sum"}, "'sum', but must be one of 'convex', 'rrf'"),
        ({"words_weight": 2}, "words_weight is 2"),
        ({"candidates": 0}, "candidates is 0"),
        ({"phrase_weight": -1.0}, "phrase_weight is -1.0"),
        ({"phrase_candidates": 0}, "phrase_candidates is 0"),
        ({"filter_policy": "both"}, "'both', but must be one of 'merge', 'replace'"),
    ],
)
def test_bad_settings_are_named_with_what_is_allowed(tmp_path, settings, message):
    with pytest.raises(ValueError, match=message):
        HybridRetriever(LanceDBDocumentStore(tmp_path / "store"), **settings)


def test_copies_of_a_text_count_once_and_are_told_behind(tmp_path):
    store = LanceDBDocumentStore(tmp_path / "store", durable=False)
    rows = [(f"copy-{n:03}", BEARS, "ada" if n % 2 else "bob") for n in range(120)]
    rows += [("winter", WINTER, "ada"), ("dens", "Dens of bears in winter are warm.", "bob")]
    store.write_documents(
        [Document(id=name, content=text, meta={"allow": who}, embedding=[0.0, 1.0, 0.0]) for name, text, who in rows]
    )
    question = ("Do bears sleep in dens in winter?", [0.0, 1.0, 0.0])
    found = HybridRetriever(store, top_k=3).run(*question)["documents"]
    assert [document.content for document in found[:3]].count(BEARS) == 1
    assert {"winter", "dens"} <= set([document.id for document in found][:3]), "not crowded out by 120 copies"
    assert {document.content for document in found[3:]} == {BEARS}
    assert len(found) == 3 + 50 and len({document.id for document in found}) == 53
    assert {document.score for document in found[3:]} == {one.score for one in found[:3] if one.content == BEARS}
    mine = {"field": "meta.allow", "operator": "==", "value": "ada"}
    seen = HybridRetriever(store, top_k=3).run(*question, filters=mine)["documents"]
    assert {document.meta["allow"] for document in seen} == {"ada"}
    plain = HybridRetriever(store, top_k=3, distinct=False).run(*question)["documents"]
    assert [document.content for document in plain] == [BEARS] * 3
