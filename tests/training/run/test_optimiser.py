"""Rates of layers and steps, and the average of the weights, against their formulas and other libraries."""

import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from tests.training.world import settings_for
from training.run.optimiser import WeightAverage, build_optimiser, rate_factor
from training.run.settings import settings_from
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


@pytest.mark.parametrize("schedule", ["linear", "cosine"])
def test_schedules_are_those_of_transformers(schedule):
    from transformers import get_scheduler

    steps, warmup = 1000, 120
    optimiser = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=1.0)
    (theirs,) = get_scheduler(schedule, optimiser, warmup, steps).lr_lambdas
    for step in range(0, steps + 1, 7):
        assert rate_factor(step / steps, warmup / steps, schedule) == pytest.approx(theirs(step), abs=1e-9)


def test_the_mean_of_weights_is_that_of_torch(tmp_path):
    settings = settings_from(settings_for(tmp_path, average="swa", average_from=0.0))
    layer = torch.nn.Linear(3, 2)
    average = WeightAverage(dict(layer.named_parameters()), settings)
    theirs = torch.optim.swa_utils.AveragedModel(layer)
    for step in range(1, 8):
        with torch.no_grad():
            layer.weight.normal_()
        average.update(step / 7)
        theirs.update_parameters(layer)
    with average.in_place():
        torch.testing.assert_close(layer.weight, theirs.module.weight)
