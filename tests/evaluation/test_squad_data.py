"""SQuAD-format files, right and wrong: every mistake is named with its place."""

import gzip
import json
import re

import pytest

from evaluation.squad_data import SquadFormatError, read_squad, sample, split_articles

CONTEXT = "Zoë 🙂 moved to Berlin in 1999. Berlin was cold."


def qa(number=1, text="Berlin", start=15, **more):
    return {"id": f"q{number}", "question": "Where?", "answers": [{"text": text, "answer_start": start}], **more}


def document(*qas, context=CONTEXT, title="Zoë", version="1.1"):
    return {"version": version, "data": [{"title": title, "paragraphs": [{"context": context, "qas": list(qas)}]}]}


def written(folder, content, name="data.json"):
    path = folder / name
    path.write_text(json.dumps(content, ensure_ascii=False), encoding="utf-8")
    return path


def problems(folder, content):
    with pytest.raises(SquadFormatError) as caught:
        read_squad([written(folder, content)])
    return caught.value.problems


def test_plain_gzip_and_several_files_with_offsets_in_code_points(tmp_path):
    first = written(tmp_path, document(qa(1)))
    second = tmp_path / "more.json"  # compressed, whatever its name
    second.write_bytes(gzip.compress(json.dumps(document(qa(2, "1999", 25), context=CONTEXT, title="Other")).encode()))
    data = read_squad([first, second])
    assert [question.id for question in data.questions] == ["q1", "q2"]
    assert data.articles == ["Zoë", "Other"]
    for question in data.questions:
        for answer in question.answers:
            text = data.paragraphs[question.paragraph].text
            assert text[answer.start : answer.start + len(answer.text)] == answer.text


def test_version_2_and_its_unanswerable_questions(tmp_path):
    data = read_squad([written(tmp_path, document(qa(1), qa(2, is_impossible=True) | {"answers": []}, version="v2.0"))])
    assert [len(question.answers) for question in data.questions] == [1, 0]


def test_the_digest_follows_the_content_not_the_file(tmp_path):
    one = read_squad([written(tmp_path, document(qa(1)), "a.json")])
    same = read_squad([written(tmp_path, document(qa(1)), "b.json")])
    other = read_squad([written(tmp_path, document(qa(1, start=31)), "c.json")])
    assert one.digest() == same.digest() != other.digest()


def test_wrong_offsets_are_counted_and_named(tmp_path):
    found = problems(tmp_path, document(qa(1), qa(2, start=16), qa(3, "Paris", 0), qa(4, start=-3)))
    assert len(found) == 3
    assert found[0] == (
        "data.json: data[0].paragraphs[0].qas[1] (id 'q2'): answers[0]: answer_start 16 does not hold the answer "
        "(it stands at 15)"
    )
    assert "qas[2] (id 'q3')" in found[1] and "the paragraph does not hold it" in found[1]
    assert "answer_start -3" in found[2]


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (lambda d: d.pop("data"), 'a list under "data"'),
        (lambda d: d["data"][0].pop("paragraphs"), 'data[0]: no list under "paragraphs"'),
        (lambda d: d["data"][0]["paragraphs"][0].pop("context"), 'data[0].paragraphs[0]: no text under "context"'),
        (lambda d: d["data"][0]["paragraphs"][0].pop("qas"), 'data[0].paragraphs[0]: no list under "qas"'),
        (lambda d: d["data"][0]["paragraphs"][0]["qas"].append("x"), "qas[1]: expected an object, got str"),
        (lambda d: d["data"][0]["paragraphs"][0]["qas"][0].pop("question"), 'no text under "question"'),
        (lambda d: d["data"][0]["paragraphs"][0]["qas"][0].pop("id"), 'no "id"'),
        (lambda d: d["data"][0]["paragraphs"][0]["qas"][0].pop("answers"), 'no list under "answers"'),
        (
            lambda d: d["data"][0]["paragraphs"][0]["qas"][0]["answers"][0].pop("text"),
            'answers[0]: no text under "text"',
        ),
        (
            lambda d: d["data"][0]["paragraphs"][0]["qas"][0]["answers"][0].update(answer_start="15"),
            'no whole number under "answer_start"',
        ),
        (
            lambda d: d["data"][0]["paragraphs"][0]["qas"][0]["answers"][0].update(text=" ", answer_start=3),
            'answers[0]: no text under "text"',
        ),
        (
            lambda d: d["data"][0]["paragraphs"][0]["qas"][0].update(is_impossible="false"),
            "\"is_impossible\" is 'false', not true or false",
        ),
    ],
)
def test_missing_keys_are_named_with_their_place(tmp_path, change, reason):
    content = document(qa(1))
    change(content)
    found = problems(tmp_path, content)
    assert reason in found[0]
    assert found[0].startswith("data.json")


def test_v2_without_answers_and_impossible_with_answers(tmp_path):
    found = problems(tmp_path, document(qa(1) | {"answers": []}, qa(2, is_impossible=True), version="v2.0"))
    assert '"answers" is empty, but "is_impossible" is not true' in found[0]
    assert '"is_impossible" is true, but there are 1 answer' in found[1]


def test_duplicate_ids_name_both_places_also_across_files(tmp_path):
    first, second = written(tmp_path, document(qa(1)), "a.json"), written(tmp_path, document(qa(1)), "b.json")
    with pytest.raises(SquadFormatError, match=r"b\.json.*'q1' is already used by a\.json: data\[0\]"):
        read_squad([first, second])


def test_malformed_items_can_be_left_out_but_not_all(tmp_path):
    path = written(tmp_path, document(qa(1), qa(2, start=16)))
    data = read_squad([path], drop_malformed=True)
    assert [question.id for question in data.questions] == ["q1"]
    assert len(data.dropped) == 1
    with pytest.raises(SquadFormatError, match="no question at all"):
        read_squad([written(tmp_path, document(qa(2, start=16)))], drop_malformed=True)


def test_a_long_list_of_problems_is_cut_in_the_message_only(tmp_path):
    found = document(*(qa(n, start=0) for n in range(50)))
    with pytest.raises(SquadFormatError, match=r"50 malformed(.|\n)*and 30 more") as caught:
        read_squad([written(tmp_path, found)])
    assert len(caught.value.problems) == 50


def test_files_that_are_no_json(tmp_path):
    cases = {"torn.gz": gzip.compress(b"{}" * 99)[:20], "text.json": b"no", "latin.json": b'{"data": "\xe9"}'}
    for name, content in cases.items():
        (tmp_path / name).write_bytes(content)
        with pytest.raises(SquadFormatError, match=re.escape(name)):
            read_squad([tmp_path / name])
    with pytest.raises(FileNotFoundError, match=r"absent\.json does not exist"):
        read_squad([tmp_path / "absent.json"])


def test_articles_are_held_out_whole_and_by_title(tmp_path):
    entries = [document(qa(n), title=f"t{n}")["data"][0] for n in range(9)]
    data = read_squad([written(tmp_path, {"data": entries})])
    training, held = split_articles(data, 3, seed=0)
    assert len(held.articles) == 3 and len(training.articles) == 6
    assert not set(training.articles) & set(held.articles)
    assert {question.id for part in (training, held) for question in part.questions} == {f"q{n}" for n in range(9)}
    fewer = read_squad([written(tmp_path, {"data": entries[::-1]})])
    assert set(split_articles(fewer, 3, seed=0)[1].articles) == set(held.articles)
    assert split_articles(data, 0, seed=0) == (data, None)
    with pytest.raises(ValueError, match="has 9 article"):
        split_articles(data, 9, seed=0)


def test_a_sample_is_the_same_for_the_same_seed(tmp_path):
    data = read_squad([written(tmp_path, document(*(qa(n) for n in range(30))))])
    assert sample(data, 5, 1) == sample(data, 5, 1) != sample(data, 5, 2)
    assert len(sample(data, 5, 1).questions) == 5
    assert sample(data, 99, 1) is data
