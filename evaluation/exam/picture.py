"""What came of an exam as a picture: each figure with its interval, the pipelines beside each other."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any


def draw(told: Mapping[str, Any], path: Path) -> None:
    """
    :param told: as `evaluation.exam.report.report` returns it.
    :raises ValueError: when matplotlib is not installed.
    """
    try:
        from matplotlib.backends.backend_agg import FigureCanvasAgg
        from matplotlib.figure import Figure
    except ImportError as error:
        raise ValueError("a picture needs matplotlib: pip install 'excerpt[training]'") from error
    pipelines = told["pipelines"]
    names = list(next(iter(pipelines.values()))["figures"])
    figure = Figure(figsize=(8, 0.6 + 0.5 * len(names)), layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.add_subplot()
    for number, (pipeline, one) in enumerate(pipelines.items()):
        shift = 0.25 * (number - (len(pipelines) - 1) / 2)
        shown = [name for name in names if name in one["figures"]]
        values = [one["figures"][name] for name in shown]
        errors = [[v["value"] - v["low"] for v in values], [v["high"] - v["value"] for v in values]]
        errors = [[max(0.0, side) for side in sides] for sides in errors]
        places = [names.index(name) + shift for name in shown]
        axes.errorbar([v["value"] for v in values], places, xerr=errors, fmt="o", capsize=3, label=pipeline)
    axes.set_yticks(range(len(names)), [name.replace("_", " ") for name in names])
    axes.invert_yaxis()
    axes.set_xlim(0, 100)
    axes.set_xlabel(f"percent, with 95 % intervals; {told['questions']} questions")
    axes.grid(axis="x", alpha=0.3)
    axes.legend()
    figure.savefig(path, format="png", dpi=150)
