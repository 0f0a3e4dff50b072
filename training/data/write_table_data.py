"""Writes SQuAD-format training data from files of tables.

python -m training.data.write_table_data wtq TABLES.jsonl.gz OUT.json
python -m training.data.write_table_data reports TATQA.jsonl.gz OUT.json
"""

import gzip
import json
import sys
from pathlib import Path

from training.data.report_questions import ask_reports
from training.data.table_questions import ask_tables


def main(kind: str, source: str, target: str) -> None:
    """Write the questions; every eighth table (every fourth report) goes to `TARGET.held.json`, to judge by."""
    if kind not in ("wtq", "reports"):
        raise SystemExit(f"the first argument is wtq or reports, not {kind!r}")
    with gzip.open(source, "rt", encoding="utf-8") as file:
        everything = [json.loads(line) for line in file]
    share, make = (8, ask_tables) if kind == "wtq" else (4, ask_reports)
    for path, chosen in (
        (Path(target), [one for place, one in enumerate(everything) if place % share]),
        (Path(target).with_suffix(".held.json"), everything[::share]),
    ):
        path.write_text(json.dumps(make(chosen, 0), ensure_ascii=False), encoding="utf-8")


if __name__ == "__main__":
    main(*sys.argv[1:4])
