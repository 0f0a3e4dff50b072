"""A small grid of a pipeline's settings tried on one half of an exam, and the best of them judged on the other."""

import itertools
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml

from evaluation.exam.figures import figures, paired_difference
from evaluation.exam.file import Exam
from evaluation.exam.run import Sat, take

if TYPE_CHECKING:
    from pipelines.loader import LoadedPipeline

Settings = Mapping[str, Any]  # "retriever.top_k" -> value
LESS_IS_BETTER = ("abstained_wrong", "calibration_error")
MOST = 64  # combinations of a grid: each takes half of the exam


def read_grid(given: Sequence[str]) -> dict[str, list[Any]]:
    """
    The grid of `component.setting=value,value,...`; values are read as YAML reads them.

    :raises ValueError: for what is not written so, and for a grid of more than 64 combinations.
    """
    grid: dict[str, list[Any]] = {}
    for one in given:
        name, sign, values = one.partition("=")
        if not sign or name.count(".") != 1 or not all(name.split(".")) or not values.strip():
            raise ValueError(
                f"a setting is written component.setting=value,value, as retriever.top_k=10,20: got {one!r}"
            )
        grid[name] = [yaml.safe_load(value) for value in values.split(",")]
    combinations = len(list(itertools.product(*grid.values())))
    if combinations > MOST:
        raise ValueError(f"the grid has {combinations} combinations; at most {MOST} are tried")
    return grid


def halves(exam: Exam) -> tuple[Exam, Exam]:
    """Two halves with an equal share of each kind, format and file."""
    ordered = sorted(exam.questions, key=lambda one: (one.kind, one.format, one.source, one.id))
    return Exam(tuple(ordered[::2]), exam.about), Exam(tuple(ordered[1::2]), exam.about)


def tune(
    exam: Exam,
    load: Callable[[Settings], "LoadedPipeline"],
    grid: Mapping[str, Sequence[Any]],
    figure: str = "f1",
    advance: Callable[[int], None] = lambda done: None,
) -> dict[str, Any]:
    """
    :param load: loads the pipeline with settings in the place of those in its YAML.
    :param grid: setting -> its values; the pipeline as it is takes part too, and wins a draw.
    :param figure: what the best is best in, of `evaluation.exam.figures.NAMES`.
    :param advance: called with how many more questions were asked.
    :returns: `tried` (settings and figure on the first half), `chosen`, and on the other half, which had no say:
        `as_it_is`, `tuned` and their paired `difference`.
    :raises ValueError: when the exam's first half cannot tell the figure.
    """
    first, other = halves(exam)
    combinations: list[dict[str, Any]] = [{}]
    combinations += [dict(zip(grid, values, strict=True)) for values in itertools.product(*grid.values()) if grid]
    tried: list[dict[str, Any]] = []
    for settings in combinations:
        found = figures(take(first, load(settings), advance))
        if figure not in found:
            raise ValueError(f"the exam cannot tell {figure}: no question of its first half bears on that")
        tried.append({"settings": settings, figure: found[figure]["value"]})
    sign = -1 if figure in LESS_IS_BETTER else 1
    chosen: dict[str, Any] = max(tried, key=lambda one: sign * one[figure])["settings"]
    before = take(other, load({}), advance)
    after: list[Sat] = take(other, load(chosen), advance) if chosen else before
    return {
        "figure": figure,
        "questions": {"tried_on": len(first.questions), "judged_on": len(other.questions)},
        "tried": tried,
        "chosen": chosen,
        "as_it_is": figures(before),
        "tuned": figures(after),
        "difference": paired_difference(before, after),
    }


def with_settings(file: Path, settings: Settings, load: Callable[[str], "LoadedPipeline"]) -> "LoadedPipeline":
    """
    The pipeline of a YAML file with some of its settings changed.

    :param load: loads the pipeline of a folder.
    :raises ValueError: for a component that the file does not have.
    """
    content = yaml.safe_load(file.read_text(encoding="utf-8"))
    for name, value in settings.items():
        component, _, setting = name.partition(".")
        if component not in content["components"]:
            raise ValueError(f"{file}: has no component {component!r}; it has {', '.join(content['components'])}")
        content["components"][component].setdefault("init_parameters", {})[setting] = value
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / file.name).write_text(yaml.safe_dump(content, allow_unicode=True), encoding="utf-8")
        return load(folder)


def tune_lines(told: Mapping[str, Any]) -> Iterator[str]:
    """The lines of a report."""
    figure, questions = told["figure"], told["questions"]
    yield f"{figure} on {questions['tried_on']} questions, with each of the settings"
    for one in sorted(told["tried"], key=lambda one: one[figure], reverse=figure not in LESS_IS_BETTER):
        yield f"  {one[figure]:6.1f}  {_shown(one['settings'])}"
    yield ""
    if not told["chosen"]:
        yield "Nothing is better than the pipeline as it is."
        return
    yield f"The best, {_shown(told['chosen'])}, on the {questions['judged_on']} questions that had no say in it:"
    before, after, difference = told["as_it_is"][figure], told["tuned"][figure], told["difference"].get(figure)
    yield f"  {before['value']:.1f} as it is, {after['value']:.1f} with them"
    if difference is not None:
        low, high = difference["low"], difference["high"]
        yield f"  difference {difference['value']:+.1f}  [{low:+.1f}, {high:+.1f}]  p = {difference['p']:.4f}"


def _shown(settings: Settings) -> str:
    return ", ".join(f"{name}: {value}" for name, value in settings.items()) or "as it is"
