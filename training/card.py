"""The model's card: what it is, how it was made, what it reaches; written from `training.json` beside it."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

OFFICIAL = "official.json"
_SHOWN = ("exact", "f1", "total", "HasAns_exact", "HasAns_f1", "NoAns_f1", "best_f1", "best_f1_thresh")


def write_card(folder: Path, name: str) -> Path:
    """Write README.md anew from what lies in the folder."""
    made = json.loads((folder / "training.json").read_text(encoding="utf-8"))
    settings, data, result = (made.get(part) or {} for part in ("settings", "data", "result"))
    config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    layers = config.get("num_hidden_layers", config.get("n_layers"))
    width = config.get("hidden_size", config.get("dim"))
    size = sum(file.stat().st_size for file in folder.glob("*.safetensors")) / 1e6
    lines = [
        f"# {name}",
        "",
        f"A reader for extractive question answering: {config['architectures'][0]}, {layers} layers, {width} wide, "
        f"{size:.1f} MB as {config.get('dtype')} safetensors. Made by `excerpt {made.get('command', 'train')}` from "
        f"{_from(made)}. It loads with `AutoModelForQuestionAnswering`; "
        "compute in fp32, bf16 or int8, not in fp16 on a CPU.",
    ]
    if made.get("note"):
        lines += ["", str(made["note"])]
    official = folder / OFFICIAL
    if official.is_file():
        lines += ["", "## Official figures", ""]
        for file, figures in json.loads(official.read_text(encoding="utf-8")).items():
            lines += [f"{file}:", "", *_table({key: figures[key] for key in _SHOWN if key in figures}), ""]
    if result:
        lines += ["", "## Held-out training articles", "", *_table(result.get("held_out", {}))]
        lines += ["", f"Selected at step {result.get('best_step')} of {result.get('step')} by their mean score."]
    data = data or next((run["data"] for run in made.get("runs", ()) if run.get("data")), {})
    if data:
        lines += ["", "## Data", ""]
        lines += [f"Files {', '.join(data['files'])}; digest (sha256) `{data['digest']}`."]
        lines += [
            f"{data['questions']:,} questions, {data['made_unanswerable']:,} more made unanswerable by rule, "
            f"{data['dropped']} malformed left out; held out: {', '.join(data['held_out_articles']) or 'nothing'}."
        ]
    for run in made.get("runs", ()):
        lines += ["", f"## Averaged: {run['name']}", ""]
        lines += [str(run["note"]), ""] if run.get("note") else []
        lines += ["```json", json.dumps(run.get("settings", {}), indent=1), "```"]
    if settings:
        lines += ["", "## Settings", "", "```json", json.dumps(settings, indent=1), "```"]
    path = folder / "README.md"
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def held_out_articles(folder: Path) -> set[str]:
    """The articles that the model was not trained on, as `training.json` tells; empty when it tells nothing."""
    file = folder / "training.json"
    made = json.loads(file.read_text(encoding="utf-8")) if file.is_file() else {}
    runs = [made, *made.get("runs", ())]
    known = [set(run["data"].get("held_out_articles", ())) for run in runs if run.get("data")]
    return set.intersection(*known) if known else set()


def add_official(folder: Path, file: str, figures: Mapping[str, Any]) -> None:
    """Note the official figures for a file, and write the card anew."""
    path = folder / OFFICIAL
    known = json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}
    path.write_text(json.dumps({**known, file: dict(figures)}, indent=1) + "\n", encoding="utf-8")
    write_card(folder, folder.name)


def _table(figures: Mapping[str, Any]) -> list[str]:
    cells = {name: f"{value:.2f}" if isinstance(value, float) else f"{value:,}" for name, value in figures.items()}
    return [f"| {' | '.join(cells)} |", f"|{' --- |' * len(cells)}", f"| {' | '.join(cells.values())} |"]


def _from(made: Mapping[str, Any]) -> str:
    sources = [run["name"] for run in made.get("runs", ())]
    sources = sources or [_short(str((made.get("settings") or {}).get("model", made.get("source"))))]
    return " and ".join(f"`{name}`" for name in sources)


def _short(name: str) -> str:
    """A folder of somebody's machine says nothing to others; its last part does."""
    return "/".join(Path(name).parts[-2:])
