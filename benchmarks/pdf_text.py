"""
How well is a PDF's text read? Our converter beside poppler's pdftotext, over a folder of PDFs.

    python -m benchmarks.pdf_text FOLDER [--pdftotext PROGRAM] [--files 30]

For each file: paragraph ends in mid-sentence (a blank line between a text without a full stop and a small letter), the
share of pdftotext's words that ours lacks (running heads and page numbers, which ours leaves out, are not counted), the
share of its neighbouring word pairs that are neighbours in ours too (order), words divided at a line's end, and time.
The 30 files of the committed result come from Debian packages (bash-doc, developers-reference, erlang-doc, gnuplot-doc,
installation-guide-amd64, lilypond-doc-pdf, octave-doc, pari-doc, r-doc-pdf, texlive-latex-base-doc and others),
unpacked by dpkg -x. Writes benchmarks/results/pdf_text.json.
"""

import argparse
import json
import re
import statistics
import subprocess
import time
from collections import Counter
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path

from benchmarks.common.hardware import hardware
from indexing.convert.extracted import Refusal
from indexing.convert.pdf import convert_pdf

RESULT = Path(__file__).parent / "results" / "pdf_text.json"
_WORD = re.compile(r"[^\W_]{2,}")
_MID = re.compile(r"[a-z,]$")
_REPEATED = 0.1  # share of pages that have a line which is therefore a running one


def mid_sentence_breaks(text: str) -> int:
    """Blank lines behind a small letter or a comma, before a small letter; page ends are not counted."""
    count = 0
    for page in text.split("\f"):
        blocks = [block.strip() for block in re.split(r"\n[ \t]*\n+", page) if block.strip()]
        for before, after in pairwise(blocks):
            prose = len(before.split()) > 4 and len(after.split()) > 2
            count += prose and bool(_MID.search(before)) and after[0].islower() and after[:2].isalpha()
    return count


def without_running_lines(text: str) -> str:
    """pdftotext's text without lines that stand first or last on a tenth of the pages, numbers aside."""
    pages = [[line for line in page.split("\n") if line.strip()] for page in text.split("\f")]
    edges = Counter(key for lines in pages for key in {_key(line) for line in lines[:2] + lines[-2:]})
    running = {key for key, count in edges.items() if count >= max(3, _REPEATED * len(pages))}
    kept = []
    for lines in pages:
        inner = [
            line
            for number, line in enumerate(lines)
            if not ((number < 2 or number >= len(lines) - 2) and _key(line) in running)
        ]
        kept.append("\n".join(inner))
    return "\f".join(kept)


def _key(line: str) -> str:
    return re.sub(r"\d+|\b[ivxlc]+\b", "#", line.strip())


def words_of(text: str) -> list[str]:
    """Words in lower case; one that a line's end divides is whole."""
    text = re.sub(r"(?<=\w)[-\u00ad\u2010]\n(?=[a-z])", "", text.replace("^", ""))
    return _WORD.findall(text.lower())


def compare(ours: str, theirs: str) -> dict[str, float]:
    """Shares of their words and of their word pairs that ours has."""
    a, b = words_of(ours), words_of(without_running_lines(theirs))
    lost = sum((Counter(b) - Counter(a)).values())
    pairs_a, pairs_b = Counter(pairwise(a)), Counter(pairwise(b))
    same = sum((pairs_a & pairs_b).values())
    return {
        "words_lost": round(lost / max(1, len(b)), 4),
        "pairs_kept": round(same / max(1, sum(pairs_b.values())), 4),
    }


def measure(path: Path, program: str) -> dict | None:
    data = path.read_bytes()
    began = time.process_time()
    try:
        ours = convert_pdf(data).text
    except Refusal as refusal:
        return {"file": path.name, "refused": str(refusal)}
    seconds = time.process_time() - began
    printed = subprocess.run([program, str(path), "-"], capture_output=True, check=True).stdout
    theirs = printed.decode("utf-8", "replace")
    pages = ours.count("\f") + 1
    return {
        "file": path.name,
        "pages": pages,
        "milliseconds_a_page": round(1000 * seconds / pages, 1),
        "mid_sentence_breaks": mid_sentence_breaks(ours),
        "mid_sentence_breaks_pdftotext": mid_sentence_breaks(theirs),
        "divided_words": len(re.findall(r"[a-z]-\n[a-z]", ours)),
        "divided_words_pdftotext": len(re.findall(r"[a-z]-\n[a-z]", theirs)),
        **compare(ours, theirs),
    }


def summary(rows: Sequence[dict]) -> dict:
    read = [row for row in rows if "pages" in row]
    pages = sum(row["pages"] for row in read)
    return {
        "files": len(read),
        "pages": pages,
        "mid_sentence_breaks_a_1000_pages": round(1000 * sum(row["mid_sentence_breaks"] for row in read) / pages, 1),
        "pdftotext": round(1000 * sum(row["mid_sentence_breaks_pdftotext"] for row in read) / pages, 1),
        "divided_words_a_1000_pages": round(1000 * sum(row["divided_words"] for row in read) / pages, 1),
        "divided_words_pdftotext": round(1000 * sum(row["divided_words_pdftotext"] for row in read) / pages, 1),
        **{name: _three([row[name] for row in read]) for name in ("words_lost", "pairs_kept", "milliseconds_a_page")},
    }


def _three(values: Sequence[float]) -> dict[str, float]:
    return {"min": min(values), "median": statistics.median(values), "max": max(values)}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--pdftotext", default="pdftotext")
    parser.add_argument("--files", type=int, default=30)
    arguments = parser.parse_args()
    paths = sorted(arguments.folder.rglob("*.pdf"))[: arguments.files]
    rows = []
    for path in paths:
        rows.append(measure(path, arguments.pdftotext))
        print(json.dumps(rows[-1]), flush=True)
    result = {"hardware": hardware(["pypdfium2"]), "summary": summary(rows), "files": rows}
    RESULT.write_text(json.dumps(result, indent=1) + "\n")
    print(json.dumps(result["summary"], indent=1))


if __name__ == "__main__":
    main()
