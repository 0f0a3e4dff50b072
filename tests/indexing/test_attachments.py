"""Attachments as documents of their own: they come, change and go with the mail that holds them."""

from email.message import EmailMessage
from pathlib import Path

import pytest

from indexing.run import index
from tests.indexing.pipeline import build, embedder_of, store_of


def _mail(*names: str) -> bytes:
    message = EmailMessage()
    message["Subject"] = "Tides"
    message.set_content("See what is attached.")
    for name in names:
        data = f"Island;Beds\n{name};900\n".encode()
        message.add_attachment(data, maintype="text", subtype="csv", filename=name)
    return bytes(message)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "files").mkdir()
    (tmp_path / "files" / "m.eml").write_bytes(_mail("a.csv", "b.csv"))
    (tmp_path / "files" / "other.txt").write_text("Nothing else.")
    return tmp_path / "files"


def _names(pipeline) -> list[str]:
    return sorted(source.path.rsplit("/", 1)[1] for source in store_of(pipeline).sources.all())


def test_they_come_stay_change_and_go_with_their_mail(folder, tmp_path):
    pipeline = build(tmp_path / "store")
    index(pipeline, [folder])
    assert _names(pipeline) == ["m.eml", "m.eml > a.csv", "m.eml > b.csv", "other.txt"]
    passages = store_of(pipeline).filter_documents(
        {"field": "meta.file_path", "operator": "==", "value": f"{folder}/m.eml > a.csv"}
    )
    assert [passage.content for passage in passages] == ["Island | Beds\nIsland: a.csv; Beds: 900"]

    done = len(embedder_of(pipeline).seen)
    report = index(pipeline, [folder])
    assert (report.indexed, report.removed, len(embedder_of(pipeline).seen)) == ([], [], done)

    (folder / "m.eml").write_bytes(_mail("b.csv", "c.csv"))
    index(pipeline, [folder])
    assert _names(pipeline) == ["m.eml", "m.eml > b.csv", "m.eml > c.csv", "other.txt"]

    (folder / "m.eml").unlink()
    index(pipeline, [folder])
    assert _names(pipeline) == ["other.txt"]
