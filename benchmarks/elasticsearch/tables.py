"""
The Elasticsearch benchmarks' JSON files as the tables of docs/elasticsearch.md, on standard output.

    python -m benchmarks.elasticsearch.tables benchmarks/results/elasticsearch*.json
"""

import argparse
import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from benchmarks.common.hardware import three
from benchmarks.elasticsearch.curve import AIM


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("files", nargs="+", type=Path, help="what the benchmarks wrote")
    for file in parser.parse_args().files:
        result = json.loads(file.read_text(encoding="utf-8"))
        print(f"\n{file.name}: {result['setting']}\n")
        if "curves" in result:
            print("\n".join([*growth(result["rows"]), "", *ahead(result["curves"])]))
        elif "rows" in result:
            print("\n".join(quantisation(result["rows"])))
        else:
            print("\n".join(side_by_side(result)))


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> Iterator[str]:
    """Markdown."""
    for row in (head, ["---"] * len(head), *rows):
        yield f"| {' | '.join(row)} |"


def side_by_side(result: dict[str, Any]) -> Iterator[str]:
    """Times, loading, recall, and where the time goes."""
    rows = []
    for mode, sides in result["searching"].items():
        for name, one in sides.items():
            times, processor = one["times ours"]["median"], one["processor ms"]
            rows.append([mode, name, three(one["milliseconds"], 1), f"{times:.1f}", f"{processor:.1f}"])
    yield from table(["questions", "side", "ms: min / median / max", "times ours, median", "processor ms"], rows)
    yield ""
    rows = [
        [name, three(one["documents a second"], 0), three(one["times haystack"], 1)]
        for name, one in result["loading"].items()
    ]
    yield from table(["loading", "documents a second: min / median / max", "times theirs"], rows)
    yield ""
    rows = [
        [name, *(f"{one[at]:.3f}" for at in ("@1", "@5", "@20", "MRR")), _wins(one)]
        for name, one in result["recall"].items()
    ]
    yield from table(["recall", "1", "5", "20", "MRR", "only hybrid_search / only this at 20"], rows)
    yield ""
    for mode, measured in result["where the time goes"].items():
        yield from time_of_a_question(mode, measured)
        yield ""


def time_of_a_question(mode: str, where: dict[str, Any]) -> Iterator[str]:
    """Milliseconds a question, by who needs them."""
    wire = "wire (waiting less the server's took)"
    rows = [[name, where[name]] for name in ("a question", "client, in all", "waiting for the server", wire)]
    rows += [[f"client: {name}", value] for name, value in where["client"].items()]
    rows += [[f"server, `took`: {name}", value] for name, value in where["server, took"].items()]
    for kind, one in where["server, leg by leg"].items():
        rows.append([f"server, processor: {kind} legs alone", one["processor ms"]])
    rows.append(["server, processor: the winners' texts (the rest)", where["server, processor, the winners' texts"]])
    rows += [[f"server, profile: {name}", value] for name, value in where["server, phases by its profile"].items()]
    yield from table([mode, "ms a question"], [[name, f"{value:.2f}"] for name, value in rows])


def quantisation(rows: dict[str, Any]) -> Iterator[str]:
    head = ["quantisation", "exact 20 found", "recall 1", "5", "20", "MB on disk", "MB codes and graph"]
    head += ["documents a second", "ms, one", "ms, 32 at a time"]
    yield from table(
        head,
        [
            [
                f"`{name}`",
                f"{one['share of the exact 20 found']:.3f}",
                *(f"{one['recall'][at]:.3f}" for at in ("@1", "@5", "@20")),
                *(f"{one[what] / 1e6:,.0f}" for what in ("bytes on disk", "bytes of codes and graph")),
                f"{one['documents a second']:,}",
                *(f"{one[f'ms a question, {how}']['median']:.1f}" for how in ("one", "many")),
            ]
            for name, one in rows.items()
        ],
    )


def growth(rows: Sequence[dict[str, Any]]) -> Iterator[str]:
    head = ["passages", "documents a second", "with merging", "GB on disk", "GB codes and graph", "segments"]
    head += ["ms, one", "ms, 32 at a time", "processor ms words / meaning", "exact 20 found"]
    body = []
    for one in rows:
        legs = one["where the time goes"]["server, leg by leg"]
        body.append(
            [
                f"{one['passages']:,}" + ("" if one["passages"] == one["wanted"] else f" (of {one['wanted']:,})"),
                f"{one['documents a second']:,}",
                f"{1000 / one['ms a passage, merging too']:,.0f}",
                *(f"{one[what] / 1e9:.2f}" for what in ("bytes on disk", "bytes of codes and graph")),
                str(one["segments"]),
                *(f"{one[f'ms a question, {how}']['median']:.1f}" for how in ("one", "many")),
                " / ".join(f"{legs[kind]['processor ms']:.1f}" for kind in ("words", "meaning")),
                f"{one['share of the exact 20 found']:.3f}",
            ]
        )
    yield from table(head, body)


def ahead(curves: dict[str, Any]) -> Iterator[str]:
    rows = []
    for name, kinds in curves.items():
        for kind, one in kinds.items():
            hours = f" ({one['hours of loading']:,.0f} hours)" if "hours of loading" in one else ""
            far = f"{one['farthest from a measured value']:.0%}"
            rows.append([name, kind, far, f"{one[f'at {AIM:,}']:,.4g}{hours}"])
    yield from table(["measure", "curve", "farthest from a measured value", f"at {AIM:,} passages"], rows)


def _wins(one: dict[str, Any]) -> str:
    return f"{one['only hybrid_search at 20']} / {one['only this at 20']}"


if __name__ == "__main__":
    main()
