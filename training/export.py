"""Other engines' forms of a reader: OpenVINO fp32 and int8, ONNX; each checked for the answers of the original."""

import json
import warnings
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from components.encoder.ragged import Ragged
from components.models import resolve_model
from components.reader.spans import top_spans
from components.reader.tokens import PassageTokenizer
from components.reader.windows import Windows, WindowSize, cut_windows
from evaluation.squad_data import SquadData, sample
from training.run.held_out import MAX_ANSWER_TOKENS, padded_logits
from training.span_model import load_span_model

Form = Literal["openvino-fp32", "openvino-int8", "onnx"]
FORMS: tuple[Form, ...] = ("openvino-fp32", "openvino-int8", "onnx")
# Share of windows whose best span must be the original's. Quantising moves near ties; NNCF kept 95.5 % on SQuAD.
NEEDED = {"openvino-fp32": 0.999, "onnx": 0.999, "openvino-int8": 0.85}
Run = Callable[[dict[str, NDArray[np.int64]]], tuple[NDArray[np.float32], NDArray[np.float32]]]


@dataclass(frozen=True)
class Agreement:
    """How an exported form compares with torch in fp32: share of equal best spans, largest and mean gap of logits."""

    form: str
    windows: int
    same_answer: float
    largest_gap: float
    mean_gap: float


class ExportError(RuntimeError):
    """An exported model gives other answers than the one it was made of."""


class _Logits(nn.Module):
    """The model with its inputs by position and two tensors out, as tracers like it."""

    def __init__(self, model: nn.Module, types: bool) -> None:
        super().__init__()
        self.model, self.types = model, types

    def forward(self, input_ids: Tensor, attention_mask: Tensor, token_type_ids: Tensor | None = None) -> Any:
        kinds = {"token_type_ids": token_type_ids} if self.types else {}
        output = self.model(input_ids=input_ids, attention_mask=attention_mask, **kinds)
        return output.start_logits, output.end_logits


def export(
    model: str | Path, out: Path, data: SquadData, forms: Sequence[Form] = FORMS, windows: int = 300, seed: int = 0
) -> list[Agreement]:
    """Write `<out>/<form>/` for each form, and `agreement.json` about all.

    :param data: questions and paragraphs (never those the reader is judged by): a sample of them quantises int8 and, a
        second one, checks the answers.
    :param windows: how many windows each of the two samples has.
    :raises ExportError: when a form's answers differ from the original's more often than it may.
    """
    if unknown := [form for form in forms if form not in FORMS]:
        raise ValueError(f"cannot export to {unknown[0]!r}: choose from {', '.join(FORMS)}")
    folder = resolve_model(model)
    span_model = load_span_model(folder, seed=0, attention="eager", trained=True).eval()
    types = getattr(span_model.config, "type_vocab_size", 0) > 1
    longest = min(384, span_model.config.max_position_embeddings - 2)
    checking, calibrating = (_windows(data, folder, longest, windows, seed + n) for n in (0, 1))
    wanted = padded_logits(span_model, checking.batch, 4096)
    found = []
    for form in forms:
        place = out / form
        place.mkdir(parents=True, exist_ok=True)
        if form == "onnx":
            run = _onnx(_Logits(span_model, types), place, types)
        else:
            run = _openvino(_Logits(span_model, types), place, types, calibrating.batch if "int8" in form else None)
        agreement = compare(form, wanted, _all_logits(run, checking.batch, types), checking)
        found.append(agreement)
        if agreement.same_answer < NEEDED[form]:
            raise ExportError(
                f"{form} gives the original's best span in {agreement.same_answer:.1%} of {agreement.windows} windows, "
                f"less than {NEEDED[form]:.1%} (largest gap of logits {agreement.largest_gap:.3g}): it is not fit for "
                f"use. It lies in {place} to be looked at"
            )
    told = json.dumps([asdict(agreement) for agreement in found], indent=1)
    (out / "agreement.json").write_text(told + "\n", encoding="utf-8")
    return found


def compare(form: str, wanted: tuple[Tensor, Tensor], got: tuple[Tensor, Tensor], windows: Windows) -> Agreement:
    """Best spans and logits (total,) of two engines over the same windows."""
    first = torch.from_numpy(windows.batch.starts[:-1]) + torch.from_numpy(windows.context)
    length = torch.from_numpy(windows.context_length)
    spans = [top_spans(start, end, first, length, 1, MAX_ANSWER_TOKENS) for start, end in (wanted, got)]
    same = (spans[0].start == spans[1].start) & (spans[0].end == spans[1].end)
    gaps = torch.cat([(a - b).abs() for a, b in zip(wanted, got, strict=True)])
    return Agreement(form, len(windows), float(same.float().mean()), float(gaps.max()), float(gaps.mean()))


def _windows(data: SquadData, folder: Path, longest: int, count: int, seed: int) -> Windows:
    """Windows of sampled questions with their paragraphs, at most `count` questions."""
    drawn = sample(data, count, seed)
    tokenizer = PassageTokenizer.load(folder)
    asked = [tokens.ids for tokens in tokenizer.encode([question.text for question in drawn.questions])]
    texts = [drawn.paragraphs[question.paragraph].text for question in drawn.questions]
    size = WindowSize(longest, min(128, longest // 3), min(64, longest // 4))
    return cut_windows(tokenizer.layout, asked, tokenizer.encode(texts), size)


def _inputs(batch: Ragged, row: int, types: bool) -> dict[str, NDArray[np.int64]]:
    part = slice(int(batch.starts[row]), int(batch.starts[row + 1]))
    ids = batch.ids[part].astype(np.int64)[None]
    inputs = {"input_ids": ids, "attention_mask": np.ones_like(ids)}
    return inputs | ({"token_type_ids": batch.types[part].astype(np.int64)[None]} if types else {})


def _all_logits(run: Run, batch: Ragged, types: bool) -> tuple[Tensor, Tensor]:
    rows = [run(_inputs(batch, row, types)) for row in range(len(batch))]
    start, end = (torch.from_numpy(np.concatenate([row[side][0] for row in rows])).float() for side in (0, 1))
    return start, end


def _example(types: bool) -> tuple[Tensor, ...]:
    ids = torch.ones((2, 16), dtype=torch.long)
    return (ids, torch.ones_like(ids), *([torch.zeros_like(ids)] if types else []))


def _openvino(model: nn.Module, place: Path, types: bool, calibration: Ragged | None) -> Run:
    import openvino

    names = ["input_ids", "attention_mask", *(["token_type_ids"] if types else [])]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the tracer's remarks about constants in the library's masks
        converted = openvino.convert_model(model, example_input=dict(zip(names, _example(types), strict=True)))
    for port, name in zip(converted.inputs, names, strict=True):
        port.get_node().set_partial_shape(openvino.PartialShape([-1, -1]))
        port.get_tensor().set_names({name})
    converted.validate_nodes_and_infer_types()
    if calibration is not None:
        import nncf

        inputs = [_inputs(calibration, row, types) for row in range(len(calibration))]
        converted = nncf.quantize(
            converted, nncf.Dataset(inputs), model_type=nncf.ModelType.TRANSFORMER, subset_size=len(inputs)
        )
    openvino.save_model(converted, place / "model.xml", compress_to_fp16=False)
    # fp32 is asked for: on processors with bf16 OpenVINO would compute in it unasked.
    compiled = openvino.Core().compile_model(place / "model.xml", "CPU", {"INFERENCE_PRECISION_HINT": "f32"})

    def run(inputs: dict[str, NDArray[np.int64]]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        output = compiled(inputs)
        return output[0], output[1]

    return run


def _onnx(model: nn.Module, place: Path, types: bool) -> Run:
    try:
        import onnxruntime
        import onnxscript  # noqa: F401 - torch's exporter needs it
    except ImportError as error:
        raise ExportError(f"ONNX export needs {error.name}: pip install 'excerpt[onnx]'") from error
    names = ["input_ids", "attention_mask", *(["token_type_ids"] if types else [])]
    batch, tokens = torch.export.Dim("batch"), torch.export.Dim("tokens")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # deprecations inside the exporter
        torch.onnx.export(
            model,
            _example(types),
            str(place / "model.onnx"),
            input_names=names,
            output_names=["start_logits", "end_logits"],
            dynamic_shapes={name: {0: batch, 1: tokens} for name in names}
            | ({} if types else {"token_type_ids": None}),
            dynamo=True,
            external_data=False,
            verbose=False,
        )
    session = onnxruntime.InferenceSession(str(place / "model.onnx"), providers=["CPUExecutionProvider"])

    def run(inputs: dict[str, NDArray[np.int64]]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        start, end = session.run(None, inputs)
        return start, end

    return run
