"""Distillation: it beats labels alone where labels are bad, keeps the teacher's outputs, refuses another tokenizer."""

import json
import random
import sqlite3
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from components.reader.tokens import PassageTokenizer
from components.reader.windows import WindowSize
from evaluation.squad_data import read_squad
from tests.training.world import facts, settings_for, write_model
from training.distillation.distil import distil
from training.distillation.teacher import TeacherCache
from training.run.finetune import finetune
from training.run.held_out import HeldOut
from training.run.settings import settings_from
from training.span_model import load_span_model

QUICK = {
    "evaluate_every": 99.0,
    "early_stopping_patience": 0,
    "held_out": 0,
    "mixture": {"mined": 0.0, "made": 0.0},
    "dropout": 0.0,
}


def misled(content: dict, seed: int = 0) -> dict:
    """Two answers in three point at any other word of the paragraph."""
    rng = random.Random(seed)
    for article in content["data"]:
        for paragraph in article["paragraphs"]:
            words = paragraph["context"].split()
            for qa in paragraph["qas"]:
                if rng.random() < 0.67:
                    place = rng.randrange(len(words))
                    start = len(" ".join(words[:place])) + (place > 0)
                    qa["answers"] = [{"text": words[place], "answer_start": start}]
    return content


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    """A teacher trained on right answers, a student of half its layers, questions with wrong answers, a judge."""
    torch.set_num_threads(1)
    folder = tmp_path_factory.mktemp("distil")
    (folder / "right.json").write_text(json.dumps(facts(5, 40, people=1)))
    (folder / "wrong.json").write_text(json.dumps(misled(facts(3, 24, seed=3, people=1))))
    (folder / "judge.json").write_text(json.dumps(facts(2, 40, seed=4, people=1)))
    write_model(folder / "tiny")
    values = settings_for(folder, data=[str(folder / "right.json")], out=str(folder / "teacher"), epochs=8, **QUICK)
    teacher = finetune(settings_from(values))
    write_model(folder / "small", layers=1, seed=7)
    return folder, teacher


def judged(folder: Path, model: Path) -> float:
    data = read_squad([folder / "judge.json"])
    none = np.empty((len(data.questions), 0), dtype=np.int32)
    return HeldOut(data, PassageTokenizer.load(model), WindowSize(64, 8, 16), none, 4096).evaluate(
        load_span_model(model, 0)
    )["f1"]


def student(world, name, **more):
    folder, _ = world
    values = {"model": str(folder / "small"), "data": [str(folder / "wrong.json")], "epochs": 12, "batch_tokens": 512}
    return settings_from(settings_for(folder, out=str(folder / name), **{**values, **QUICK, **more}))


def test_distillation_beats_labels_alone(world):
    folder, teacher = world
    labels = judged(folder, finetune(student(world, "labels")))
    taught = {"teacher": str(teacher), "temperature": 1.5, "weight": 0.75}
    prediction = judged(folder, distil(student(world, "prediction", distillation=taught)))
    assert judged(folder, teacher) >= prediction > labels + 5


def test_both_stages_in_sequence_bring_the_student_near_the_teacher(world):
    folder, teacher = world
    taught = {
        "teacher": str(teacher),
        "weight": 1.0,
        "stages": ["intermediate", "prediction"],
        "intermediate_epochs": 3,
    }
    run = student(world, "both", epochs=3, distillation=taught)
    result = distil(run)
    assert result == folder / "both-2-prediction" / "model"
    rows = (folder / "both-1-intermediate" / "metrics.csv").read_text().splitlines()
    assert rows[0].endswith("loss,hidden,attention")
    first, last = (float(row.split(",")[-3]) for row in (rows[1], rows[-1]))
    assert last < 0.8 * first


def windows_in(cache: Path) -> int:
    """How many windows a teacher has read, as another connection sees it."""
    base = sqlite3.connect(next(cache.glob("teacher-*.sqlite3")))
    try:
        return base.execute("select count(*) from logits").fetchone()[0]
    finally:
        base.close()


def test_cached_and_fresh_teachers_give_equal_students(world):
    folder, teacher = world
    taught = {"teacher": str(teacher), "weight": 1.0}
    cache = folder / "cache"
    for file in cache.glob("teacher-*"):
        file.unlink()
    mixture = {"mined": 0.0, "made": 0.0, "versions": 2}
    first = distil(student(world, "fresh", epochs=3, mixture=mixture, distillation=taught))
    kept = windows_in(cache)
    second = distil(student(world, "cached", epochs=3, mixture=mixture, distillation=taught))
    assert kept == windows_in(cache) > 0
    assert (first / "model.safetensors").read_bytes() == (second / "model.safetensors").read_bytes()


def test_a_stopped_distillation_goes_on_to_equal_bits(world):
    folder, teacher = world
    taught = {"teacher": str(teacher), "stages": ["intermediate", "prediction"], "intermediate_epochs": 1}
    write_model(folder / "narrow", layers=1, width=16, seed=9)  # another width: projections are trained, and kept
    values = {"model": str(folder / "narrow"), "epochs": 1, "distillation": taught, "average": "ema"}
    whole = distil(student(world, "whole", **values))
    halting = student(world, "halting", **values, checkpoint_minutes=1e-6)
    stops = 0
    # A machine that is busy needs longer for a single step.
    while (again := distil(replace(halting, stop_after_minutes=3e-3 * (1 + stops / 4)))) is None:
        stops += 1
        assert stops < 60
    assert (whole / "model.safetensors").read_bytes() == (again / "model.safetensors").read_bytes()


def test_another_tokenizer_is_refused(world, tmp_path):
    _, teacher = world
    write_model(tmp_path / "other")
    file = tmp_path / "other" / "tokenizer.json"
    values = json.loads(file.read_text())
    assert values["normalizer"]["lowercase"]
    values["normalizer"]["lowercase"] = False
    file.write_text(json.dumps(values))
    with pytest.raises(ValueError, match="different tokenizers"):
        distil(student(world, "refused", model=str(tmp_path / "other"), distillation={"teacher": str(teacher)}))


def test_a_student_that_is_fed_other_token_types_is_refused(world, tmp_path):
    _, teacher = world
    write_model(tmp_path / "typeless")
    file = tmp_path / "typeless" / "tokenizer_config.json"
    values = json.loads(file.read_text())
    file.write_text(json.dumps({**values, "model_input_names": ["input_ids", "attention_mask"]}))
    with pytest.raises(ValueError, match=r"token types \(0, 1\), student .* by \(0, 0\)"):
        distil(student(world, "typeless", model=str(tmp_path / "typeless"), distillation={"teacher": str(teacher)}))


def test_the_intermediate_stage_in_several_processes_is_refused(world, monkeypatch):
    _, teacher = world
    monkeypatch.setenv("WORLD_SIZE", "2")
    taught = {"teacher": str(teacher), "stages": ["intermediate", "prediction"]}
    with pytest.raises(ValueError, match="only the prediction stage runs in several processes"):
        distil(student(world, "many", distillation=taught))


def test_a_teacher_without_a_head_is_refused(world, tmp_path):
    from transformers import BertConfig, BertModel

    folder, _ = world
    config = BertConfig.from_pretrained(folder / "tiny")
    write_model(tmp_path / "encoder")
    BertModel(config).save_pretrained(tmp_path / "encoder")
    with pytest.raises(ValueError, match="no span head"):
        distil(student(world, "headless", distillation={"teacher": str(tmp_path / "encoder")}))


def test_settings_that_teach_nothing_are_refused(world):
    _, teacher = world
    for taught, reason in (
        ({"weight": 1.5}, "weight must lie between 0 and 1"),
        ({"temperature": 0}, "temperature must be a positive"),
        ({"stages": ["middle"]}, "stages must be some of intermediate, prediction; got middle"),
        ({"stages": ["intermediate"], "hidden_weight": 0, "attention_weight": 0}, "would learn nothing"),
        ({"stages": ["intermediate"], "layer_map": [3]}, "does not fit"),
    ):
        with pytest.raises(ValueError, match=reason):
            distil(student(world, "idle", distillation={"teacher": str(teacher), **taught}), fresh=True)


def test_cache_keeps_float16_arrays_of_any_length(tmp_path):
    cache = TeacherCache(tmp_path / "t.sqlite3")
    known = {n.to_bytes(16, "big"): np.arange(2 * n, dtype=np.float16).reshape(2, n) for n in range(1, 700, 7)}
    cache.put(known)
    cache.close()
    again = TeacherCache(tmp_path / "t.sqlite3").get([*known, b"absent"])
    assert again.keys() == known.keys()
    for key, value in known.items():
        np.testing.assert_array_equal(again[key], value)
