"""A picture of calibration: how often answers of a given probability are right."""

from pathlib import Path

import numpy as np

from training.calibration.calibrate import Outcome


def reliability_plot(outcome: Outcome, path: Path, bins: int = 10) -> Path:
    """Accuracy against probability in bins of equal width, over the diagonal of a perfectly calibrated reader.

    The size of a point tells how many answers are in its bin.
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    place = np.minimum((outcome.probability * bins).astype(int), bins - 1)
    counts = np.bincount(place, minlength=bins)
    held = counts > 0
    said, true = (
        np.bincount(place, weights=values.astype(float), minlength=bins)[held] / counts[held]
        for values in (outcome.probability, outcome.right)
    )
    figure = Figure(figsize=(5, 5), layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.subplots()
    axes.plot([0, 1], [0, 1], color="tab:grey", linewidth=0.8)
    axes.scatter(said, true, s=20 + 400 * counts[held] / counts.sum())
    axes.set(xlabel="probability of the best answer", ylabel="share that is right", xlim=(0, 1), ylim=(0, 1))
    figure.savefig(path, dpi=110)
    return path
