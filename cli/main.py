"""The command `excerpt`: its subcommands, each in a file of its own, imported when it runs."""

from typing import Annotated

import typer

from cli import config, exits
from cli.commands.ask import ask
from cli.commands.config import config as show_config
from cli.commands.evaluate import evaluate
from cli.commands.exam import exam
from cli.commands.files.forget import forget
from cli.commands.files.list import list_files
from cli.commands.files.open import open_answer
from cli.commands.files.show import show
from cli.commands.index import index
from cli.commands.keys import keys
from cli.commands.questions import questions
from cli.commands.serve import serve
from cli.commands.status import status
from cli.commands.store.backup import backup
from cli.commands.store.dump import dump
from cli.commands.store.load import load
from cli.commands.store.verify import verify
from cli.commands.training.average import average
from cli.commands.training.calibrate import calibrate
from cli.commands.training.distil import distil
from cli.commands.training.export import export
from cli.commands.training.shrink import shrink
from cli.commands.training.train import train
from cli.environment import settle_environment
from cli.groups import ASK, INDEX, MEASURE, MORE, READERS, SERVE, GroupedCommands

app = typer.Typer(
    cls=GroupedCommands,
    help="Answers questions with the exact words of your own documents, and shows where they stand.\n\n"
    "Start with: excerpt index FOLDER, then: excerpt ask your question",
    epilog=exits.HELP,
    no_args_is_help=True,
    add_completion=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    context_settings={"max_content_width": 100},
)
app.command(epilog=exits.HELP, rich_help_panel=ASK)(ask)
app.command("open", epilog=exits.HELP, rich_help_panel=ASK)(open_answer)
app.command(epilog=exits.HELP, rich_help_panel=INDEX)(index)
app.command(epilog=exits.HELP, rich_help_panel=INDEX)(status)
app.command("list", epilog=exits.HELP, rich_help_panel=INDEX)(list_files)
app.command(epilog=exits.HELP, rich_help_panel=INDEX)(show)
app.command(epilog=exits.HELP, rich_help_panel=INDEX)(forget)
app.command(epilog=exits.HELP, rich_help_panel=INDEX)(verify)
app.command(epilog=exits.HELP, rich_help_panel=INDEX)(dump)
app.command(epilog=exits.HELP, rich_help_panel=INDEX)(backup)
app.command(epilog=exits.HELP, rich_help_panel=INDEX)(load)
app.command(epilog=exits.HELP, rich_help_panel=SERVE)(serve)
app.add_typer(keys, name="keys", rich_help_panel=SERVE)
app.command(epilog=exits.HELP, rich_help_panel=READERS)(train)
app.command(epilog=exits.HELP, rich_help_panel=READERS)(distil)
app.command(epilog=exits.HELP, rich_help_panel=READERS)(shrink)
app.command(epilog=exits.HELP, rich_help_panel=READERS)(average)
app.command(epilog=exits.HELP, rich_help_panel=READERS)(calibrate)
app.command(epilog=exits.HELP, rich_help_panel=READERS)(export)
app.add_typer(evaluate, name="eval", rich_help_panel=MEASURE)
app.command(epilog=exits.HELP, rich_help_panel=MEASURE)(questions)
app.add_typer(exam, name="exam", rich_help_panel=MEASURE)
app.command("config", epilog=exits.HELP, rich_help_panel=MORE)(show_config)


def _print_version(given: bool) -> None:
    if given:
        from importlib.metadata import version

        print(f"excerpt {version('excerpt')}")
        raise typer.Exit


@app.callback()
def options(
    version: Annotated[
        bool, typer.Option("--version", help="Print the version and exit.", callback=_print_version, is_eager=True)
    ] = False,
) -> None:
    """What stands before the name of a command."""


def main() -> None:
    """Entry point of the command `excerpt`."""
    settle_environment()
    exits.run_command(lambda: app(default_map=config.default_map()))


if __name__ == "__main__":
    main()
