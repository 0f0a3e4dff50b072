"""How far can probabilities be trusted? Calibration error, and what abstaining buys. Pure functions."""

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]


def expected_calibration_error(probability: Floats, right: Flags | Floats, bins: int = 10) -> float:
    """
    Mean distance of probability and accuracy over equal-width bins, weighted by their size: ECE of Naeini et al. 2015
    ("Obtaining Well Calibrated Probabilities Using Bayesian Binning"), as in Guo et al. 2017, equation 3.
    """
    place = np.minimum((probability * bins).astype(int), bins - 1)
    gaps = [
        abs(probability[place == b].mean() - right[place == b].mean()) * (place == b).mean()
        for b in set(place.tolist())
    ]
    return float(sum(gaps))


def coverage_at(accuracy: float, probability: Floats, right: Flags) -> tuple[float, float]:
    """
    The largest part of the questions that can be answered, most probable first, with at least this accuracy, and the
    probability of the last of them: (coverage, threshold). (0, 1) if there is none.
    """
    order = np.argsort(-probability, kind="stable")
    running = np.cumsum(right[order]) / np.arange(1, len(order) + 1)
    enough = np.flatnonzero(running >= accuracy)
    if not len(enough):
        return 0.0, 1.0
    return float((enough[-1] + 1) / len(order)), float(probability[order[enough[-1]]])


def risk_coverage_area(probability: Floats, right: Flags) -> float:
    """
    Area under the risk-coverage curve (El-Yaniv and Wiener 2010): mean error rate over all coverages; 0 is perfect.
    """
    wrong = ~right[np.argsort(-probability, kind="stable")]
    return float((np.cumsum(wrong) / np.arange(1, len(wrong) + 1)).mean())
