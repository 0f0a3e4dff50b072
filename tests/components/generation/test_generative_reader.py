"""The reader that writes: answers with their places, no answer, what stands nowhere, batches, bad input."""

import asyncio

import pytest
from haystack import Document, ExtractedAnswer, GeneratedAnswer, Pipeline

from components.generative_reader import GenerativeReader


@pytest.fixture(scope="module")
def reader(tiny_t5):
    reader = GenerativeReader(model=str(tiny_t5), device="cpu")
    reader.warm_up()
    yield reader
    reader.close()


def documents(known):
    contexts = dict.fromkeys(context for _, context, _ in known.answered)
    return [Document(content=context, meta={"file_path": f"{n}.txt"}) for n, context in enumerate(contexts)]


def test_answers_are_words_of_their_passage(reader, known):
    for question, context, answer in known.answered:
        best, *rest = reader.run(query=question, documents=[Document(content=context)])["answers"]
        if not answer:
            assert best.data is None and best.meta["abstain"] and not rest
            continue
        assert isinstance(best, ExtractedAnswer) and best.data == answer == best.meta["generated"]
        assert context[best.document_offset.start : best.document_offset.end] == answer
        none = rest[-1]
        assert none.data is None and best.score > none.score and best.score + none.score == pytest.approx(1)


def test_the_right_passage_of_several_wins(tiny_t5, known):
    """Passages that do not hold the answer say so by writing nothing, and the one that does is named."""
    reader = GenerativeReader(model=str(tiny_t5), top_k=1)
    held = documents(known)
    for question, context, answer in [one for one in known.answered if one[2]][:3]:
        first = reader.run(query=question, documents=[one for one in held if one.content == context])["answers"][0]
        assert (first.data, first.document.content, first.meta["places"][0]["file_path"]) == (
            answer,
            context,
            first.document.meta["file_path"],
        )


def test_many_at_once_are_as_one_by_one(reader, known):
    asked = [(question, [Document(content=context)]) for question, context, _ in known.answered] * 2

    async def ask():
        return await asyncio.gather(*(reader.run_async(query=q, documents=d) for q, d in asked))

    together = [result["answers"] for result in asyncio.run(ask())]
    alone = [reader.run(query=q, documents=d)["answers"] for q, d in asked]
    for some, others in zip(together, alone, strict=True):
        assert [one.data for one in some] == [one.data for one in others]
        assert [one.score for one in some] == pytest.approx([one.score for one in others], abs=1e-4)


def test_what_stands_nowhere_is_marked_or_refused(tiny_t5, known):
    question, context, answer = next(one for one in known.answered if one[2])
    other = Document(content=context.replace(answer, "x" * len(answer)))
    marking = GenerativeReader(model=str(tiny_t5), no_answer=False)
    marking.warm_up()
    written = marking._engine.write

    def insist(prompts, *given, **named):
        return written([prompt.replace("x" * len(answer), answer) for prompt in prompts], *given, **named)

    marking._engine.write = insist
    (made,) = marking.run(query=question, documents=[other])["answers"]
    assert isinstance(made, GeneratedAnswer) and made.data == answer
    assert made.meta["note"] == "not in the text" and not made.meta["in_text"] and made.documents == [other]
    marking.not_in_text = "refuse"
    assert marking.run(query=question, documents=[other])["answers"] == []


def test_fused_passages_give_one_answer_with_its_place(tiny_t5, known):
    question, context, answer = next(one for one in known.answered if one[2])
    fused = GenerativeReader(model=str(tiny_t5), passages="fused")
    best = fused.run(query=question, documents=[Document(content=" "), Document(content=context)])["answers"][0]
    assert best.data == answer and best.document.content == context


def test_long_passages_are_read_in_windows(tiny_t5, known):
    question, context, _ = next(one for one in known.answered if one[2])
    reader = GenerativeReader(model=str(tiny_t5), max_seq_length=64, stride=8)
    long = "the old town . " * 60 + context + " the old river ." * 60
    answers = reader.run(query=question, documents=[Document(content=long)], top_k=50)["answers"]
    for one in answers:
        if isinstance(one, ExtractedAnswer) and one.data is not None:
            assert long[one.document_offset.start : one.document_offset.end] == one.data


@pytest.mark.parametrize(
    "content", ["", "   ", "</s></s> <hl> <sep>", "ohne Sätze " * 50, "東京タワー", "\ud800", "x" * 100_000]
)
def test_any_text_gives_a_result(reader, content):
    answers = reader.run(query="where does anna live ?", documents=[Document(id="1", content=content)])["answers"]
    assert answers[-1].data is None


def test_a_question_without_room_and_settings_that_mean_nothing(reader, tiny_t5):
    with pytest.raises(ValueError, match=r"leaves .* for a passage"):
        reader.run(query="anna " * 600, documents=[Document(content="anna lives in rome .")])
    for setting, told in (
        ({"passages": "all"}, "passages must be one of each, fused; got 'all'"),
        ({"not_in_text": "x"}, "not_in_text must be one of mark, refuse"),
        ({"num_beams": 0}, "num_beams must be at least 1, got 0"),
        ({"template": "{q}"}, "must hold {question} and {context}"),
        ({"calibration": {"spam": 1.0}}, "unknown weights"),
    ):
        with pytest.raises(ValueError, match=told):
            GenerativeReader(model=str(tiny_t5), **setting)


def test_yaml_round_trip(tiny_t5):
    pipeline = Pipeline()
    pipeline.add_component("reader", GenerativeReader(model=str(tiny_t5), top_k=2, num_beams=3))
    again = Pipeline.loads(pipeline.dumps(), allowed_modules=["components.*"]).get_component("reader")
    assert (again.model, again.top_k, again.num_beams) == (str(tiny_t5), 2, 3)
