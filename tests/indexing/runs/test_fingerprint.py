"""The fingerprint changes with what changes passages, and with nothing else."""

import shutil

from components.models import MINILM, resolve_model
from indexing.converter import FileConverter
from indexing.fingerprint import pipeline_fingerprint, source_version
from indexing.passages import PassageSplitter
from tests.indexing.pipeline import HashEmbedder


def fingerprint(converter=None, splitter=None, embedder=None) -> str:
    return pipeline_fingerprint(
        [converter or FileConverter(), splitter or PassageSplitter(), embedder or HashEmbedder()]
    )


def test_settings_that_change_passages_change_it():
    prints = {
        fingerprint(),
        fingerprint(splitter=PassageSplitter(max_tokens=128)),
        fingerprint(splitter=PassageSplitter(overlap=1)),
        fingerprint(splitter=PassageSplitter(language="de")),
        fingerprint(embedder=HashEmbedder(dimension=9)),
    }
    assert len(prints) == 5


def test_limits_and_speed_do_not():
    assert fingerprint(converter=FileConverter(workers=7, timeout=3, memory_mb=100, max_file_mb=1)) == fingerprint()


def test_other_weights_in_the_same_folder_change_it(tmp_path):
    folder = tmp_path / "model"
    shutil.copytree(resolve_model(MINILM), folder)
    before = fingerprint(splitter=PassageSplitter(model=str(folder)))
    with (folder / "model.safetensors").open("r+b") as weights:
        weights.seek(-1, 2)
        weights.write(b"\x07")
    assert fingerprint(splitter=PassageSplitter(model=str(folder))) != before


def test_version_depends_on_content_and_pipeline():
    assert len({source_version("a", "f"), source_version("b", "f"), source_version("a", "g")}) == 3
