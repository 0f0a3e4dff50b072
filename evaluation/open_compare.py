"""The same weights and the same passages read in other ways, to stand beside ours."""

import time
from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from evaluation.open_index import Progress
from evaluation.open_outcome import Asked, figures

if TYPE_CHECKING:
    from pipelines.loader import LoadedPipeline


def compare_readers(loaded: "LoadedPipeline", asked: Sequence["Asked"], progress: Progress) -> dict[str, Any]:
    """
    Read the passages of these questions again, one question at a time, the readers in turns.

    `span_logit_alone` is our reader, fed properly, with the highest start + end logit of all passages as its answer;
    `transformers` is Haystack's `TransformersExtractiveReader`, which feeds no token types.

    :returns: for `excerpt` and those two: exact, f1 (percent) and seconds_a_question, reading alone.
    :raises ValueError: when transformers-haystack is not installed.
    """
    from components.models import resolve_model
    from components.reader import ExtractiveReader
    from components.reader.calibration import SPAN_ALONE

    try:
        from haystack_integrations.components.readers.transformers import TransformersExtractiveReader
    except ImportError as error:
        raise ValueError("the comparison needs transformers-haystack: pip install 'excerpt[test]'") from error
    ours = loaded.component("ExtractiveReader")
    theirs = TransformersExtractiveReader(model=str(resolve_model(ours.model)), no_answer=False, token=None)
    theirs.warm_up()
    # Stored in fp16, in which no CPU computes well: the peer at its best.
    theirs.model.float()  # type: ignore[attr-defined]
    alone = ExtractiveReader(
        ours.model, device=ours.device, engine=ours.engine, precision=ours.precision, calibration=SPAN_ALONE.numbers()
    )
    alone.warm_up()
    readers = {"excerpt": ours, "span_logit_alone": alone, "transformers": theirs}
    seconds = dict.fromkeys(readers, 0.0)
    answers: dict[str, list[Asked]] = {name: [] for name in readers}
    with progress("Comparing readers", len(asked), "questions") as advance:
        for one in asked:
            for name, reader in readers.items():
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
