"""From which logit on may the passages after the first few stay unread? A bound that holds for questions to come."""

from dataclasses import replace

import numpy as np

from components.reader.calibration import NEVER, Calibration
from components.reader.early_stop import FIRST_PASSAGES
from training.calibration.ranking_features import Features
from training.calibration.ranking_levels import FITTED, best_answers, masses_of


def stop_from(features: Features, weights: Calibration, changed: float) -> float:
    """
    From which logit on, in the first passages, the other passages change the best answer of at most so many questions.

    What is held under ``changed`` is not the count on these questions but its upper bound at 95 %
    (:func:`changes_allowed`): 1 in 500 can be promised from 1,498 questions on, and with fewer the answer is never to
    stop. That the threshold is chosen by the count does not weaken the bound: it ends right before the change that
    would be one too many, which waits as long as a Poisson process says.
    """
    first = features.values.copy()
    first[np.expm1(features.values[:, 4]) > FIRST_PASSAGES - 0.5, 0] = -NEVER
    best = [best_answers(masses_of(part, weights)[0], features) for part in (replace(features, values=first), features)]
    logits = np.full(len(features), -np.inf)
    span_logits = first @ np.array([getattr(weights, name) for name in FITTED[:5]])
    np.maximum.at(logits, features.question[features.answer[features.region]], span_logits)
    order = np.argsort(-logits, kind="stable")
    count = np.cumsum(best[0][order] != best[1][order])
    stops = int(np.searchsorted(count, changes_allowed(changed * len(features)), side="right")) - 1
    return float(logits[order[stops]]) if stops >= 0 and logits[order[stops]] > -NEVER / 2 else NEVER


def changes_allowed(expected: float) -> int:
    """
    How many changes may be seen where ``expected`` or more in truth are to be ruled out at 95 %: the largest k with
    P(Poisson(expected) <= k) <= 5 % (Garwood 1936), -1 where even none seen rules out nothing (below 3).
    """
    counts = np.arange(int(expected) + 1)
    factorials = np.concatenate([[0.0], np.cumsum(np.log(counts[1:]))])
    seen = np.cumsum(np.exp(counts * np.log(max(expected, 1e-300)) - expected - factorials))
    return int((seen <= 0.05).sum()) - 1
