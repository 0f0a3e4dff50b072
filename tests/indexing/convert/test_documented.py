"""docs/indexing.md lists each format that is read, and each setting; what it says of notes is what converters say."""

import inspect
import re
from pathlib import Path

from indexing.convert.dispatch import _CONVERTERS
from indexing.convert.kinds import TEXT_KINDS
from indexing.convert.plausible import garbage_note
from indexing.converter import FileConverter

DOCS = (Path(__file__).parents[3] / "docs" / "indexing.md").read_text(encoding="utf-8")
_TABLE = DOCS[DOCS.index("| format | read |") : DOCS.index("Settings of `FileConverter`")]
ROWS = [line.split("|")[1:-1] for line in _TABLE.split("\n")[2:] if line.startswith("|")]


def _listed() -> set[str]:
    return {name for row in ROWS for name in re.findall(r"[a-z]+", row[0].partition("(")[0])}


def test_every_kind_has_its_row_and_no_row_is_invented():
    assert _listed() == set(_CONVERTERS)


def test_rows_say_what_is_read_and_what_is_not():
    for row in ROWS:
        assert len(row) == 4 and row[1].strip(), row


def test_settings_are_told():
    for name in inspect.signature(FileConverter.__init__).parameters:
        if name not in ("self", "workers"):
            assert f"`{name}" in DOCS, name


def test_suffixes_lead_to_kinds_that_exist():
    assert set(TEXT_KINDS.values()) <= set(_CONVERTERS)


def test_a_text_layer_that_lies_is_told():
    prose = "The lighthouse of Norderoog was built in the year and the keeper lived there until it was given up. " * 20
    assert garbage_note(prose) is None
    assert garbage_note("".join(chr(ord(c) + 3) if c.isalpha() and c not in "xyzXYZ" else c for c in prose))
    assert garbage_note("\ufffd\ufffd\ufffd text") is not None
    assert garbage_note("Deniz feneri ve bir gemi için olarak yapıldı bu da çok güzel. " * 40) is None
