"""The same weights and the same passages read by `TransformersExtractiveReader`, to stand beside ours."""

import time
from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from evaluation.open_index import Progress

if TYPE_CHECKING:
    from evaluation.open_domain import Asked
    from pipelines.loader import LoadedPipeline


def compare_readers(loaded: "LoadedPipeline", asked: Sequence["Asked"], progress: Progress) -> dict[str, Any]:
    """
    Read the passages of these questions again, with both readers, one question at a time, in turns.

    :returns: for `excerpt` and `transformers`: exact, f1 (percent) and seconds_a_question, reading alone.
    :raises ValueError: when transformers-haystack is not installed.
    """
    from components.models import resolve_model
    from evaluation.open_domain import figures

    try:
        from haystack_integrations.components.readers.transformers import TransformersExtractiveReader
    except ImportError as error:
        raise ValueError("the comparison needs transformers-haystack: pip install 'excerpt[test]'") from error
    ours = loaded.component("ExtractiveReader")
    theirs = TransformersExtractiveReader(model=str(resolve_model(ours.model)), no_answer=False, token=None)
    theirs.warm_up()
    seconds = {"excerpt": 0.0, "transformers": 0.0}
    answers: dict[str, list[Asked]] = {"excerpt": [], "transformers": []}
    with progress("Comparing readers", len(asked), "questions") as advance:
        for one in asked:
            for name, reader in (("excerpt", ours), ("transformers", theirs)):
                began = time.perf_counter()
                found = reader.run(query=one.question.question, documents=one.documents, top_k=1)["answers"]
                seconds[name] += time.perf_counter() - began
                kept = [answer for answer in found if answer.data is not None]
                answers[name].append(replace(one, answers=kept, abstained=False))
            advance(1)
    return {
        name: {
            **{key: value for key, value in figures(results).items() if key in ("exact", "f1")},
            "seconds_a_question": seconds[name] / len(asked),
            "questions": len(asked),
        }
        for name, results in answers.items()
    }
