"""Settings and recipes: every mistake is told by name."""

import json

import pytest

from tests.training.world import settings_for
from training.run.settings import combine_settings, read_recipe, settings_from


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


def test_settings_that_do_not_exist_or_are_not_allowed():
    base = {"model": "m", "data": ["d"], "out": "o"}
    with pytest.raises(ValueError, match=r"no setting epoch: there are average, .*epochs"):
        settings_from({**base, "epoch": 3})
    with pytest.raises(ValueError, match=r"no setting mixture\.passage"):
        settings_from({**base, "mixture": {"passage": 3}})
    with pytest.raises(ValueError, match="lr_scheduler_type must be one of linear, cosine; got 'step'"):
        settings_from({**base, "lr_scheduler_type": "step"})
    with pytest.raises(ValueError, match="epochs must be above 0"):
        settings_from({**base, "epochs": 0})


def test_names_of_before_are_taken_with_a_warning():
    base = {"model": "m", "data": ["d"], "out": "o"}
    with pytest.warns(FutureWarning, match="accumulate is now called gradient_accumulation_steps"):
        settings = settings_from({**base, "accumulate": 3})
    assert settings.gradient_accumulation_steps == 3
    assert not settings.differs_from({**settings.to_dict(), "gradient_accumulation_steps": None, "accumulate": 3})
    with pytest.raises(ValueError, match="max_grad_norm is given twice, once by its old name gradient_norm"):
        settings_from({**base, "gradient_norm": 1.0, "max_grad_norm": 2.0})


def test_what_comes_later_wins():
    pairs = ["mixture.passages=2", "seed=7", "out=elsewhere"]
    settings = combine_settings(["d"], "fast", {"model": "m", "out": "o", "stop_after_minutes": None}, pairs)
    assert (settings.model, settings.out, settings.seed) == ("m", "elsewhere", 7)
    assert settings.mixture.passages == 2 and settings.mixture.versions == 3, "the rest of a recipe's table stays"
    assert settings.distillation is not None
    assert combine_settings(["d"], "fast", {}, (), labels_only=True).distillation is None
    with pytest.raises(ValueError, match="--set wants NAME=VALUE, got 'seed'"):
        combine_settings(["d"], "fast", {}, ["seed"])
    with pytest.raises(ValueError, match=r"^model must be given$"):
        combine_settings(["d"], None, {"out": "o"})
