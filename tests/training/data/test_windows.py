"""Windows and batches: what is cut, what is marked, and that seed and epoch fix it all."""

import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from components.reader.tokens import PassageTokenizer
from components.reader.windows import WindowSize, cut_windows
from evaluation.squad_data import read_squad
from tests.training.world import facts, write_model
from training.data.batches import EpochPlan, Mixture
from training.data.windows import Corpus, Crops

SIZE = WindowSize(64, 8, 16)


@pytest.fixture(scope="module")
def corpus(tmp_path_factory):
    folder = tmp_path_factory.mktemp("world")
    (folder / "facts.json").write_text(json.dumps(facts(4, 15)))
    write_model(folder / "tiny")
    return Corpus(read_squad([folder / "facts.json"]), PassageTokenizer.load(folder / "tiny"), SIZE)


def own(corpus):
    questions = np.arange(len(corpus.data.questions), dtype=np.int32)
    return questions, np.array([question.paragraph for question in corpus.data.questions], dtype=np.int32)


def test_whole_windows_are_those_of_the_reader(corpus):
    question, paragraph = own(corpus)
    plan = corpus.crop(question, paragraph, question, None, np.random.default_rng(0))
    batch = corpus.batch(plan)
    read = cut_windows(
        corpus.layout, [corpus.questions[q] for q in question], [corpus.passages[p] for p in paragraph], SIZE
    )
    assert batch.ids[batch.real].tolist() == read.batch.ids.tolist()
    assert batch.types[batch.real].tolist() == read.batch.types.tolist()


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 2**32), shortest=st.integers(1, 40), more=st.integers(0, 40), whole=st.floats(0, 1))
def test_crops_hold_the_answer_and_mark_its_tokens(corpus, seed, shortest, more, whole):
    question, paragraph = own(corpus)
    crops = Crops(shortest, shortest + more, whole)
    plan = corpus.crop(question, paragraph, question, crops, np.random.default_rng(seed))
    assert (plan.begin >= 0).all() and (plan.length >= 1).all()
    assert (plan.begin + plan.length <= corpus.passage_lengths[paragraph]).all()
    assert (corpus.window_lengths(plan) <= SIZE.max_length).all()
    assert corpus.held_answers(plan) == len(plan)
    batch = corpus.batch(plan)
    assert not batch.starts[:, 0].any()
    assert (batch.starts <= batch.allowed).all() and (batch.allowed <= batch.real).all()
    for row in range(len(plan)):
        first, last = np.flatnonzero(batch.starts[row])[0], np.flatnonzero(batch.ends[row])[0]
        wanted = corpus.passages[paragraph[row]].ids[slice(*np.add(corpus.answers[question[row]][0], (0, 1)))]
        assert batch.ids[row, first : last + 1].tolist() == wanted.tolist()


def test_a_wrong_passage_points_to_the_first_token(corpus):
    question, paragraph = own(corpus)
    wrong = np.roll(paragraph, 7).astype(np.int32)
    assert (wrong != paragraph).all()
    batch = corpus.batch(corpus.crop(question, wrong, question, None, np.random.default_rng(0)))
    assert batch.starts[:, 0].all() and batch.ends[:, 0].all()
    assert batch.starts.sum() == batch.ends.sum() == len(question)


def test_all_occurrences_are_whole_words(tmp_path):
    context = "rome , romeo , rome and rome ."
    answers = [{"text": "rome", "answer_start": 0}]
    data = {
        "data": [{"paragraphs": [{"context": context, "qas": [{"id": 1, "question": "where ?", "answers": answers}]}]}]
    }
    (tmp_path / "d.json").write_text(json.dumps(data))
    write_model(tmp_path / "tiny")
    tokenizer, read = PassageTokenizer.load(tmp_path / "tiny"), read_squad([tmp_path / "d.json"])
    assert len(Corpus(read, tokenizer, SIZE, "given").answers[0]) == 1
    assert len(Corpus(read, tokenizer, SIZE, "all").answers[0]) == 3


def test_answers_that_no_window_holds_are_told(tmp_path):
    context = "the old town of rome " * 5
    qas = [
        {"id": str(n), "question": "where ?", "answers": [{"text": context[:end], "answer_start": 0}]}
        for n, end in enumerate((3, 100, 50))
    ]
    (tmp_path / "d.json").write_text(json.dumps({"data": [{"paragraphs": [{"context": context, "qas": qas}]}]}))
    tokenizer, read = PassageTokenizer.load(write_model(tmp_path / "tiny")), read_squad([tmp_path / "d.json"])
    assert Corpus(read, tokenizer, WindowSize(20, 2, 6), "given").unread() == [1]
    assert Corpus(read, tokenizer, WindowSize(12, 2, 6), "given").unread() == [1, 2]
    assert Corpus(read, tokenizer, SIZE, "given").unread() == []


def plan_of(corpus, seed=0, epoch=0, tokens=400, **mixture):
    wrong = np.array([[(p + 1 + n) % 60 for n in range(4)] for p in own(corpus)[1]], dtype=np.int32)
    wrong[::3, 2:] = -1
    asked = len(corpus.questions) - 20  # the last twenty stand for those made by rule
    return EpochPlan(corpus, wrong[:asked], asked, Mixture(**mixture), Crops(20, 40), tokens, seed, epoch)


def contents(plan):
    return [plan.windows.take(rows).begin.tolist() for rows in plan.batches]


def test_seed_and_epoch_fix_the_plan(corpus):
    assert contents(plan_of(corpus, 1, 2)) == contents(plan_of(corpus, 1, 2))
    assert contents(plan_of(corpus, 1, 2)) != contents(plan_of(corpus, 1, 3))
    assert contents(plan_of(corpus, 1, 2)) != contents(plan_of(corpus, 2, 2))


def test_versions_bring_the_same_windows_in_another_order(corpus):
    def windows(plan):
        w = plan.windows
        return sorted(zip(w.question.tolist(), w.paragraph.tolist(), w.begin.tolist(), w.length.tolist(), strict=True))

    first, again = plan_of(corpus, epoch=1, versions=3), plan_of(corpus, epoch=4, versions=3)
    assert windows(first) == windows(again)
    assert contents(first) != contents(again)
    assert windows(first) != windows(plan_of(corpus, epoch=2, versions=3))


@settings(max_examples=25, deadline=None)
@given(passages=st.integers(1, 4), mined=st.floats(0, 1), made=st.floats(0, 1), tokens=st.integers(30, 2000))
def test_every_window_once_groups_together_budget_kept(corpus, passages, mined, made, tokens):
    plan = plan_of(corpus, tokens=tokens, passages=passages, mined=mined, made=made)
    rows = np.concatenate(plan.batches)
    assert sorted(rows.tolist()) == list(range(len(plan.windows)))
    lengths = corpus.window_lengths(plan.windows)
    seen = set()
    for batch in plan.batches:
        groups = plan.windows.group[batch].tolist()
        assert not seen & set(groups)
        seen |= set(groups)
        padded = len(batch) * int(lengths[batch].max())
        assert padded <= tokens or len(set(groups)) == 1
    asked = len(corpus.questions) - 20
    assert set(plan.windows.question.tolist()) >= set(range(asked))


def test_steps_hold_all_batches(corpus):
    plan = plan_of(corpus, tokens=200)
    steps = list(plan.steps(3))
    assert [len(step) for step in steps[:-1]] == [3] * (len(steps) - 1)
    assert sum(len(step) for step in steps) == len(plan.batches)


def test_settings_that_mean_nothing_are_refused():
    with pytest.raises(ValueError, match="shortest <= longest"):
        Crops(50, 40)
    with pytest.raises(ValueError, match="mined is a share"):
        Mixture(mined=1.5)
    with pytest.raises(ValueError, match="at least 1"):
        Mixture(passages=0)


def test_an_epoch_has_few_shapes(corpus):
    """Memory that is kept for each shape met stays bounded: lengths come in steps of 16, up to the longest window."""
    plan = plan_of(corpus, tokens=1024)
    lengths = {corpus.batch(step[0]).ids.shape[1] for step in plan.steps(1)}
    assert lengths <= {16, 32, 48, 64}
    assert len({int(corpus.window_lengths(plan.windows.take(rows)).max()) for rows in plan.batches}) > len(lengths)
