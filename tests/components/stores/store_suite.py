"""
What every store of ours must do beyond Haystack's suites: hybrid search, and the record of sources.

A store's test subclasses the three classes and overrides the fixture `document_store` with an empty store that takes
embeddings of four numbers, and says in `FIELDS` which fields of meta it searches besides the content.
"""

import asyncio
import copy
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any

import pytest
from haystack import Document
from haystack.document_stores.types import DuplicatePolicy
from haystack.errors import FilterError

from components.retriever import HybridRetriever
from components.stores.contract import PassageStore, Source, StoreBusyError
from components.stores.filters import MAX_CONDITIONS
from components.stores.fusion import Fusion

WORDS = Fusion(method="convex", words_weight=1.0, candidates=10)
MEANING = Fusion(method="convex", words_weight=0.0, candidates=10)
BOTH = Fusion(method="convex", words_weight=0.5, candidates=10)
RANKS = Fusion(method="rrf", words_weight=0.5, candidates=10)

EAST, NORTH, UP, LATER = [1.0, 0, 0, 0], [0, 1.0, 0, 0], [0, 0, 1.0, 0], [0, 0, 0, 1.0]


def passages() -> list[Document]:
    """Five passages; words and embeddings agree for some questions and disagree for others."""
    rows = [
        ("tower", "The Eiffel Tower stands in Paris and is made of iron.", EAST, {"title": "Paris", "year": 1889}),
        ("bridge", "The Golden Gate Bridge is painted orange.", NORTH, {"title": "Bridges", "year": 1937}),
        ("canal", "Ships pass the Panama Canal through locks.", [0.6, 0.8, 0, 0], {"title": "Canals", "year": 1914}),
        ("wall", "The wall was built of stone over centuries.", UP, {"headings": "Asia > China"}),
        (
            "tomb",
            "Taj Mahal — ताज महल — белый мрамор, 大理石 🕌",
            LATER,
            {"title": "Agra", "year": 1653, "flag": True},
        ),
    ]
    return [Document(id=name, content=text, embedding=vector, meta=meta) for name, text, vector, meta in rows]


def ids(documents: list[Document]) -> list[str]:
    return [document.id for document in documents]


MALFORMED_FILTERS: list[Any] = [
    {"field": "meta.a", "value": 1},
    {"field": "meta.a", "operator": "=="},
    {"field": "meta.a", "operator": "~", "value": 1},
    {"field": "meta.a", "operator": ">", "value": "March"},
    {"field": "meta.a", "operator": ">", "value": [1]},
    {"field": "meta.a", "operator": "<", "value": {"a": 1}},
    {"field": "meta.a", "operator": "in", "value": "abc"},
    {"field": "content", "operator": ">", "value": 1},
    {"field": "embedding", "operator": "==", "value": None},
    {"field": 3, "operator": "==", "value": None},
    {"operator": "XOR", "conditions": []},
    {"operator": "AND"},
    {"conditions": []},
    {"operator": "AND", "conditions": "all"},
    {"operator": "AND", "conditions": ["all"]},
    ["all"],
]


class HybridStoreSuite:
    """Hybrid search of one and many questions."""

    @pytest.fixture
    def document_store(self):
        raise NotImplementedError("override with an empty store for embeddings of four numbers")

    @pytest.fixture
    def filled(self, document_store):
        document_store.write_documents(passages())
        return document_store

    def test_words_find_what_vectors_do_not_see(self, filled):
        [found] = filled.hybrid_search(["orange bridge"], [UP], top_k=3, fusion=WORDS)
        assert ids(found) == ["bridge"]

    def test_words_are_stemmed(self, filled):
        [found] = filled.hybrid_search(["painting of bridges"], None, top_k=3, fusion=WORDS)
        assert ids(found)[0] == "bridge"

    @pytest.fixture
    def settled(self, document_store):
        """The same at the end of a run, when an index of words is complete."""
        document_store.write_documents(passages())
        self.settle(document_store)
        return document_store

    def settle(self, store):
        """What a store does at the end of a run; nothing, where words can be found as soon as they are written."""

    def test_misspelt_words_find_nothing_unless_asked_for(self, settled):
        assert settled.hybrid_search(["orenge"], None, top_k=3, fusion=WORDS) == [[]]
        [found] = settled.hybrid_search(["orenge"], None, top_k=3, fusion=replace(WORDS, typos=True))
        assert "bridge" in ids(found)

    @pytest.mark.parametrize(
        ("question", "best"),
        [
            ("Who built the centuires?", "wall"),
            ("Is it oragne or not?", "bridge"),
            ("ships through the lokcs", "canal"),
        ],
    )
    def test_one_or_two_typing_errors_are_forgiven(self, settled, question, best):
        for weight in (1.0, 0.5):
            retriever = HybridRetriever(settled, top_k=3, words_weight=weight)
            assert best in ids(retriever.search([question], None)[0])[:2]
            strict = HybridRetriever(settled, top_k=3, words_weight=weight, forgive_typos=False)
            asked = question.split()[-1] if best != "bridge" else "oragne"
            assert strict.search([asked], None) == [[]]

    def test_meaning_finds_what_words_do_not_say(self, filled):
        [found] = filled.hybrid_search(["orange bridge"], [EAST], top_k=2, fusion=MEANING)
        assert ids(found) == ["tower", "canal"]

    def test_meaning_alone_without_any_word(self, filled):
        [found] = filled.hybrid_search([""], [NORTH], top_k=2, fusion=MEANING)
        assert ids(found) == ["bridge", "canal"]

    def test_vectors_are_compared_by_direction_not_length(self, filled):
        [short] = filled.hybrid_search(["x"], [[0.01, 0, 0, 0]], top_k=3, fusion=MEANING)
        [long] = filled.hybrid_search(["x"], [[100.0, 0, 0, 0]], top_k=3, fusion=MEANING)
        assert ids(short)[:2] == ids(long)[:2] == ["tower", "canal"]

    @pytest.mark.parametrize("fusion", [BOTH, RANKS], ids=["convex", "rrf"])
    def test_both_legs_take_part(self, filled, fusion):
        [found] = filled.hybrid_search(["stone wall"], [NORTH], top_k=5, fusion=fusion)
        assert set(ids(found)[:2]) == {"wall", "bridge"}

    def test_without_embeddings_words_alone_are_asked(self, filled):
        [found] = filled.hybrid_search(["iron tower"], None, top_k=5, fusion=BOTH)
        assert ids(found) == ["tower"]

    def test_title_and_headings_are_searched(self, filled):
        found = filled.hybrid_search(["Agra", "China"], None, top_k=5, fusion=WORDS)
        assert [ids(one) for one in found] == [["tomb"], ["wall"]]

    def test_many_questions_get_what_each_gets_alone(self, filled):
        questions = ["iron tower", "ships in locks", "", "orange", "nothing of the kind exists"]
        vectors = [EAST, [0.5, 0.5, 0, 0], NORTH, UP, LATER]
        together = filled.hybrid_search(questions, vectors, top_k=3, fusion=BOTH)
        alone = [
            filled.hybrid_search([question], [vector], top_k=3, fusion=BOTH)[0]
            for question, vector in zip(questions, vectors, strict=True)
        ]
        assert [ids(one) for one in together] == [ids(one) for one in alone]
        for one, other in zip(together, alone, strict=True):
            assert [found.score for found in one] == pytest.approx([found.score for found in other], abs=1e-5)

    def test_no_question_no_answer(self, filled):
        assert filled.hybrid_search([], [], fusion=BOTH) == []
        assert filled.hybrid_search([], None, fusion=BOTH) == []

    def test_passages_come_back_whole_but_without_embedding(self, filled):
        [found] = filled.hybrid_search(["Taj Mahal"], [LATER], top_k=1, fusion=BOTH)
        expected = next(one for one in passages() if one.id == "tomb")
        assert found[0].score is not None
        assert found[0].embedding is None
        assert replace(found[0], score=None) == replace(expected, embedding=None)
        assert list(found[0].meta) == list(expected.meta)

    def test_scores_fall(self, filled):
        [found] = filled.hybrid_search(["the tower of iron and the bridge"], [EAST], top_k=5, fusion=BOTH)
        scores = [one.score for one in found]
        assert len(scores) == 5
        assert scores == sorted(scores, reverse=True)

    @pytest.mark.parametrize("fusion", [WORDS, MEANING, BOTH, RANKS], ids=["words", "meaning", "both", "ranks"])
    def test_filters_hold_for_every_leg(self, filled, fusion):
        filters = {"field": "meta.year", "operator": ">", "value": 1900}
        [found] = filled.hybrid_search(
            ["the tower in Paris and a bridge"], [EAST], top_k=5, filters=filters, fusion=fusion
        )
        assert found
        assert set(ids(found)) <= {"bridge", "canal"}

    def test_filter_that_leaves_nothing(self, filled):
        filters = {"field": "meta.title", "operator": "==", "value": "Rome"}
        assert filled.hybrid_search(["tower", "wall"], [EAST, UP], filters=filters, fusion=BOTH) == [[], []]

    def test_filter_leaves_as_many_as_are_asked_for(self, document_store):
        # A store that filters after taking the nearest would find none of these.
        near = [Document(id=f"near{i}", content="same words", embedding=EAST) for i in range(40)]
        far = [Document(id=f"far{i}", content="same words", embedding=NORTH, meta={"keep": True}) for i in range(5)]
        document_store.write_documents(near + far)
        filters = {"field": "meta.keep", "operator": "==", "value": True}
        for fusion in (WORDS, MEANING, BOTH):
            [found] = document_store.hybrid_search(["words"], [EAST], top_k=5, filters=filters, fusion=fusion)
            assert set(ids(found)) == set(ids(far))

    @pytest.mark.parametrize("filters", MALFORMED_FILTERS, ids=repr)
    def test_malformed_filters_are_refused(self, filled, filters):
        with pytest.raises(FilterError):
            filled.filter_documents(filters)

    def test_malformed_filter_of_a_question_is_refused(self, filled):
        with pytest.raises(FilterError):
            filled.hybrid_search(["tower"], None, filters={"operator": "AND"})

    def test_equal_scores_are_ordered_by_id(self, document_store):
        names = ["c", "a", "e", "b", "d"]
        document_store.write_documents([Document(id=name, content="same words", embedding=EAST) for name in names])
        for fusion in (WORDS, MEANING, BOTH):
            for _ in range(3):
                [found] = document_store.hybrid_search(["words"], [EAST], top_k=5, fusion=fusion)
                assert ids(found) == sorted(names)

    def test_empty_store(self, document_store):
        assert document_store.hybrid_search(["anything", ""], [EAST, NORTH], fusion=BOTH) == [[], []]
        assert document_store.hybrid_search(["anything"], None) == [[]]

    @pytest.mark.parametrize("question", ["", "   ", "\n\t", "?!...", "🕌" * 3])
    def test_question_without_words(self, filled, question):
        assert filled.hybrid_search([question], None, fusion=WORDS) == [[]]
        [found] = filled.hybrid_search([question], [EAST], top_k=1, fusion=BOTH)
        assert ids(found) == ["tower"]

    @pytest.mark.parametrize(
        "question",
        [
            'the "Eiffel Tower"',
            '"tower',
            "tower AND NOT paris",
            "tower -iron +paris",
            "title:tower content:*",
            "tower~2 (iron^3 [a TO z]",
            "tower' OR 1=1 --",
            "tower \\ / : ; { } ~ * ?",
            "tower\x00iron",
            "tower " * 3000,
        ],
    )
    def test_nothing_in_a_question_is_an_operator(self, filled, question):
        [found] = filled.hybrid_search([question], None, top_k=5, fusion=WORDS)
        assert "tower" in ids(found)

    @pytest.mark.parametrize("question", ["Mahal", "мрамор", "МРАМОР"])
    def test_words_of_other_scripts(self, filled, question):
        [found] = filled.hybrid_search([question], None, top_k=5, fusion=WORDS)
        assert ids(found) == ["tomb"]

    def test_accents_do_not_matter(self, document_store):
        document_store.write_documents([Document(id="a", content="Café Zürich"), Document(id="b", content="tea")])
        [found] = document_store.hybrid_search(["cafe zurich"], None, top_k=5, fusion=WORDS)
        assert ids(found) == ["a"]

    def test_asking_for_more_than_there_is(self, filled):
        [found] = filled.hybrid_search(["tower"], [EAST], top_k=1000, fusion=BOTH)
        assert sorted(ids(found)) == sorted(ids(passages()))

    def test_asking_for_more_than_there_are_candidates(self, document_store):
        document_store.write_documents([Document(id=f"{i:03}", content="words", embedding=EAST) for i in range(60)])
        for fusion in (WORDS, MEANING, BOTH):
            [found] = document_store.hybrid_search(["words"], [EAST], top_k=50, fusion=fusion)
            assert len(set(ids(found))) == 50

    def test_passages_without_embedding_are_found_by_words(self, filled):
        filled.write_documents([Document(id="plain", content="A pyramid of limestone.")])
        [found] = filled.hybrid_search(["pyramid"], [EAST], top_k=10, fusion=BOTH)
        assert {"plain", "tower"} <= set(ids(found))
        [found] = filled.hybrid_search(["pyramid"], [EAST], top_k=10, fusion=MEANING)
        assert "plain" not in ids(found)

    def test_what_is_written_overwritten_and_deleted_shows_at_once(self, filled):
        for _ in range(2):  # the second search of a version may go another way than the first
            assert ids(filled.hybrid_search(["iron tower"], [EAST], top_k=1, fusion=BOTH)[0]) == ["tower"]
        filled.write_documents(
            [Document(id="tower", content="Now it says: zeppelin.", embedding=UP)], DuplicatePolicy.OVERWRITE
        )
        assert filled.hybrid_search(["iron"], None, fusion=WORDS) == [[]]
        for _ in range(2):
            [found] = filled.hybrid_search(["zeppelin"], [UP], top_k=1, fusion=BOTH)
            assert (ids(found), found[0].content) == (["tower"], "Now it says: zeppelin.")
        filled.delete_documents(["tower"])
        for _ in range(2):
            [found] = filled.hybrid_search(["zeppelin"], [UP], top_k=5, fusion=BOTH)
            assert "tower" not in ids(found)
        assert filled.count_documents() == 4

    def test_skipped_duplicates_leave_the_old_passage(self, filled):
        filled.write_documents([Document(id="tower", content="zeppelin", embedding=UP)], DuplicatePolicy.SKIP)
        assert filled.hybrid_search(["zeppelin"], None, fusion=WORDS) == [[]]

    @pytest.mark.parametrize("fusion", [WORDS, MEANING, BOTH, RANKS], ids=["words", "meaning", "both", "ranks"])
    async def test_async_gives_the_same(self, filled, fusion):
        questions, vectors = ["iron tower", "stone", ""], [EAST, UP, NORTH]
        filters = {"field": "meta.year", "operator": "!=", "value": 1914}
        for extra in ({}, {"filters": filters}):
            waited = filled.hybrid_search(questions, vectors, top_k=4, fusion=fusion, **extra)
            assert await filled.hybrid_search_async(questions, vectors, top_k=4, fusion=fusion, **extra) == waited

    async def test_many_at_once(self, filled):
        searches = [filled.hybrid_search_async(["iron tower"], [EAST], top_k=2, fusion=BOTH) for _ in range(20)]
        results = await asyncio.gather(*searches)
        assert all(ids(found) == ids(results[0][0]) for [found] in results)

    def test_from_several_threads_at_once(self, filled):
        with ThreadPoolExecutor(8) as pool:
            results = list(
                pool.map(lambda _: filled.hybrid_search(["iron tower"], [EAST], top_k=1, fusion=BOTH), range(24))
            )
        assert all(ids(found) == ["tower"] for [found] in results)

    def test_wrong_arguments_are_named(self, filled):
        with pytest.raises(ValueError, match="top_k"):
            filled.hybrid_search(["tower"], None, top_k=0)
        with pytest.raises(ValueError, match="embeddings"):
            filled.hybrid_search(["tower", "wall"], [EAST], fusion=BOTH)
        with pytest.raises(ValueError, match="3"):
            filled.hybrid_search(["tower"], [[1.0, 0, 0]], fusion=BOTH)
        with pytest.raises(ValueError, match=r"NaN|finite"):
            filled.hybrid_search(["tower"], [[float("nan"), 0, 0, 0]], fusion=BOTH)

    def test_a_vector_of_the_wrong_length_is_not_written(self, filled):
        with pytest.raises(ValueError, match="odd"):
            filled.write_documents([Document(id="odd", content="x", embedding=[1.0, 2.0])])
        assert filled.count_documents() == 5

    def test_a_copy_searches_the_same_store(self, filled):
        assert ids(copy.deepcopy(filled).hybrid_search(["iron tower"], None)[0]) == ["tower"]


def source(name: str, **changes) -> Source:
    values = {
        "source_id": name * 32,
        "path": f"/docs/{name}.txt",
        "content_hash": name * 64,
        "fingerprint": "f1",
        "version": "v1",
        "state": "indexed",
        "reason": None,
        "size": 12,
        "mtime_ns": 1_700_000_000_123_456_789,
        "title": f"Title {name}",
        "mime_type": "text/plain",
        "passages": 3,
        "text": f"page one of {name}\fpage two — 二",
        "page_starts": (0, 14),
        "layout": b"\x00\x01rectangles",
        "generation": 1,
    }
    return Source(**(values | changes))


class SourceRecordSuite:
    """The record of sources that a store keeps with its passages."""

    def test_empty(self, document_store):
        record = document_store.sources
        assert list(record.all()) == []
        assert record.get("a" * 32) is None
        record.delete(["a" * 32])

    def test_comes_back_whole(self, document_store):
        bare = source("b", title=None, mime_type=None, text=None, page_starts=(), layout=None, reason="password")
        document_store.sources.put([source("a"), bare])
        assert document_store.sources.get("a" * 32) == source("a")
        assert document_store.sources.get("b" * 32) == bare

    def test_listing_leaves_out_what_is_heavy(self, document_store):
        document_store.sources.put([source("b"), source("a")])
        expected = [replace(source(name), text=None, layout=None) for name in "ab"]
        assert list(document_store.sources.all()) == expected

    def test_what_a_pipeline_is_made_of_is_remembered_by_its_name(self, document_store):
        record = document_store.sources
        assert record.get_pipeline("0" * 16) is None
        described = {
            "format": 4,
            "components": [{"type": "a.B", "settings": {"overlap": 0, "x": None}, "digest": None}],
        }
        record.put_pipeline("0" * 16, described)
        record.put([source("a")])
        assert record.get_pipeline("0" * 16) == described
        assert record.get_pipeline("1" * 16) is None
        assert [one.source_id for one in record.all()] == ["a" * 32]
        record.put_pipeline("0" * 16, {**described, "format": 5})
        assert record.get_pipeline("0" * 16)["format"] == 5

    def test_put_replaces(self, document_store):
        record = document_store.sources
        record.put([source("a")])
        changed = source("a", state="pending", version="v2", text="new", layout=None, passages=0)
        record.put([changed])
        assert record.get("a" * 32) == changed
        assert len(list(record.all())) == 1

    def test_delete(self, document_store):
        record = document_store.sources
        record.put([source("a"), source("b")])
        record.delete(["a" * 32, "c" * 32])
        assert [one.source_id for one in record.all()] == ["b" * 32]
        assert record.get("a" * 32) is None
        record.put([source("a", text=None)])
        assert record.get("a" * 32) == source("a", text=None)

    def test_under_a_folder(self, document_store):
        paths = ["/d/a.txt", "/d/sub/b.txt", "/d/sub%/c.txt", "/d/subway.txt", "/d/sub_/d.txt", "/e.txt"]
        record = document_store.sources
        record.put([source(f"{i}", path=path) for i, path in enumerate(paths)])
        assert [one.path for one in record.all("/d/sub")] == ["/d/sub/b.txt"]
        assert [one.path for one in record.all("/d/sub/")] == ["/d/sub/b.txt"]
        assert [one.path for one in record.all("/d/sub/b.txt")] == ["/d/sub/b.txt"]
        assert [one.path for one in record.all("/")] == sorted(paths)
        assert [one.path for one in record.all()] == sorted(paths)

    def test_reading_while_writing(self, document_store):
        record = document_store.sources
        record.put([source("a"), source("b")])
        for one in record.all():
            record.put([replace(one, state="pending")])
        assert {one.state for one in record.all()} == {"pending"}

    def test_generations_are_never_given_twice(self, document_store):
        first = document_store.sources.next_generation()
        assert first >= 1
        assert [document_store.sources.next_generation() for _ in range(3)] == [first + 1, first + 2, first + 3]

    def test_strange_paths_and_texts(self, document_store):
        odd = source("a", path="/docs/naïve 'q\" %_\n🕌.txt", text="\x00 \f \u2028 🕌", title="")
        document_store.sources.put([odd])
        assert document_store.sources.get("a" * 32) == odd

    def test_opens_again_after_close(self, document_store):
        document_store.sources.put([source("a")])
        document_store.sources.close()
        assert document_store.sources.get("a" * 32) == source("a")

    def test_emptying_the_store_forgets_its_sources(self, document_store):
        document_store.write_documents(passages())
        document_store.sources.put([source("a")])
        document_store.delete_all_documents()
        assert list(document_store.sources.all()) == []


class ContractSuite:
    """What index run and command ask of a store besides: one writer, a status, to be closed and opened again."""

    def test_is_what_the_contract_says(self, document_store):
        assert isinstance(document_store, PassageStore)

    def test_one_writer_at_a_time(self, document_store):
        other = copy.deepcopy(document_store)
        with document_store.one_writer() as right:
            right.check()
            with pytest.raises(StoreBusyError), other.one_writer():
                pass
        with other.one_writer(wait=5.0) as right:
            right.check()
        other.close()

    def test_the_right_to_write_is_given_back_after_an_error(self, document_store):
        with pytest.raises(ZeroDivisionError), document_store.one_writer():
            1 / 0  # noqa: B018
        with document_store.one_writer():
            pass

    def test_what_is_loaded_is_there_afterwards(self, document_store):
        with document_store.loading():
            document_store.write_documents(passages())
        assert ids(document_store.hybrid_search(["iron tower"], None, fusion=WORDS)[0]) == ["tower"]

    def test_status_of_an_empty_and_of_a_full_store(self, document_store):
        assert document_store.status().location
        document_store.write_documents(passages())
        status = document_store.status()
        assert status.size_bytes is None or status.size_bytes > 0
        assert all(isinstance(text, str) for item in status.details.items() for text in item)
        if document_store.folder is not None:
            assert status.location == str(document_store.folder)
            assert document_store.folder.is_dir()

    def test_a_question_finds_one_version_of_a_file(self, document_store):
        def versioned(version: str, count: int) -> list[Document]:
            meta = {"source_id": "a" * 32, "source_version": version}
            return [Document(id=f"{version}{n}", content="iron tower", embedding=EAST, meta=meta) for n in range(count)]

        document_store.write_documents([*passages(), *versioned("old", 3)])
        document_store.sources.put([source("a", version="new", state="pending")])
        document_store.replace_passages(versioned("new", 2), ["a" * 32])
        for fusion in (WORDS, MEANING, BOTH):
            [found] = document_store.hybrid_search(["iron tower"], [EAST], top_k=20, fusion=fusion)
            assert {one.id for one in found if "source_version" in one.meta} == {"new0", "new1"}
        document_store.replace_passages(versioned("new", 2), ["a" * 32])
        assert {"new0", "new1", "tower"} <= {one.id for one in document_store.filter_documents()}

    async def test_closed_it_opens_again(self, document_store):
        document_store.warm_up()
        document_store.write_documents(passages())
        document_store.close()
        assert document_store.count_documents() == 5
        await document_store.close_async()
        document_store.warm_up()
        assert document_store.count_documents() == 5

    def test_it_is_written_down_and_read_again(self, document_store):
        document_store.write_documents(passages())
        again = type(document_store).from_dict(document_store.to_dict())
        assert again.count_documents() == 5
        again.close()

    @pytest.mark.parametrize(
        "filters", [None, {}, {"operator": "AND", "conditions": []}, {"operator": "NOT", "conditions": []}]
    )
    def test_an_empty_filter_deletes_nothing(self, document_store, filters):
        document_store.write_documents(passages())
        if filters == {"operator": "NOT", "conditions": []}:
            assert document_store.delete_by_filter(filters) == 0  # not all of nothing: no document
        else:
            with pytest.raises(FilterError, match="delete_all_documents"):
                document_store.delete_by_filter(filters)
        assert document_store.count_documents() == 5

    def test_equalities_of_one_field_are_one_list_however_many(self, document_store):
        document_store.write_documents(passages())
        many = [{"field": "meta.year", "operator": "==", "value": year} for year in range(40_000)]
        assert len(document_store.filter_documents({"operator": "OR", "conditions": many})) == 4
        others = [one | {"operator": "!="} for one in many]
        assert ids(document_store.filter_documents({"operator": "AND", "conditions": others})) == ["wall"]

    @pytest.mark.parametrize("shape", ["wide", "deep", "long"])
    def test_filters_beyond_all_measure_are_refused_quickly(self, document_store, shape):
        document_store.write_documents(passages())
        filters: Any = {"field": "meta.year", "operator": ">", "value": 1}
        if shape == "wide":
            conditions = [{"field": f"meta.f{n}", "operator": "==", "value": n} for n in range(40_000)]
            filters = {"operator": "OR", "conditions": conditions}
        elif shape == "long":
            filters = {"field": "meta.year", "operator": "in", "value": list(range(1_000_000))}
        else:
            for level in range(40_000):
                filters = {"operator": ("AND", "NOT")[level % 2], "conditions": [filters]}
        with pytest.raises(FilterError, match=r"deep|more than"):
            document_store.hybrid_search(["tower"], None, filters=filters)

    def test_a_filter_of_as_many_conditions_as_are_allowed(self, document_store):
        document_store.write_documents(passages())
        conditions = [{"field": f"meta.f{n}", "operator": "==", "value": n} for n in range(MAX_CONDITIONS - 1)]
        conditions.append({"field": "meta.year", "operator": "<", "value": 1700})
        assert ids(document_store.filter_documents({"operator": "OR", "conditions": conditions})) == ["tomb"]
