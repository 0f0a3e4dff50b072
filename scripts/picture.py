"""
Draws docs/answer.svg: a real answer over the example documents, as a terminal shows it.

    .venv/bin/excerpt index examples/documents && .venv/bin/python scripts/picture.py
"""

import io
import os
from pathlib import Path

from rich.console import Console
from rich.text import Text

from cli.options import load
from cli.terminal.show import show_answers

ROOT = Path(__file__).resolve().parents[1]
QUESTION = "Who sang the national anthem at Super Bowl 50?"


def main() -> None:
    os.chdir(ROOT)
    answers = load("ask", "embedded", Path(".excerpt")).run(query=QUESTION, top_k=2)["answers"]
    console = Console(record=True, width=92, file=io.StringIO(), force_terminal=True, highlight=False)
    console.print(Text(f'$ excerpt ask "{QUESTION}"', style="bold white"))
    show_answers(QUESTION, answers, console)
    # without a font from the web: the reader's own monospaced font will do
    svg = console.export_svg(title="excerpt", unique_id="excerpt")
    start, end = svg.index("@font-face"), svg.index(".excerpt-matrix")
    (ROOT / "docs" / "answer.svg").write_text(svg[:start] + svg[end:], encoding="utf-8")


if __name__ == "__main__":
    main()
