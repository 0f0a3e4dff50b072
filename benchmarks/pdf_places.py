"""
Is an answer marked where it stands? Spans planted in generated PDFs, whose every word's place is known.

    python -m benchmarks.pdf_places [--spans 1000] [--indexing FOLDER]

Overlap is the area that the marks and the truth share over the area that they cover together (intersection over union),
the truth being the drawn words from ascender to descender. With a folder of PDFs, also: how much longer does indexing
take for keeping the rectangles? Its files are read in turns with and without them, and indexed once with all that an
index run does. Writes benchmarks/results/pdf_places.json.
"""

import argparse
import json
import os
import random
import re
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, nullcontext, suppress
from pathlib import Path
from unittest.mock import patch

from benchmarks.common.hardware import hardware, summary
from benchmarks.planted_pdfs import KINDS, Drawn, PlantedPdf, planted_pdf
from components.page_layout import PageLayout
from components.places import Rectangle, locate
from indexing.convert.extracted import Refusal
from indexing.convert.pdf import convert_pdf, document, text

RESULT = Path(__file__).parent / "results" / "pdf_places.json"
_PUNCTUATION = ".,?"
GOOD = 0.9


def planted_spans(pdf: PlantedPdf, count: int, chance: random.Random) -> Iterator[tuple[str, list[Drawn]]]:
    """Texts of one to twelve words as they are to be read, and the words as they were drawn."""
    for _ in range(count):
        first = chance.randrange(len(pdf.flow) - 12)
        while first and pdf.flow[first - 1].glued:
            first -= 1
        last = first + chance.choice((2, 3, 3, 4, 6, 12))
        while pdf.flow[last - 1].glued:
            last += 1
        words = pdf.flow[first:last]
        text = "".join(word.text + ("" if word.glued else " ") for word in words).strip()
        yield text, words


def find_span(text: str, span: str) -> tuple[int, int] | None:
    """Where a span stands in an extracted text: the same words, whatever white space lies between them."""
    pattern = r"\s+".join(re.escape(word) for word in span.split())
    found = re.search(rf"(?<!\S){pattern}(?!\S)", text)
    return found.span() if found else None


def overlap(marks: Sequence[Rectangle], words: Sequence[Drawn]) -> float:
    """Intersection over union of the marks and the drawn words, spaces between words of a line included."""
    truth = _joined(words)
    shared = sum(
        max(0.0, min(mark.x1, box[2]) - max(mark.x0, box[0])) * max(0.0, min(mark.y1, box[3]) - max(mark.y0, box[1]))
        for mark in marks
        for page, box in truth
        if page == mark.page
    )
    whole = sum((mark.x1 - mark.x0) * (mark.y1 - mark.y0) for mark in marks)
    whole += sum((box[2] - box[0]) * (box[3] - box[1]) for _, box in truth)
    return shared / max(1e-9, whole - shared)


def _joined(words: Sequence[Drawn]) -> list[tuple[int, tuple[float, float, float, float]]]:
    """Words drawn side by side as one box a line, along either direction of reading."""
    lines: list[tuple[int, tuple[float, float, float, float]]] = []
    for word in words:
        if lines and lines[-1][0] == word.page:
            last = lines[-1][1]
            same_row = abs(last[1] - word.box[1]) < 0.5 and abs(last[3] - word.box[3]) < 0.5
            same_column = abs(last[0] - word.box[0]) < 0.5 and abs(last[2] - word.box[2]) < 0.5
            near = max(word.box[0] - last[2], last[0] - word.box[2], word.box[1] - last[3], last[1] - word.box[3])
            if (same_row or same_column) and near < 20:
                box = (min(last[0], word.box[0]), min(last[1], word.box[1]))
                lines[-1] = (word.page, (*box, max(last[2], word.box[2]), max(last[3], word.box[3])))
                continue
        lines.append((word.page, word.box))
    return lines


def measure(spans: int, seed: int = 20) -> dict:
    """Shares of spans that are marked well, by kind; what was not found in the text counts as not marked."""
    chance = random.Random(seed)
    by_kind: dict[str, list[float]] = {kind: [] for kind in KINDS}
    times: list[float] = []
    each = max(1, spans // (len(KINDS) * 4))
    for kind in KINDS:
        number = 0
        while len(by_kind[kind]) < spans / len(KINDS):
            pdf = planted_pdf(kind, number)
            number += 1
            extracted = convert_pdf(pdf.data)
            layout = PageLayout(extracted.layout or b"")
            for span, words in planted_spans(pdf, each, chance):
                place = find_span(extracted.text, span)
                if place is None:
                    by_kind[kind].append(0.0)
                    continue
                began = time.perf_counter()
                found = locate(layout, *place)
                times.append(1000 * (time.perf_counter() - began))
                by_kind[kind].append(overlap(found.rectangles, words))
    values = [value for found in by_kind.values() for value in found]
    return {
        "spans": len(values),
        "well_marked": round(sum(value >= GOOD for value in values) / len(values), 4),
        "by_kind": {
            kind: {
                "well_marked": round(sum(value >= GOOD for value in found) / len(found), 4),
                "median_overlap": round(statistics.median(found), 3),
            }
            for kind, found in by_kind.items()
        },
        "milliseconds_an_answer": {"median": round(statistics.median(times), 3), "max": round(max(times), 3)},
    }


def measure_indexing(folder: Path, rounds: int = 5) -> dict:
    """What the rectangles cost: seconds to read with and without them in turns, against those of a whole index run."""
    files = sorted(folder.rglob("*.pdf"))
    readable = []
    for file in files:
        with suppress(Refusal):
            convert_pdf(file.read_bytes())
            readable.append(file)
    ratios, extra = [], []
    for number in range(rounds):
        seconds = {}
        for kept in (True, False) if number % 2 else (False, True):
            with nullcontext() if kept else _without_rectangles():
                began = time.perf_counter()
                for file in readable:
                    convert_pdf(file.read_bytes(), ocr=False)
                seconds[kept] = time.perf_counter() - began
        ratios.append(seconds[True] / seconds[False])
        extra.append(seconds[True] - seconds[False])
    whole = _index(readable)
    return {
        **hardware(["pypdfium2"]),
        "files": len(readable),
        "reading_with_over_without": _rounded(ratios),
        "seconds_for_rectangles": _rounded(extra),
        "seconds_of_an_index_run": round(whole, 2),
        "share_of_indexing": round(statistics.median(extra) / whole, 4),
    }


def _rounded(values: Sequence[float]) -> dict:
    return {name: round(value, 3) for name, value in summary(values).items()}


class _Forgetful(list):
    """Keeps nothing."""

    def append(self, item: object) -> None:
        pass


@contextmanager
def _without_rectangles() -> Iterator[None]:
    """Words are read as ever, but neither is a rectangle of theirs kept nor the block of a page packed."""
    made = text.DocumentText.__init__

    def make(self: text.DocumentText, *arguments: object) -> None:
        made(self, *arguments)  # type: ignore[arg-type]
        self.words = _Forgetful()

    with patch.object(text.DocumentText, "__init__", make), patch.object(document, "pack", lambda *_: None):
        yield


def _index(files: Sequence[Path]) -> float:
    """Seconds of `excerpt index` over the files, in a process of its own, its start left out by a run over one file."""
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[1])}
    seconds = []
    for some in (files[:1], files):
        with tempfile.TemporaryDirectory() as store:
            began = time.perf_counter()
            command = [
                sys.executable,
                "-m",
                "cli.main",
                "index",
                *map(str, some),
                "--store",
                f"{store}/store",
                "--quiet",
            ]
            subprocess.run(command, env=environment, check=True)
            seconds.append(time.perf_counter() - began)
    return seconds[1] - seconds[0]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--spans", type=int, default=1000)
    parser.add_argument("--indexing", type=Path, metavar="FOLDER")
    given = parser.parse_args()
    result = measure(given.spans)
    if given.indexing is not None:
        result["indexing"] = measure_indexing(given.indexing)
    RESULT.write_text(json.dumps(result, indent=1) + "\n")
    print(json.dumps(result, indent=1))


if __name__ == "__main__":
    main()
