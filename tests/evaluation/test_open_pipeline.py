"""The whole way, with the real pipelines, models and store."""

import json
from contextlib import contextmanager

import pytest

from evaluation.open_domain import evaluate_open

ARTICLES = {
    "Berlin_Wall": [("The Berlin Wall fell on 9 November 1989.", "When did the Berlin Wall fall?", "9 November 1989")],
    "Bears": [
        ("Brown bears sleep through the winter in dens.", "Where do brown bears sleep in winter?", "dens"),
        ("Polar bears hunt seals on the sea ice.", "What do polar bears hunt?", "seals"),
    ],
}


def squad(articles):
    return {
        "version": "1.1",
        "data": [
            {
                "title": title,
                "paragraphs": [
                    {
                        "context": text,
                        "qas": [
                            {
                                "id": f"{title}-{number}",
                                "question": question,
                                "answers": [{"text": answer, "answer_start": text.index(answer)}],
                            }
                        ],
                    }
                    for number, (text, question, answer) in enumerate(paragraphs)
                ],
            }
            for title, paragraphs in articles.items()
        ],
    }


@pytest.fixture
def told():
    return []


@pytest.fixture
def progress(told):
    @contextmanager
    def show(what, total, unit):
        done = []
        yield done.append
        told.append((what, sum(done), total))

    return show


def test_questions_over_two_files(tmp_path, progress, told):
    more = {"Sea": [(f"The sea has salt, number {i}.", "Q?", "salt") for i in range(5)]}
    (tmp_path / "dev.json").write_text(json.dumps(squad(ARTICLES)), encoding="utf-8")
    (tmp_path / "train.json").write_text(json.dumps(squad(more)), encoding="utf-8")
    arguments = {"corpus": [tmp_path / "train.json"], "cache": tmp_path / "cache", "passages": 4, "compare": 1}
    result = evaluate_open(tmp_path / "dev.json", progress, **arguments)

    assert (result["questions"], result["paragraphs"]) == (3, 8)
    assert result["figures"]["recall@1"] == 100.0
    assert result["figures"]["exact"] >= 66.0
    assert sum(result["lost"].values()) == round(3 * (1 - result["figures"]["exact"] / 100))
    assert set(result["compare"]) == {"excerpt", "span_logit_alone", "transformers"}
    assert [what for what, _, _ in told] == ["Indexing", "Asking", "Comparing readers"]
    assert all(done == total for _, done, total in told)

    told.clear()
    again = evaluate_open(tmp_path / "dev.json", progress, **{**arguments, "limit": 2, "compare": 0})
    assert [what for what, _, _ in told] == ["Asking"], "the index is used again"
    assert again["questions"] == 2

    told.clear()
    evaluate_open(tmp_path / "dev.json", progress, cache=tmp_path / "cache", limit=1)
    assert [what for what, _, _ in told] == ["Indexing", "Asking"], "other paragraphs are another index"


def test_a_file_without_answers_is_refused(tmp_path, progress):
    content = squad(ARTICLES)
    for article in content["data"]:
        for paragraph in article["paragraphs"]:
            paragraph["qas"][0] |= {"answers": [], "is_impossible": True}
    (tmp_path / "none.json").write_text(json.dumps(content), encoding="utf-8")
    with pytest.raises(ValueError, match="no question with an answer"):
        evaluate_open(tmp_path / "none.json", progress, cache=tmp_path / "cache")
