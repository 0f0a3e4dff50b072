"""What does a reader need before it reads? Engine, tokenizer, calibration and cache, from the model's folder."""

from typing import TYPE_CHECKING, Any

from components.reader.calibration import Calibration

if TYPE_CHECKING:
    from haystack.utils import ComponentDevice

    from components.reader.engines.base import SpanEngine
    from components.reader.reader_core import SpanReader


def load_span_reader(
    model: str,
    *,
    hub_token: str | None,
    engine: str,
    precision: str,
    device: "ComponentDevice | str | None",
    model_kwargs: dict[str, Any] | None,
    weights: dict[str, float] | None,
    cache_bytes: int,
) -> "SpanReader":
    """
    Load a reader; the parameters are those of :class:`components.reader.ExtractiveReader`.

    :param weights: of the calibration, instead of those in the model's folder; None for those.
    :raises ValueError: for settings or files that do not belong together.
    """
    from components.models import resolve_model
    from components.reader.engines.selection import load_engine
    from components.reader.reader_core import SpanReader
    from components.reader.token_cache import PassageCache
    from components.reader.tokens import PassageTokenizer

    folder = resolve_model(model, hub_token)
    if weights is not None:
        calibration = Calibration.from_weights(weights, "the reader's setting 'calibration'")
    else:
        calibration = Calibration.load(folder) or Calibration()

    def make() -> "SpanEngine":
        return load_engine(folder, engine=engine, precision=precision, device=device, model_kwargs=model_kwargs)

    return SpanReader(make(), PassageTokenizer.load(folder), calibration, PassageCache(cache_bytes), rebuild=make)
