"""Importing LanceDB in half the time."""

import importlib.util
import sys
from types import ModuleType

# The client of a catalogue service that LanceDB can talk to and we never do. Building its request classes takes half of
# the second that `import lancedb` needs, and a question asked on the command line would wait for it.
_UNUSED_CLIENT = "lance_namespace_urllib3_client"


class _Postponed(ModuleType):
    """A package whose submodules can be imported, and whose own code runs when one of its names is first asked for."""

    def __getattr__(self, name: str) -> object:
        if name.startswith("__") or self.__spec__ is None or self.__spec__.loader is None:
            raise AttributeError(f"module {self.__name__!r} has no attribute {name!r}")
        self.__class__ = ModuleType  # type: ignore[assignment]
        self.__spec__.loader.exec_module(self)
        return getattr(self, name)


def lancedb() -> ModuleType:
    """The module `lancedb`."""
    if "lancedb" not in sys.modules and _UNUSED_CLIENT not in sys.modules:
        spec = importlib.util.find_spec(_UNUSED_CLIENT)
        if spec is not None:
            client = importlib.util.module_from_spec(spec)
            client.__class__ = _Postponed
            sys.modules[_UNUSED_CLIENT] = client
    return importlib.import_module("lancedb")
