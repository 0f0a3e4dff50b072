"""Which files of an index does a name mean? A path, a folder, a file's name, a pattern; composed or not."""

import fnmatch
import os
import unicodedata
from collections.abc import Iterable

from components.stores.contract import Source
from indexing.remote.addresses import is_address
from indexing.sources import is_under, shown


def matching(sources: Iterable[Source], name: str) -> list[Source]:
    """
    The files that `name` means: a path from here or from the root, a folder (all below it), a bare file name, or a
    pattern of these with *, ? and [...]; an address (https://...) and all below it. A name typed composed finds one
    stored decomposed (macOS), and back.
    """
    everything = list(sources)
    if is_address(name):
        return [source for source in everything if is_under(_form(source.path), [_form(name.rstrip("/"))])]
    path = shown(os.path.realpath(os.path.expanduser(name)))
    found = [source for source in everything if is_under(_form(source.path), [_form(path)])]
    if not found and any(sign in name for sign in "*?["):
        patterns = [_form(name), _form(shown(os.path.join(os.path.realpath("."), name)))]
        found = [source for source in everything if any(_matches(source.path, pattern) for pattern in patterns)]
    if not found:
        wanted = _form(name).strip("/")
        found = [source for source in everything if _form(source.path).endswith(f"/{wanted}")]
    return found


def _matches(path: str, pattern: str) -> bool:
    path = _form(path)
    name = path.rpartition("/")[2]
    return fnmatch.fnmatchcase(path, pattern) or ("/" not in pattern and fnmatch.fnmatchcase(name, pattern))


def _form(text: str) -> str:
    return unicodedata.normalize("NFC", text)
