"""`excerpt exam`: a test set made from one's own index, and pipelines held against it."""

import typer

from cli import exits
from cli.commands.exam.make import make
from cli.commands.exam.review import review
from cli.commands.exam.run import run
from cli.commands.exam.tune import tune

exam = typer.Typer(
    help="Make a test set from your own documents, and hold pipelines against it.",
    no_args_is_help=True,
    rich_markup_mode=None,
)
for command in (make, review, run, tune):
    exam.command(epilog=exits.HELP)(command)
