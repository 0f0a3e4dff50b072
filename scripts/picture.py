"""
Draws docs/answer.svg: a real answer over the example documents, as a terminal shows it.

    make docs

or, over an index that is there: .venv/bin/python scripts/picture.py [STORE]
"""

import io
import os
import sys
from pathlib import Path

from rich.console import Console
from rich.text import Text

from cli.asking import Asker
from cli.options import load
from cli.terminal.show import show_answers

ROOT = Path(__file__).resolve().parents[1]
QUESTION = "Who sang the national anthem at Super Bowl 50?"


def main(store: Path) -> None:
    """Ask, and write what the command would have shown."""
    os.chdir(ROOT)
    found = Asker(load("ask", "embedded", store), top_k=2).ask(QUESTION)
    (ROOT / "docs" / "answer.svg").write_text(draw(found), encoding="utf-8")


def draw(found: dict) -> str:
    """The picture of what was found, without a font from the web: the viewer's own monospaced one will do."""
    console = Console(record=True, width=92, file=io.StringIO(), force_terminal=True, highlight=False)
    console.print(Text(f'$ excerpt ask "{QUESTION}"', style="bold white"))
    show_answers(found, console)
    svg = console.export_svg(title="excerpt", unique_id="excerpt")
    start, end = svg.index("@font-face"), svg.index(".excerpt-matrix")
    return svg[:start] + svg[end:]


if __name__ == "__main__":
    main(Path(sys.argv[1] if len(sys.argv) > 1 else ".excerpt"))
