"""Which requests are read together? Those with equal read settings and equal weights."""

from collections.abc import Sequence
from dataclasses import dataclass

from components.reader.calibration import Calibration
from components.reader.request import ReadSettings, Request


@dataclass(frozen=True)
class RequestGroup:
    """Requests that share settings and weights; ``numbers`` are their places among all that were asked."""

    settings: ReadSettings
    weights: Calibration
    numbers: list[int]


def group_requests(requests: Sequence[Request], calibration: Calibration) -> list[RequestGroup]:
    """Sort requests into groups, in the order in which each group's first request came."""
    together: dict[tuple[ReadSettings, Calibration], list[int]] = {}
    for number, request in enumerate(requests):
        weights = calibration.of(len(request.documents))
        together.setdefault((request.read_settings, weights), []).append(number)
    return [RequestGroup(settings, weights, numbers) for (settings, weights), numbers in together.items()]
