"""The command `excerpt`: its subcommands, each in a file of its own, imported when it runs."""

import typer

from cli import exits
from cli.commands.ask import ask
from cli.commands.average import average
from cli.commands.calibrate import calibrate
from cli.commands.distil import distil
from cli.commands.evaluate import evaluate
from cli.commands.export import export
from cli.commands.index import index
from cli.commands.keys import keys
from cli.commands.serve import serve
from cli.commands.shrink import shrink
from cli.commands.status import status
from cli.commands.train import train
from cli.environment import settle_environment

app = typer.Typer(
    help="Answers questions with the exact words of your own documents, and shows where they stand.\n\n"
    "Start with: excerpt index FOLDER, then: excerpt ask 'your question'.",
    epilog=exits.HELP,
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
app.command(epilog=exits.HELP)(index)
app.command(epilog=exits.HELP)(ask)
app.command(epilog=exits.HELP)(status)
app.command(epilog=exits.HELP)(serve)
app.add_typer(keys, name="keys")
app.command(epilog=exits.HELP)(train)
app.command(epilog=exits.HELP)(distil)
app.command(epilog=exits.HELP)(shrink)
app.command(epilog=exits.HELP)(average)
app.command(epilog=exits.HELP)(export)
app.command(epilog=exits.HELP)(calibrate)
app.add_typer(evaluate, name="eval")


def main() -> None:
    """Entry point of the command `excerpt`."""
    settle_environment()
    exits.run_command(app)


if __name__ == "__main__":
    main()
