"""`excerpt export`: a reader for other engines, checked for giving the same answers."""

from pathlib import Path
from typing import Annotated

import typer


def export(
    model: Annotated[str, typer.Argument(metavar="MODEL", help="The reader: a folder, or a name.")],
    data: Annotated[
        list[Path],
        typer.Option("--data", help="SQuAD-format training files: some of their questions quantise and check."),
    ],
    out: Annotated[Path, typer.Option("--out", help="Folder to write to, one folder in it for each form.")],
    forms: Annotated[
        str, typer.Option("--forms", help="Some of openvino-fp32, openvino-int8, onnx, separated by commas.")
    ] = "openvino-fp32,openvino-int8,onnx",
    windows: Annotated[int, typer.Option("--windows", min=1, help="Questions to quantise with, and to check.")] = 300,
) -> None:
    """Write OpenVINO and ONNX forms of a reader. Fails when one gives other answers than the original."""
    from evaluation.squad_data import read_squad
    from training.export import export as run

    wanted = [form.strip() for form in forms.split(",") if form.strip()]
    for found in run(model, out, read_squad(data), wanted, windows):  # type: ignore[arg-type]
        typer.echo(
            f"{found.form}: same best span in {found.same_answer:.1%} of {found.windows} windows, "
            f"logits {found.mean_gap:.2g} apart on average, {found.largest_gap:.2g} at most"
        )
