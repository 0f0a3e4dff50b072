"""What an open-domain evaluation found, as lines for a terminal."""

from collections.abc import Iterator, Mapping
from typing import Any

_WORDS = {
    "not_retrieved": "not retrieved: the paragraph was not among the passages",
    "not_read": "not read: the paragraph was, but the answer was not among the reader's",
    "ranked_below": "ranked below: the answer was found, another one put before it",
}


def open_lines(result: Mapping[str, Any]) -> Iterator[str]:
    """The lines of a report on what `evaluation.open_domain.evaluate_open` returned."""
    found, count = result["figures"], result["questions"]
    yield f"{count:,} questions over {result['paragraphs']:,} paragraphs, {result['passages']} passages read"
    yield ""
    for name in (name for name in found if name.startswith("recall@")):
        yield f"{name:<20}{found[name]:6.1f}"
    yield f"{'mrr':<20}{found['mrr']:6.1f}"
    yield f"{'exact':<20}{found['exact']:6.1f}"
    yield f"{'f1':<20}{found['f1']:6.1f}"
    yield f"{'ms a question':<20}{1000 * result['seconds_a_question']:6.1f}"
    yield ""
    yield "Answers that were lost"
    for reason, number in result["lost"].items():
        yield f"{number:8,} {100 * number / count:5.1f} %  {_WORDS[reason]}"
    yield (
        f"Would be withheld as improbable: {found['withheld_right']:.1f} % of all as right answers, "
        f"{found['withheld_wrong']:.1f} % as wrong ones"
    )
    yield (
        f"Probabilities are off by {100 * found['expected_calibration_error']:.1f} % on average (expected calibration "
        f"error); of the most probable {found['coverage_at_80_accuracy']:.0f} % of the answers 80 % are right"
    )
    if "compare" in result:
        yield ""
        yield "Same weights, same passages, reading alone      exact     f1   ms a question"
        for name, one in result["compare"].items():
            label = f"{name} ({one['questions']:,} questions)"
            yield f"  {label:<44}{one['exact']:6.1f} {one['f1']:6.1f} {1000 * one['seconds_a_question']:15.1f}"
