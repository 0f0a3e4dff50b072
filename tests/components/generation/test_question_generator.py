"""Questions from passages: the three tasks, exact places, the way back, and bad input."""

import asyncio
import json

import pytest
from haystack import Document, Pipeline

from cli.main import app
from components.generation.highlights import highlight, question_prompt, split_sentences
from components.models import ModelError
from components.question_generator import QuestionGenerator
from tests.components import tiny_models


@pytest.fixture(scope="module")
def maker(tiny_t5):
    maker = QuestionGenerator(model=str(tiny_t5), num_beams=2, device="cpu")
    maker.warm_up()
    return maker


def contexts(known):
    return list(dict.fromkeys(context for _, context, _ in known.answered))


def test_prompts_are_those_of_the_published_model(maker):
    text = "Ada wrote it.  She did so in 1843! Nobody knew."
    sentences = split_sentences(text)
    assert [text[start:end] for start, end in sentences] == ["Ada wrote it.", "She did so in 1843!", "Nobody knew."]
    assert highlight(text, sentences[1], (0, len(text))) == "Ada wrote it. <hl> She did so in 1843! <hl> Nobody knew."
    prompt = question_prompt(maker._engine, text, (29, 33), sentences, 400)
    assert prompt == "generate question: Ada wrote it.  She did so in <hl> 1843 <hl> ! Nobody knew."


def test_pairs_are_what_was_learned_and_stand_where_they_say(maker, known):
    documents = [Document(content=context) for context in contexts(known)]
    pairs = maker.run(documents=documents)["pairs"]
    lessons = {(question, context, answer) for question, context, answer in known.answered if answer}
    made = {(pair.query, pair.document.content, pair.data) for pair in pairs}
    assert len(made & lessons) >= len(lessons) // 2, "half of what it learned by heart at least"
    for pair in pairs:
        offset = pair.document_offset
        assert pair.document.content[offset.start : offset.end] == pair.data
        assert pair.context[pair.context_offset.start : pair.context_offset.end] == pair.data
        assert 0 < pair.score <= 1


def test_questions_for_given_answers(maker, known):
    question, context, answer = next(one for one in known.answered if one[2])
    (pair,) = maker.run(documents=[Document(content=context)], answers=[[answer, "nowhere to be found"]])["pairs"]
    assert (pair.query, pair.data) == (question, answer)
    with pytest.raises(ValueError, match="2 lists of answers for 1 documents"):
        maker.run(documents=[Document(content=context)], answers=[[], []])


def test_the_way_back_drops_what_does_not_return(tiny_t5, known):
    asked, context, answer = next(one for one in known.answered if one[2])
    document = Document(content=context)
    checked, unchecked = (QuestionGenerator(model=str(tiny_t5), round_trip=kind) for kind in ("self", "off"))
    for maker in (checked, unchecked):
        maker.warm_up()
        write = maker._engine.write

        def astray(prompts, *given, write=write, **named):
            other = [prompt.replace(asked, "what does people work as ?") for prompt in prompts]
            outputs = write(other, *given, **named)
            if prompts[0].startswith("question:"):
                from dataclasses import replace

                return [replace(one, text="somewhere else") for one in outputs]
            return outputs

        maker._engine.write = astray
    assert checked.run(documents=[document], answers=[[answer]])["pairs"] == []
    assert len(unchecked.run(documents=[document], answers=[[answer]])["pairs"]) == 1


def test_repeated_questions_are_one_and_a_passage_gives_so_many(tiny_t5, known):
    maker = QuestionGenerator(model=str(tiny_t5), pairs_per_passage=1, round_trip="off")
    context = contexts(known)[0]
    pairs = maker.run(documents=[Document(content=context), Document(content=context + " ")])["pairs"]
    assert len({(pair.query, pair.data) for pair in pairs}) == len(pairs) <= 2


@pytest.mark.parametrize(
    "content", ["", "  ", "<hl> <sep> </s>", "no sentence " * 3000, "東京タワー。高い。", "\ud800 x"]
)
def test_any_text_gives_pairs_or_none(maker, content):
    for pair in maker.run(documents=[Document(id="1", content=content)])["pairs"]:
        assert content[pair.document_offset.start : pair.document_offset.end] == pair.data


def test_tables_and_forms_are_asked_by_rule(tiny_t5):
    table = "island: hooge; beds: 900; ferry: daily\nisland: amrum; beds: 7000; ferry: none"
    form = Document(content="capital: nairobi", meta={"title": "kenya"})
    maker = QuestionGenerator(model=str(tiny_t5), round_trip="off", num_beams=1)
    pairs = [pair for pair in maker.run(documents=[Document(content=table), form])["pairs"]
             if pair.meta["made_by"] == "rule"]  # fmt: skip
    assert [(pair.query, pair.data) for pair in pairs] == [
        ("What is the beds of hooge?", "900"),
        ("What is the ferry of hooge?", "daily"),
        ("What is the beds of amrum?", "7000"),
        ("What is the ferry of amrum?", "none"),
        ("What is the capital of kenya?", "nairobi"),
    ]
    for pair in pairs:
        assert pair.document.content[pair.document_offset.start : pair.document_offset.end] == pair.data
    maker.rules = False
    assert not [p for p in maker.run(documents=[Document(content=table)])["pairs"] if p.meta["made_by"] == "rule"]


def test_a_seed_draws_which_pairs_stay(tiny_t5):
    table = Document(content="\n".join(f"island: i{n}; beds: {n}00" for n in range(9)))

    def drawn(seed):
        maker = QuestionGenerator(model=str(tiny_t5), round_trip="off", num_beams=1, pairs_per_passage=2, seed=seed)
        return [pair.query for pair in maker.run(documents=[table])["pairs"]]

    assert drawn(1) == drawn(1) != drawn(2)
    assert all(len(drawn(seed)) == 2 for seed in (None, 1))


async def test_many_at_once_are_as_one_by_one(maker, known):
    documents = [Document(content=context) for context in contexts(known)]
    together = await asyncio.gather(*(maker.run_async(documents=[document]) for document in documents))
    alone = [maker.run(documents=[document]) for document in documents]
    assert [[pair.query for pair in found["pairs"]] for found in together] == [
        [pair.query for pair in found["pairs"]] for found in alone
    ]


def test_other_models_and_settings_are_refused(tmp_path):
    tiny_models.build("bert", tmp_path / "bert")
    with pytest.raises(ModelError, match="does not write"):
        QuestionGenerator(model=str(tmp_path / "bert")).warm_up()
    with pytest.raises(ValueError, match="round_trip must be one of off, self, reader; got 'twice'"):
        QuestionGenerator(model="m", round_trip="twice")
    with pytest.raises(ValueError, match="num_beams must be at least 1, got 0"):
        QuestionGenerator(model="m", num_beams=0)


def test_yaml_round_trip(tiny_t5):
    pipeline = Pipeline()
    pipeline.add_component("maker", QuestionGenerator(model=str(tiny_t5), pairs_per_passage=3))
    again = Pipeline.loads(pipeline.dumps(), allowed_modules=["components.*"]).get_component("maker")
    assert (again.model, again.pairs_per_passage, again.round_trip) == (str(tiny_t5), 3, "self")


def test_the_command_prints_json_lines(tiny_t5, known, tmp_path):
    from typer.testing import CliRunner

    question, context, answer = next(one for one in known.answered if one[2])
    file = tmp_path / "people.txt"
    file.write_text(context)
    done = CliRunner().invoke(app, ["questions", str(file), "--model", str(tiny_t5), "--round-trip", "off"])
    assert done.exit_code == 0, done.output
    rows = [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]
    assert (question, answer) in [(row["question"], row["answer"]) for row in rows]
    assert all(context[row["start"] : row["end"]] == row["answer"] for row in rows)
