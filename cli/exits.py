"""How the command ends: the exit codes scripts can rely on, and errors told in one sentence."""

import os
import sys
from collections.abc import Callable
from typing import NoReturn

OK = 0
ERROR = 1
USAGE = 2  # what typer gives for a wrong command line; also for a filter on a field that there is not
SOME_REFUSED = 3
NO_ANSWER = 4
NOTHING_MATCHES = 5
INTERRUPTED = 130  # 128 + SIGINT, as shells have it
PIPE_CLOSED = 141  # 128 + SIGPIPE

HELP = """\
Exit codes: 0 done. 1 error. 2 wrong command line. 3 done, but some files or questions were refused (the output says
which and why). 4 no answer found that can be relied on: not sure, or not in the documents. 5 the filter matches
nothing. 130 interrupted. EXCERPT_DEBUG=1 shows the whole trace of an error."""


class CommandError(Exception):
    """An error the user can act on: its message says what was given and what to do next."""

    def __init__(self, message: str, code: int = ERROR) -> None:
        super().__init__(message)
        self.code = code


def run_command(command: Callable[[], object]) -> NoReturn:
    """Run the command line and leave with its exit code; no stack trace unless EXCERPT_DEBUG is set."""
    try:
        command()
        code = OK
    except SystemExit as end:
        code = end.code if isinstance(end.code, int) else OK if end.code is None else ERROR
        if isinstance(end.__context__, BrokenPipeError):  # typer ends such a command by itself
            code = PIPE_CLOSED
    except KeyboardInterrupt:
        code = INTERRUPTED
    except BrokenPipeError:
        code = PIPE_CLOSED
    except Exception as error:
        if os.environ.get("EXCERPT_DEBUG", "0") not in ("", "0"):
            raise
        print(f"excerpt: {describe(error)}", file=sys.stderr)
        code = error.code if isinstance(error, CommandError) else ERROR
    _leave(code)


def describe(error: BaseException) -> str:
    """
    The message of an error, or of what caused it where Haystack wrapped that up: in words, without names of classes,
    error numbers or control characters.
    """
    from cli.machine import explain
    from cli.terminal.text import printable

    while type(error).__module__.startswith("haystack.") and error.__cause__ is not None:
        error = error.__cause__
    return printable(explain(error), keep="\n")


def _leave(code: int) -> NoReturn:
    try:
        sys.stdout.flush()
    except BrokenPipeError:
        # Python would complain once more when it closes standard output: let that go nowhere.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        code = PIPE_CLOSED
    if code in (INTERRUPTED, PIPE_CLOSED):
        # A worker thread may be in the middle of a batch: taking the interpreter down under it aborts the process.
        sys.stderr.flush()
        os._exit(code)
    sys.exit(code)
