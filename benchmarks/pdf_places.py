"""
Is an answer marked where it stands? Spans planted in generated PDFs, whose every word's place is known.

    python -m benchmarks.pdf_places [--spans 1000]

Overlap is the area that the marks and the truth share over the area that they cover together (intersection over union),
the truth being the drawn words from ascender to descender. Writes benchmarks/results/pdf_places.json.
"""

import argparse
import json
import random
import re
import statistics
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

from benchmarks.planted_pdfs import KINDS, Drawn, PlantedPdf, planted_pdf
from components.page_layout import PageLayout
from components.places import Rectangle, locate
from indexing.convert.pdf import convert_pdf

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
            for text, words in planted_spans(pdf, each, chance):
                place = find_span(extracted.text, text)
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


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--spans", type=int, default=1000)
    result = measure(parser.parse_args().spans)
    RESULT.write_text(json.dumps(result, indent=1) + "\n")
    print(json.dumps(result, indent=1))


if __name__ == "__main__":
    main()
