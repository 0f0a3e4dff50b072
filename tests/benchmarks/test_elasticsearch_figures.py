"""What the Elasticsearch benchmarks compute by themselves: curves, exact neighbours, fusion, synthetic passages."""

import numpy as np
import pytest
from haystack import Document
from hypothesis import given
from hypothesis import strategies as st

from benchmarks.elasticsearch.curve import AIM, Kind, curves, fit, plot, told
from benchmarks.elasticsearch.measures import Exact, in_memory, synthetic
from benchmarks.elasticsearch.recall import min_max_sum, reciprocal_ranks

SIZES = [10_000, 100_000, 1_000_000]


@given(st.sampled_from(["power", "log", "line"]), st.floats(0.01, 100), st.floats(0.001, 1))
def test_a_curve_finds_what_made_the_values(kind: Kind, a: float, b: float) -> None:
    made = {"power": lambda n: a * n**b, "log": lambda n: a + b * np.log10(n), "line": lambda n: a + b * n}[kind]
    curve = fit(kind, SIZES, [float(made(n)) for n in SIZES])
    assert curve.at(AIM) == pytest.approx(made(AIM), rel=1e-3)
    assert curve.worst < 1e-3


def test_the_distance_of_a_curve_is_told() -> None:
    assert fit("log", SIZES, [1.0, 10.0, 1.0]).worst > 0.5
    with pytest.raises(ValueError, match="two different sizes"):
        fit("log", [10, 10], [1.0, 2.0])
    with pytest.raises(ValueError, match="above 0"):
        fit("log", [10, 100], [1.0, 0.0])


def test_curves_and_picture_of_a_table(tmp_path) -> None:
    rows = [
        {
            "passages": size,
            "ms a question, one": {"median": 5.0},
            "ms a question, many": {"median": 3.0},
            "ms a passage, merging too": 0.5,
            "bytes on disk": size * 4000,
            "bytes of codes and graph": size * 500,
        }
        for size in SIZES
    ]
    assert curves(rows[:1]) == {}
    result = told(curves(rows))
    assert result["bytes on disk"]["line"][f"at {AIM:,}"] == pytest.approx(4e11, rel=1e-3)
    assert result["ms a passage, merging too"]["log"]["hours of loading"] == pytest.approx(0.5 * AIM / 3.6e6, rel=1e-3)
    for count in (1, 3):
        plot(rows[:count], tmp_path / "table.json")
        assert (tmp_path / "table.png").read_bytes().startswith(b"\x89PNG")
        (tmp_path / "table.png").unlink()


@given(st.integers(0, 2**32 - 1), st.lists(st.integers(1, 30), min_size=1, max_size=5))
def test_exact_is_a_search_of_everything(seed: int, blocks: list[int]) -> None:
    chance = np.random.default_rng(seed)
    asked = chance.normal(size=(3, 8)).astype(np.float32)
    exact, parts, names = Exact(asked, keep=5), [], []
    for block in blocks:
        part = chance.normal(size=(block, 8)).astype(np.float32)
        names += (new := [f"{len(names) + number}" for number in range(block)])
        parts.append(part)
        exact.add(new, part)
    best = np.argsort(-(asked @ np.concatenate(parts).T), axis=1)[:, :5]
    assert [set(row) - {""} for row in exact.ids.tolist()] == [{names[place] for place in row} for row in best]
    if sum(blocks) >= 5:
        assert exact.share([[names[place] for place in row] for row in best]) == 1.0
        assert exact.share([[], [], []]) == 0.0


def test_fusion_by_hand() -> None:
    words, meaning = [("a", 9.0), ("b", 6.0), ("c", 3.0)], [("b", 0.9), ("d", 0.8)]
    assert min_max_sum(words, meaning) == {"a": 0.5, "b": 0.75, "c": 0.0, "d": 0.0}
    assert min_max_sum([("a", 2.0)], []) == {"a": 0.5}
    assert reciprocal_ranks(words, meaning)["b"] == pytest.approx(1 / 62 + 1 / 61)


def test_synthetic_passages_are_seeded_and_begin_alike() -> None:
    chance = np.random.default_rng(0)
    vectors = chance.normal(size=(4, 384)).astype(np.float32)
    passages = [Document(content=f"One {n}. Two {n}. Three {n}.", meta={"title": f"t{n}"}) for n in range(len(vectors))]
    small, large = ([one for block, _ in synthetic(passages, vectors, size) for one in block] for size in (30, 5_030))
    assert len(small) == 30 and len(large) == 5_030 == len({one.id for one in large})
    for one, other in zip(small, large, strict=False):
        assert (one.id, one.content, one.embedding) == (other.id, other.content, other.embedding)
        assert np.linalg.norm(one.embedding) == pytest.approx(1, abs=1e-5)
        assert one.content.count(".") == 5


def test_memory_by_elastics_formula() -> None:
    assert in_memory("int8_hnsw", 1000, 384) == 1000 * (388 + 64)
    assert in_memory("hnsw", 1000, 384) == 1000 * (1536 + 64)
    assert in_memory("flat", 1000, 384) == 1000 * 1536
    assert in_memory("bbq_flat", 1000, 384) == 1000 * 62
