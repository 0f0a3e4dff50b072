"""The run's figures: CSV files that a resumed run goes on with, and a plot of them."""

import csv
from collections.abc import Mapping
from pathlib import Path


class Metrics:
    """Rows appended to `<folder>/<name>.csv`; rows after `step` are dropped, since a resumed run writes them again."""

    def __init__(self, folder: Path, name: str, step: int) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.path = folder / f"{name}.csv"
        kept = [row for row in read_rows(self.path) if float(row["step"] or 0) <= step]
        self.path.unlink(missing_ok=True)
        for row in kept:
            self.add(row)

    def add(self, row: Mapping[str, float | str]) -> None:
        """Append a row; the first one decides the columns."""
        new = not self.path.exists()
        with self.path.open("a", newline="", encoding="utf-8") as file:
            writer = csv.DictWriter(file, fieldnames=list(row))
            if new:
                writer.writeheader()
            writer.writerow({name: _short(value) for name, value in row.items()})


def read_rows(path: Path) -> list[dict[str, str]]:
    """The rows of a CSV file; none when it is not there. A last line torn by a kill is left out."""
    if not path.is_file():
        return []
    with path.open(newline="", encoding="utf-8") as file:
        return [row for row in csv.DictReader(file) if None not in row and None not in row.values()]


def plot(folder: Path) -> Path:
    """Loss and rate over the steps, held-out figures below them: `<folder>/metrics.png`."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    steps, looks = read_rows(folder / "metrics.csv"), read_rows(folder / "evaluations.csv")
    figure = Figure(figsize=(8, 7), layout="constrained")
    FigureCanvasAgg(figure)
    above, below = figure.subplots(2, 1, sharex=True)
    at = [float(row["step"]) for row in steps]
    above.plot(at, [float(row["loss"]) for row in steps], color="tab:blue", linewidth=0.8)
    above.set_ylabel("training loss", color="tab:blue")
    rates = above.twinx()
    rates.plot(at, [float(row["rate"]) for row in steps], color="tab:grey", linewidth=0.8)
    rates.set_ylabel("learning rate", color="tab:grey")
    for name in list(looks[0])[2:] if looks else []:
        shown = [(float(row["step"]), float(row[name])) for row in looks if row.get(name)]
        below.plot([x for x, _ in shown], [y for _, y in shown], marker="o", markersize=3, label=name)
    below.set_xlabel("step")
    below.set_ylabel("held-out articles")
    if looks:
        below.legend(fontsize="small")
    path = folder / "metrics.png"
    figure.savefig(path, dpi=110)
    return path


def _short(value: float | str) -> str:
    return value if isinstance(value, str) else f"{value:.6g}"
