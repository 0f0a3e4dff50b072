"""Fifty hostile and broken inputs among good ones: each ends as it should, and harms nobody."""

import os
import re
import socket
import threading
from pathlib import Path

import pytest

from indexing.convert.extracted import REASONS
from indexing.passages import PassageSplitter
from indexing.run import IndexReport, index
from tests.indexing import bad_files
from tests.indexing.pipeline import HashEmbedder, build, store_of
from tests.indexing.real_files import WRITERS

CANARY_FILE = Path("/tmp/excerpt-canary.txt")
EVIL = Path("/tmp/excerpt-evil")


class Listener:
    """Counts connections to the port that hostile files name."""

    def __init__(self) -> None:
        self.hits = 0
        self._socket = socket.socket()
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self._socket.bind(("127.0.0.1", 18999))
        self._socket.listen()
        threading.Thread(target=self._count, daemon=True).start()

    def _count(self) -> None:
        while True:
            try:
                connection, _ = self._socket.accept()
            except OSError:
                return
            self.hits += 1
            connection.close()

    def close(self) -> None:
        self._socket.close()


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """One index run over all of them, with a good file of each format before, between and behind them."""
    folder = tmp_path_factory.mktemp("bad")
    bad_files.build(folder)
    for name, write in WRITERS.items():
        for place in ("00", "30", "99"):
            write(folder / f"{place}-good-{name}")
    CANARY_FILE.write_text(bad_files.CANARY)
    EVIL.unlink(missing_ok=True)
    listener = Listener()
    # Windows of a cheap size: what the rubbish is divided into is tested in test_passages.py.
    pipeline = build(
        tmp_path_factory.mktemp("store"), splitter=PassageSplitter(max_tokens=256), embedder=HashEmbedder()
    )
    try:
        report = index(pipeline, [folder])
    finally:
        CANARY_FILE.unlink()
        listener.close()
    yield report, store_of(pipeline), listener


@pytest.fixture(scope="module")
def ends(run) -> dict[str, str]:
    report: IndexReport = run[0]
    ends = {path.rsplit("/", 1)[1]: bad_files.READ for path in report.indexed}
    ends.update({item.path.rsplit("/", 1)[1]: item.reason for item in report.refused})
    return ends


@pytest.mark.parametrize("name", bad_files.EXPECTED)
def test_each_ends_as_it_should(ends, name):
    assert ends[name] in bad_files.EXPECTED[name]


@pytest.mark.parametrize("name", [name for name, reason in bad_files.SPECIAL.items() if reason])
def test_special_files_are_problems(ends, name):
    assert ends[name] == bad_files.SPECIAL[name]


def test_all_good_neighbours_are_indexed(ends):
    assert {ends.get(f"{place}-good-{name}") for name in WRITERS for place in ("00", "30", "99")} == {bad_files.READ}


def test_odd_names_are_indexed_and_shown_on_one_line(ends):
    odd = [name for name in ends if re.match(r"50-", name)]
    assert len(odd) == len(bad_files.NAMES)
    assert {ends[name] for name in odd} == {bad_files.READ}
    for name in odd:
        name.encode("utf-8")
        assert name.isprintable()


def test_reasons_are_of_the_closed_list(run):
    assert {item.reason for item in run[0].refused} <= set(REASONS)


def test_no_connection_no_file_no_secret(run):
    _, store, listener = run
    assert listener.hits == 0
    assert not EVIL.exists()
    assert not Path("/tmp/excerpt-evil.txt").exists()
    for source in store.sources.all():
        assert bad_files.CANARY not in (store.sources.get(source.source_id).text or "")


def texts(run, name: str) -> str:
    _, store, _ = run
    source = next(source for source in store.sources.all() if os.path.basename(source.path) == name)
    return store.sources.get(source.source_id).text


def test_what_can_be_read_is_read_right(run):
    assert texts(run, "33-latin1.txt") == "Café naïve, déjà vu à l'été: où êtes-vous?"
    assert "älter als gedacht" in texts(run, "33-utf16.txt")
    assert texts(run, "12-corners.xlsx") == "Corners\n\nfirst corner\nlast corner"
    assert "Hiddentown" not in texts(run, "42-hidden.html")
    assert texts(run, "44-front-matter.md") == "Heading\n\nBody words"
    assert texts(run, "40-deep.html") == "deep words"
    assert "bracket words" in texts(run, "43-deep.md")
    assert "value4999" in texts(run, "45-open-quote.csv")
    assert "k: one\nk: two" in texts(run, "46-odd.json")
    assert "9" * 100_000 in texts(run, "46-odd.json")
    assert "body words" in texts(run, "48-deep.eml")
    assert "body words" in texts(run, "48-odd.eml")
    assert "\0" not in texts(run, "32-control.txt")


def test_what_was_left_out_is_said(run):
    notes = {os.path.basename(path): note for path, note in run[0].notes}
    assert notes["47-broken-line.jsonl"] == "not JSON, left out: line 5001"


def test_an_attachment_is_a_document_of_its_own_whose_name_leads_nowhere(run):
    assert texts(run, "48-odd.eml > excerpt-evil") == "x"


def test_what_is_refused_is_recorded_with_its_hash(run):
    _, store, _ = run
    refused = [source for source in store.sources.all() if source.state == "refused"]
    assert len(refused) >= 10
    read = [
        source for source in refused if not (source.reason or "").startswith("not a file")
    ]  # links and pipes are not
    assert all(source.content_hash for source in read if not source.path.endswith("49-sparse.txt"))
