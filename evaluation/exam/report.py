"""What came of an exam, as JSON and as lines for a terminal."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from evaluation.exam.figures import by, figures, paired_difference
from evaluation.exam.run import Sat

_WORDS = {
    "recall": "passage retrieved",
    "exact": "exact match",
    "f1": "F1",
    "answered_f1": "F1 of the best answer, where there is one",
    "abstained_right": "abstained where there is no answer",
    "abstained_wrong": "abstained where there is one",
    "calibration_error": "calibration error",
}


def report(sat: Mapping[str, Sequence[Sat]]) -> dict[str, Any]:
    """
    :param sat: pipelines -> what came of each question; where there are two, the second is held against the first.
    :returns: `questions`, `pipelines` (figures, by format, by source, by kind, seconds), and `difference` of two.
    """
    told: dict[str, Any] = {"questions": len(next(iter(sat.values()))), "pipelines": {}}
    for name, answers in sat.items():
        seconds = [one.seconds for one in answers]
        told["pipelines"][name] = {
            "figures": figures(answers),
            "by_format": by(answers, lambda one: one.question.format),
            "by_source": by(answers, lambda one: one.question.source),
            "by_kind": by(answers, lambda one: one.question.kind),
            "seconds": {"median": float(np.median(seconds)), "p95": float(np.percentile(seconds, 95))},
        }
    if len(sat) == 2:
        (first, a), (second, b) = sat.items()
        told["difference"] = {"of": second, "from": first, **paired_difference(a, b)}
    return told


def exam_lines(told: Mapping[str, Any]) -> Iterator[str]:
    """The lines of a report."""
    yield f"{told['questions']:,} questions; in percent, with 95 % intervals"
    for name, one in told["pipelines"].items():
        yield ""
        yield name
        for figure, values in one["figures"].items():
            yield f"  {_WORDS[figure]:<44}{_value(values)}"
        seconds = one["seconds"]
        median, late = (1000 * seconds[key] for key in ("median", "p95"))
        yield f"  {'ms from question to answer, many at once':<44}{median:6.0f}  (95 %: {late:.0f})"
        for title, groups in (
            ("by format", one["by_format"]),
            ("by file", one["by_source"]),
            ("by kind", one["by_kind"]),
        ):
            yield f"  {title}: F1"
            for group, values in groups.items():
                yield f"    {group[-40:]:<42}{_value(values['f1'])}  {values['questions']} questions"
    if "difference" in told:
        difference = told["difference"]
        yield ""
        yield f"{difference['of']} less {difference['from']}, the same questions"
        for figure in ("recall", "exact", "f1"):
            if figure in difference:
                values = difference[figure]
                yield f"  {_WORDS[figure]:<44}{_value(values)}  p = {values['p']:.4f}"


def _value(values: Mapping[str, float]) -> str:
    return f"{values['value']:6.1f}  [{values['low']:.1f}, {values['high']:.1f}]"
