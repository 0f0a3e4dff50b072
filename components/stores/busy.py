"""One index run at a time over a store: the error of the second, and what the first one holds."""

from typing import Protocol


class StoreBusyError(RuntimeError):
    """Another process is indexing into this store."""


class Held(Protocol):
    """The right to write, while it lasts."""

    def check(self) -> None:
        """
        To be called before something is begun that another index run would spoil.

        :raises StoreBusyError: when the right has passed to somebody else meanwhile.
        """
        ...
