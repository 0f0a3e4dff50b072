"""A passage that cannot be stored costs its own file and no other, and nothing of that file stays in the index."""

from pathlib import Path

import pytest

from components.stores.contract import RefusedDocuments
from indexing.run import index
from tests.elasticsearch.pipeline import build, files_in, store_of

pytestmark = pytest.mark.elasticsearch
PAGE = "The lighthouse stands on the northern rock and its keeper walks there every evening. " * 30


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for number in range(4):
        (tmp_path / f"good{number}.txt").write_text(f"{PAGE}\n\nHouse {number}, year=1900.")
    return tmp_path


@pytest.fixture
def pipeline(elasticsearch_url, index_name):
    pipeline = build(elasticsearch_url, index_name)
    yield pipeline
    store_of(pipeline).close()


@pytest.mark.parametrize(
    ("bad", "why"),
    [
        ("year=long", "field year holds another type"),
        ("dims=3", "field embedding has 3 numbers, but the index holds vectors of 8"),
        ("nan=1", "NaN"),
    ],
    ids=["mapping conflict", "length of vector", "no number"],
)
def test_only_the_file_of_a_refused_passage_is_left_out(pipeline, folder, bad, why):
    index(pipeline, [folder])  # so that the year is a number
    for name in ("bad.txt", "good0.txt"):  # a new file, and one that was fine before: last passage only is refused
        (folder / name).write_text(f"{PAGE}\n\n{PAGE}\n\nSECRET {bad}.")
    (folder / "late.txt").write_text(f"{PAGE}\n\nyear=1901.")
    report = index(pipeline, [folder])
    store = store_of(pipeline)
    refused = {Path(one.path).name: one for one in report.refused}
    assert refused.keys() == {"bad.txt", "good0.txt"}
    assert {one.reason for one in refused.values()} == {"not storable"}
    assert all(why in one.detail and "SECRET" not in one.detail for one in refused.values())
    assert [Path(path).name for path in report.indexed] == ["late.txt"]
    assert files_in(store).keys() == {"good1.txt", "good2.txt", "good3.txt", "late.txt"}
    states = {Path(one.path).name: one.state for one in store.sources.all()}
    assert states.pop("bad.txt") == states.pop("good0.txt") == "refused"
    assert set(states.values()) == {"indexed"}
    assert report.passages == files_in(store)["late.txt"]

    again = index(pipeline, [folder])
    assert (again.unchanged, len(again.refused), again.passages) == (4, 2, 0)
    assert not any(one.is_new for one in again.refused)
    (folder / "bad.txt").write_text(f"{PAGE}\n\nyear=1902.")
    assert [Path(path).name for path in index(pipeline, [folder]).indexed] == ["bad.txt"]
    assert files_in(store)["bad.txt"] > 1


def test_in_the_first_load_nothing_of_a_refused_file_stays(pipeline, folder):
    """While refreshes are held back, a filter does not find what was written a moment ago."""
    (folder / "wrong.txt").write_text(f"{PAGE}\n\n{PAGE}\n\nyear=long.")
    report = index(pipeline, [folder])
    assert [Path(one.path).name for one in report.refused] == ["wrong.txt"]
    assert files_in(store_of(pipeline)).keys() == {f"good{number}.txt" for number in range(4)}


def test_another_embedder_is_an_error_and_no_file_is_lost_to_it(pipeline, folder, elasticsearch_url, index_name):
    index(pipeline, [folder])
    before = files_in(store_of(pipeline))
    (folder / "new.txt").write_text(PAGE)
    other = build(elasticsearch_url, index_name, dimension=5)
    with pytest.raises(Exception, match=r"has 5 numbers, but the index holds vectors of 8.*--rebuild") as caught:
        index(other, [folder])
    assert isinstance(caught.value.__cause__, RefusedDocuments)
    assert files_in(store_of(pipeline)) == before
    store_of(other).close()
