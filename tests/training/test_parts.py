"""Rates, averages, checkpoints, metrics: the parts of a run by themselves."""

import json
import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from transformers import DistilBertConfig, DistilBertForQuestionAnswering

from tests.training.world import settings_for, write_model
from training.card import held_out_articles
from training.data.prefetch import prefetch
from training.model_folder import write_model_folder
from training.run.checkpoints import Checkpoint, load_newest, save_checkpoint
from training.run.metrics import Metrics, read_rows
from training.run.optimiser import WeightAverage, build_optimiser, rate_factor
from training.run.settings import read_recipe, settings_from
from training.span_model import load_span_model


@given(done=st.floats(0, 1), warmup=st.floats(0, 1), schedule=st.sampled_from(["linear", "cosine"]))
def test_rates_lie_between_nothing_and_the_peak(done, warmup, schedule):
    assert 0 <= rate_factor(done, warmup, schedule) <= 1


def test_schedules():
    assert rate_factor(0.05, 0.1, "linear") == pytest.approx(0.5)
    assert rate_factor(1.0, 0.1, "linear") == rate_factor(1.0, 0.1, "cosine") == 0
    assert rate_factor(0.55, 0.1, "cosine") == pytest.approx(0.5)
    assert rate_factor(0.325, 0.1, "cosine") == pytest.approx(0.5 * (1 + math.cos(math.pi / 4)))


def test_each_layer_has_its_rate(tmp_path):
    settings = settings_from(settings_for(tmp_path, learning_rate=1.0, layer_decay=0.5, head_rate=3.0))
    model = load_span_model(settings.model, 0)
    rates = {
        id(weight): (group["peak"], group["weight_decay"])
        for group in build_optimiser(model, settings).param_groups
        for weight in group["params"]
    }
    named = {name: rates[id(weight)] for name, weight in model.named_parameters()}
    assert named["qa_outputs.weight"] == (3.0, 0.01)
    assert named["bert.encoder.layer.1.output.dense.weight"] == (0.5**0 * 0.5 ** (2 - 2), 0.01)
    assert named["bert.encoder.layer.0.output.dense.bias"] == (0.5, 0.0)
    assert named["bert.embeddings.word_embeddings.weight"] == (0.25, 0.01)


@pytest.mark.parametrize("kind", ["ema", "swa"])
def test_averages_against_their_formulas(tmp_path, kind):
    settings = settings_from(settings_for(tmp_path, average=kind, average_decay=0.3, average_from=0.5))
    weight = torch.nn.Parameter(torch.zeros(2))
    average = WeightAverage({"w": weight}, settings)
    seen, ema = [], 0.0
    for step in range(1, 6):
        weight.data.fill_(float(step**2))
        average.update(step / 5)
        decay = min(0.3, (1 + step) / (10 + step))
        ema = decay * ema + (1 - decay) * step**2
        seen += [step**2] if step / 5 >= 0.5 else []
    wanted = ema if kind == "ema" else sum(seen) / len(seen)
    with average.in_place():
        assert weight.tolist() == pytest.approx([wanted] * 2)
    assert weight.tolist() == [25.0, 25.0]


def checkpoint(value):
    return Checkpoint({"model": {"w": torch.full((3,), float(value))}}, {"position": {"step": value}})


def test_the_newest_whole_checkpoint_is_found(tmp_path):
    assert load_newest(tmp_path) is None
    for step in (1, 2, 3):
        save_checkpoint(tmp_path, step, checkpoint(step))
    assert sorted(place.name for place in tmp_path.iterdir()) == ["step-000000002", "step-000000003"]
    (tmp_path / "unfinished-1").mkdir()
    assert load_newest(tmp_path).state["position"]["step"] == 3
    damaged = tmp_path / "step-000000003" / "model.safetensors"
    damaged.write_bytes(damaged.read_bytes()[:-1] + b"\x01")
    assert load_newest(tmp_path).tensors["model"]["w"].tolist() == [2.0] * 3
    (tmp_path / "step-000000002" / "state.json").write_text("{")
    with pytest.raises(ValueError, match=r"none of the 2 checkpoint\(s\).*is whole"):
        load_newest(tmp_path)


def test_metrics_drop_what_a_resumed_run_writes_again(tmp_path):
    metrics = Metrics(tmp_path, "metrics", 0)
    for step in (1, 2, 3):
        metrics.add({"step": step, "loss": step / 3})
    with metrics.path.open("a") as file:
        file.write("4")  # torn by a kill
    resumed = Metrics(tmp_path, "metrics", 2)
    resumed.add({"step": 3, "loss": 0.5})
    assert [row["step"] for row in read_rows(resumed.path)] == ["1", "2", "3"]
    assert read_rows(resumed.path)[-1]["loss"] == "0.5"


def test_prefetch_hands_errors_on_and_ends():
    def fail(plan):
        raise RuntimeError("no windows")

    class Plan:
        group = torch.zeros(2)

    with pytest.raises(RuntimeError, match="no windows"):
        list(prefetch([[Plan()]], fail))
    assert list(prefetch([], fail)) == []


def test_weights_too_large_for_fp16_are_named(tmp_path):
    model = load_span_model(write_model(tmp_path / "tiny"), 0)
    model.qa_outputs.weight.data.fill_(1e6)
    with pytest.raises(ValueError, match=r"qa_outputs\.weight holds NaN, or values too large"):
        write_model_folder(tmp_path / "out", model, tmp_path / "tiny", {})
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("name", ["bundled", "bundled-cpu", "fast", "tinyroberta", "second-step"])
def test_recipes_are_settings(name):
    settings = settings_from({**read_recipe(name), "data": ["train.json"]})
    assert json.loads(json.dumps(settings.to_dict())) == settings.to_dict()
    assert not settings.differs_from(settings.to_dict())


def test_an_unknown_recipe_names_the_known():
    with pytest.raises(ValueError, match=r"no recipe 'bundle'.*bundled, bundled-cpu, fast"):
        read_recipe("bundle")


@pytest.mark.parametrize(
    ("values", "told"),
    [
        ({"drop_malformed": "False"}, "drop_malformed must be true or false; got 'False'"),
        ({"epochs": "abc"}, "epochs must be a number; got 'abc'"),
        ({"seed": 1.5}, "seed must be a whole number; got 1.5"),
        ({"gradient_accumulation_steps": True}, "gradient_accumulation_steps must be a whole number; got True"),
        ({"crops": "None"}, "crops must be a table of settings or null; got 'None'"),
        ({"max_grad_norm": 0}, "max_grad_norm must be above 0"),
        ({"distillation": {"weight": 0.5}}, "distillation.teacher must be given"),
        ({"distillation": {"teacher": "t", "stages": "prediction"}}, "distillation.stages must be a list"),
    ],
)
def test_a_value_of_another_kind_is_refused_by_name(tmp_path, values, told):
    with pytest.raises(ValueError, match=told):
        settings_from(settings_for(tmp_path, model="m") | values)


def test_dropout_is_replaced_in_every_place(tmp_path):
    config = DistilBertConfig(vocab_size=40, dim=16, n_layers=1, n_heads=2, hidden_dim=16)
    DistilBertForQuestionAnswering(config).save_pretrained(tmp_path / "distil")
    model = load_span_model(tmp_path / "distil", 0, dropout=0.0)
    assert {part.p for part in model.modules() if isinstance(part, torch.nn.Dropout)} == {0.0}


def test_the_articles_a_model_was_not_trained_on(tmp_path):
    assert held_out_articles(tmp_path) == set()
    runs = [{"data": {"held_out_articles": ["A", "B"]}}, {"data": {"held_out_articles": ["B", "C"]}}]
    (tmp_path / "training.json").write_text(json.dumps({"runs": runs}))
    assert held_out_articles(tmp_path) == {"B"}, "an average has seen what any of its runs has"
