"""Who reads: ours with one engine or another, and the peers. Each reads the same passages with the same weights."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from benchmarks.reader.work import Task


class Side(Protocol):
    """One way of reading. A new one is a class like those below, and a line in `sides`."""

    name: str

    def read(self, tasks: Sequence[Task]) -> list[str]:
        """The best answer to each question, "" for none."""


class Excerpt:
    """`ExtractiveReader`; many questions are one call."""

    def __init__(self, model: Path, engine: str, precision: str, device: str, early_stop: str = "off") -> None:
        from components.reader import ExtractiveReader

        self.reader = ExtractiveReader(
            model=str(model), engine=engine, precision=precision, device=device, top_k=1, early_stop=early_stop
        )
        self.reader.warm_up()
        stop = "" if early_stop == "off" else f", early stop {early_stop}"
        auto = " (auto)" if engine == "auto" else ""
        self.name = f"excerpt, {self.reader.span_reader.engine.name}{auto}{stop}"

    def read(self, tasks: Sequence[Task]) -> list[str]:
        found = self.reader.read([(task.question, task.documents) for task in tasks])
        return [next((each.data for each in answers if each.data), "") for answers in found]


class Haystack:
    """`TransformersExtractiveReader` as it comes: one question a call, all its windows padded to the longest."""

    def __init__(self, model: Path, device: str) -> None:
        self.name = "TransformersExtractiveReader"
        self.reader = haystack_reader(model, device)

    def read(self, tasks: Sequence[Task]) -> list[str]:
        return [self._one(task) for task in tasks]

    def _one(self, task: Task) -> str:
        found = self.reader.run(query=task.question, documents=list(task.documents), top_k=1)["answers"]
        return next((each.data for each in found if each.data), "")


class HaystackTuned(Haystack):
    """The same as far as its settings and callers can speed it up: bf16, passages sorted by length, small batches."""

    def __init__(self, model: Path, device: str) -> None:
        import torch

        self.name = "the same, bf16, sorted"
        self.reader = haystack_reader(model, device, {"dtype": torch.bfloat16}, 8 if device == "cpu" else 64)

    def _one(self, task: Task) -> str:
        by_length = sorted(task.documents, key=lambda document: len(document.content or ""))
        return super()._one(Task(task.question, task.answers, tuple(by_length)))


class OnnxInt8:
    """
    ONNX Runtime with dynamically quantised int8 weights, windows sorted by length, batches of 8; the spans by numpy.

    What Optimum does for a question-answering model, by hand: Optimum (optimum-onnx 0.1) needs transformers below 4.58
    and does not install beside transformers 5. Fed with token types, unlike Haystack's reader.
    """

    name = "ONNX Runtime int8"

    def __init__(self, model: Path, folder: Path) -> None:
        import onnxruntime
        import torch
        from onnxruntime.quantization import quantize_dynamic
        from transformers import AutoModelForQuestionAnswering, AutoTokenizer

        self.tokenizer = AutoTokenizer.from_pretrained(model)
        plain, quantised = folder / "plain.onnx", folder / "int8.onnx"
        network = AutoModelForQuestionAnswering.from_pretrained(model, dtype=torch.float32).eval()
        sample = dict(self.tokenizer("a question", "a passage", return_tensors="pt"))
        torch.onnx.export(
            _two_logits(network, list(sample)), tuple(sample.values()), plain, input_names=list(sample),
            output_names=["start", "end"], dynamo=False,
            dynamic_axes={name: {0: "batch", 1: "token"} for name in [*sample, "start", "end"]},
        )  # fmt: skip
        quantize_dynamic(plain, quantised)
        options = onnxruntime.SessionOptions()
        options.log_severity_level = 3
        self.session = onnxruntime.InferenceSession(quantised, options, providers=["CPUExecutionProvider"])
        self.inputs = list(sample)

    def read(self, tasks: Sequence[Task]) -> list[str]:
        return [self._one(task) for task in tasks]

    def _one(self, task: Task) -> str:
        texts = [document.content or "" for document in task.documents]
        cut = self.tokenizer(
            [task.question] * len(texts), texts, truncation="only_second", max_length=384, stride=128,
            return_overflowing_tokens=True, return_offsets_mapping=True,
        )  # fmt: skip
        rows = sorted(range(len(cut["input_ids"])), key=lambda row: len(cut["input_ids"][row]))
        best: tuple[float, str] = (-np.inf, "")
        for begin in range(0, len(rows), 8):
            part = rows[begin : begin + 8]
            padded = self.tokenizer.pad({name: [cut[name][row] for row in part] for name in self.inputs})
            feed = {name: np.array(padded[name], dtype=np.int64) for name in self.inputs}
            start, end = self.session.run(None, feed)
            for place, row in enumerate(part):
                score, first, last = _best_span(start[place], end[place], cut.sequence_ids(row))
                if score > best[0]:
                    offsets, text = cut["offset_mapping"][row], texts[cut["overflow_to_sample_mapping"][row]]
                    best = (score, text[offsets[first][0] : offsets[last][1]])
        return best[1]


def sides(model: Path, device: str, folder: Path) -> list[Side]:
    """Ours first (the engine that is chosen by itself), then the peers, then our other engines."""
    every: list[Side] = [Excerpt(model, "auto", "auto", device), Haystack(model, device), HaystackTuned(model, device)]
    every.append(Excerpt(model, "auto", "auto", device, "safe"))
    if device == "cpu":
        every.append(OnnxInt8(model, folder))
        kinds = [("torch", "fp32"), ("torch", "bf16"), ("torch", "int8"), ("openvino", "fp32"), ("openvino", "int8")]
    else:
        kinds = [("torch", "fp32"), ("torch", "bf16"), ("torch", "fp16")]
    for engine, precision in kinds:
        try:
            every.append(Excerpt(model, engine, precision, device))
        except ValueError as error:
            print(f"left out: {engine} in {precision}: {error}")
    return every


def haystack_reader(
    model: Path, device: str, model_kwargs: dict[str, Any] | None = None, batch: int | None = None
) -> Any:
    from haystack.utils import ComponentDevice
    from haystack_integrations.components.readers.transformers import TransformersExtractiveReader

    reader = TransformersExtractiveReader(
        model=str(model), token=None, device=ComponentDevice.from_str(device), model_kwargs=model_kwargs,
        max_batch_size=batch,
    )  # fmt: skip
    reader.warm_up()
    if model_kwargs is None:
        reader.model.float()  # stored in fp16, in which no CPU computes well: the peer at its best
    return reader


def _best_span(start: np.ndarray, end: np.ndarray, sequence: Sequence[int | None]) -> tuple[float, int, int]:
    context = np.flatnonzero(np.array([one == 1 for one in sequence]))
    best: tuple[float, int, int] = (-np.inf, 0, 0)
    for first in context:
        reach = end[first : min(first + 30, context[-1] + 1)]
        last = int(reach.argmax())
        if start[first] + reach[last] > best[0]:
            best = (float(start[first] + reach[last]), int(first), int(first) + last)
    return best


def _two_logits(network: Any, names: list[str]) -> Any:
    """The model as a module of tensors in and tensors out, which is what can be exported."""
    import torch

    class Logits(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.network = network

        def forward(self, *values: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
            out = self.network(**dict(zip(names, values, strict=True)))
            return out.start_logits, out.end_logits

    return Logits()
