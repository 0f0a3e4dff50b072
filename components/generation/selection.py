"""Which engine writes? From settings, or by "auto" the fastest that writes the same words, measured right here."""

import json
import logging
import time
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path
from typing import Literal, get_args

from components.build_cache import build_or_load, cache_folder
from components.devices import hardware_fingerprint, pick_device
from components.generation.engine import Seq2SeqEngine
from components.generation.prompts import Template
from components.models import model_digest, resolve_model

EngineName = Literal["auto", "transformers", "ctranslate2"]
Precision = Literal["auto", "fp32", "bf16", "fp16", "int8"]

_FORMAT = 1  # of the choice and its rule: raise it when either changes
_WORTH_MEASURING = 8_000_000  # bytes of weights; smaller models are fast anyhow
_SAMPLES = 24  # prompts that must all be answered in the same words
_TOKENS = 12
_SAMPLE_FILE = Path(__file__).resolve().parents[1] / "reader" / "engines" / "int8_samples.jsonl"

logger = logging.getLogger(__name__)


def check_engine(owner: str, engine: str, precision: str, fused: bool = False) -> None:
    """:raises ValueError: for settings that are unknown or do not go together, naming what is allowed."""
    for setting, value, allowed in (
        ("engine", engine, get_args(EngineName)),
        ("precision", precision, get_args(Precision)),
    ):
        if value not in allowed:
            raise ValueError(f"{owner}: {setting} must be one of {', '.join(allowed)}; got {value!r}")
    if fused and engine == "ctranslate2":
        raise ValueError(f"{owner}: passages fused are read by engine transformers (or auto) alone, not by ctranslate2")


def load_seq2seq(
    model: str,
    engine: str = "auto",
    precision: str = "auto",
    device: str = "auto",
    hub_token: str | None = None,
    fused: bool = False,
) -> Seq2SeqEngine:
    """
    Load a checkpoint into an engine.

    :param engine: "transformers"; "ctranslate2" (CPU: T5 and BART); or "auto": on a CPU, with precision "auto", the
        fastest that writes what transformers writes in fp32 for bundled samples, otherwise transformers.
    :param precision: "fp32", "bf16", "fp16" (CUDA), "int8" (CPU, CTranslate2), or "auto": fp32.
    :param fused: whether encoded passages are to be joined, which transformers alone can.
    :raises components.models.ModelError: a model of another kind, or one that the engine cannot take.
    """
    exact = "fp32" if precision == "auto" else precision
    if engine == "ctranslate2" or (engine == "auto" and precision == "int8" and not fused):
        from components.generation.ctranslate2_engine import CTranslate2Engine

        return CTranslate2Engine(model, "cpu" if device == "auto" else device, exact, hub_token)
    if exact == "int8":
        raise ValueError("precision 'int8' is CTranslate2's: use engine 'ctranslate2', and passages each.")
    folder = resolve_model(model, hub_token)
    if engine == "auto" and precision == "auto" and not fused and pick_device(device).type == "cpu":
        return _fastest(folder)
    return Seq2SeqEngine(str(folder), device, exact)


def _fastest(folder: Path) -> Seq2SeqEngine:
    from components.generation.ctranslate2_engine import CTranslate2Engine, unsupported

    weights = sum(file.stat().st_size for file in folder.glob("*.safetensors"))
    if find_spec("ctranslate2") is None or weights < _WORTH_MEASURING or unsupported(folder) is not None:
        return Seq2SeqEngine(str(folder), "cpu")

    def make(entry: Path) -> None:
        (entry / "choice.json").write_text(json.dumps(measure(folder)))

    def load(entry: Path) -> tuple[str, str]:
        choice = json.loads((entry / "choice.json").read_text())
        return choice["engine"], choice["precision"]

    name = f"generator-{_FORMAT}-{model_digest(folder)}-{hardware_fingerprint()}-{version('ctranslate2')}"
    try:
        engine, precision = build_or_load(cache_folder() / name, make, load)
        kind = CTranslate2Engine if engine == "ctranslate2" else Seq2SeqEngine
        return kind(str(folder), "cpu", precision)
    except (ValueError, OSError, RuntimeError) as error:
        logger.warning("Engines could not be compared (%s): writing with transformers.", error)
        return Seq2SeqEngine(str(folder), "cpu")


def measure(folder: Path) -> dict[str, object]:
    """
    Engine and precision of the fastest that writes transformers' own words for every sample; `measured` has for each
    candidate prompts a second of processor time, and the share of samples with the same words.
    """
    from components.generation.ctranslate2_engine import CTranslate2Engine

    prompts = _samples()
    exact = Seq2SeqEngine(str(folder), "cpu")
    wanted, pace = _write(exact, prompts)
    best = ("transformers", "fp32", pace)
    measured = {"transformers fp32": {"prompts_per_second": pace, "same": 1.0}}
    for precision in ("fp32", "bf16", "int8"):
        try:
            texts, pace = _write(CTranslate2Engine(str(folder), "cpu", precision), prompts)
        except (ValueError, RuntimeError) as error:
            logger.info("ctranslate2 in %s does not run here: %s", precision, error)
            continue
        same = sum(mine == theirs for mine, theirs in zip(texts, wanted, strict=True)) / len(wanted)
        measured[f"ctranslate2 {precision}"] = {"prompts_per_second": pace, "same": round(same, 3)}
        if same == 1 and pace > best[2]:
            best = ("ctranslate2", precision, pace)
    logger.info("Engines measured: %s", measured)
    return {"engine": best[0], "precision": best[1], "measured": measured}


def _write(engine: Seq2SeqEngine, prompts: list[str]) -> tuple[list[str], float]:
    engine.write(prompts[:2], _TOKENS, max_length=512)
    began = time.process_time()
    texts = [one.text for one in engine.write(prompts, _TOKENS, max_length=512)]
    return texts, round(len(prompts) / max(time.process_time() - began, 1e-9), 2)


def _samples() -> list[str]:
    """Prompts of bundled text, of the form that question answering has."""
    template = Template.of("t5")
    lines = [json.loads(line) for line in _SAMPLE_FILE.read_text(encoding="utf-8").splitlines()]
    return [template.fill(line["question"], line["passage"]) for line in lines[1 : 1 + _SAMPLES]]
