"""How measured values grow with the number of passages: curves, what they say of 100 million, and a picture."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np

AIM = 100_000_000
Kind = Literal["power", "log", "line"]
# What a search over a graph costs grows with the logarithm, the words leg with the passages that hold a word: the truth
# lies between both curves, and far beyond the measured sizes that is all that can be said. Bytes go by the passage.
KINDS: dict[str, tuple[Kind, ...]] = {
    "ms a question, one": ("log", "power"),
    "ms a question, many": ("log", "power"),
    "ms a passage, merging too": ("log", "power"),
    "bytes on disk": ("line",),
    "bytes of codes and graph": ("line",),
}
LABELS = {
    "ms a question, one": "one at a time",
    "ms a question, many": "32 at a time",
    "ms a passage, merging too": "first load",
    "bytes on disk": "on disk",
    "bytes of codes and graph": "codes and graph of the vectors",
}


@dataclass(frozen=True)
class Curve:
    """
    One of `a * n ** b` (power), `a + b * log10(n)` (log), `a + b * n` (line), n the number of passages.

    :param worst: The largest distance to a measured value, as a share of that.
    """

    kind: Kind
    a: float
    b: float
    worst: float

    def at(self, sizes: Any) -> Any:
        """The value at one size or at many."""
        return _value(self.kind, self.a, self.b, np.asarray(sizes, dtype=np.float64))


def _value(kind: Kind, a: float, b: float, n: Any) -> Any:
    return a * n**b if kind == "power" else a + b * (np.log10(n) if kind == "log" else n)


def fit(kind: Kind, sizes: Sequence[float], values: Sequence[float]) -> Curve:
    """
    The curve nearest to the values, by least squares of the distances as shares of the values.

    :raises ValueError: For fewer than two sizes, or values that are not above 0.
    """
    n, y = np.asarray(sizes, dtype=np.float64), np.asarray(values, dtype=np.float64)
    if len(set(sizes)) < 2:
        raise ValueError(f"a curve needs two different sizes at least, not {list(sizes)}")
    if (y <= 0).any() or (n <= 0).any():
        raise ValueError(f"sizes and values must be above 0, not {list(sizes)} and {list(values)}")
    if kind == "power":
        b, log_a = np.polyfit(np.log(n), np.log(y), 1)
        a = np.exp(log_a)
    else:
        columns = np.stack([np.ones_like(n), np.log10(n) if kind == "log" else n])
        scale = np.abs(columns).max(axis=1)  # a size of a million beside a one would leave few digits
        a, b = np.linalg.lstsq((columns / scale[:, None] / y).T, np.ones_like(y), rcond=None)[0] / scale
    worst = np.abs(_value(kind, a, b, n) / y - 1).max()
    return Curve(kind, float(a), float(b), round(float(worst), 4))


def curves(rows: Sequence[Mapping[str, Any]]) -> dict[str, dict[str, Curve]]:
    """By measure and kind; none where there are fewer than two sizes."""
    sizes = [row["passages"] for row in rows]
    if len(set(sizes)) < 2:
        return {}
    return {name: {kind: fit(kind, sizes, values(rows, name)) for kind in kinds} for name, kinds in KINDS.items()}


def values(rows: Sequence[Mapping[str, Any]], name: str) -> list[float]:
    """One value a row: medians of what has several."""
    return [float(row[name]["median"] if isinstance(row[name], dict) else row[name]) for row in rows]


def told(found: Mapping[str, Mapping[str, Curve]]) -> dict[str, Any]:
    """The curves as JSON, with what each says of 100 million passages."""
    result: dict[str, Any] = {}
    for name, kinds in found.items():
        for kind, curve in kinds.items():
            at = float(curve.at(AIM))
            row: dict[str, Any] = {"a": curve.a, "b": curve.b, "farthest from a measured value": curve.worst}
            row[f"at {AIM:,}"] = float(f"{at:.4g}")
            if name.startswith("ms a passage"):
                row["hours of loading"] = float(f"{at * AIM / 3.6e6:.4g}")
            result.setdefault(name, {})[kind] = row
    return result


def plot(rows: Sequence[Mapping[str, Any]], out: Path) -> None:
    """Times, loading and bytes by passages beside the JSON: measured points, and the curves on to 100 million."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    found = curves(rows)
    sizes = np.array(sorted(row["passages"] for row in rows), dtype=np.float64)
    ahead = np.geomspace(sizes[0], AIM, 60)
    figure, axes = pyplot.subplots(1, 3, figsize=(15, 4.4), layout="constrained")
    panels = (
        ("ms a question (median)", ("ms a question, one", "ms a question, many")),
        ("passages a second of loading, merging too", ("ms a passage, merging too",)),
        ("bytes", ("bytes on disk", "bytes of codes and graph")),
    )
    for axis, (title, names) in zip(axes, panels, strict=True):
        for color, name in zip(("tab:blue", "tab:orange"), names, strict=False):
            shown = (lambda value: 1000 / value) if name.startswith("ms a passage") else (lambda value: value)
            label = LABELS[name]
            points = shown(np.array(values(rows, name)))
            axis.plot([row["passages"] for row in rows], points, "o", color=color, label=f"{label}: measured")
            for style, (kind, curve) in zip(("--", ":"), found.get(name, {}).items(), strict=False):
                axis.plot(ahead, shown(curve.at(ahead)), style, color=color, label=f"{label}: {kind}")
        axis.set(xscale="log", yscale="log", xlabel="passages", ylabel=title)
        axis.grid(visible=True, alpha=0.3)
        axis.legend(fontsize=8)
    figure.suptitle("Measured, and what curves through it say; beyond the last point they are a guess", fontsize=10)
    figure.savefig(out.with_suffix(".png"), dpi=100)
    pyplot.close(figure)
