import json
from pathlib import Path

import pytest

from components import models
from components.models import MINILM, PROJECT_ROOT, ModelError, model_digest, resolve_model


def folder_with(path: Path, config: dict | None = None, weights: str = "model.safetensors") -> Path:
    path.mkdir()
    (path / "config.json").write_text(json.dumps(config or {"model_type": "bert"}))
    (path / weights).write_bytes(b"weights")
    return path


def test_a_folder_is_itself_and_the_project_root_is_searched(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert resolve_model(str(folder_with(tmp_path / "mine"))) == (tmp_path / "mine").resolve()
    monkeypatch.chdir(tmp_path)
    assert resolve_model("models/minilm-squad") == PROJECT_ROOT / "models" / "minilm-squad"


def test_the_bundled_embedder_is_found_and_its_digest_checked(monkeypatch: pytest.MonkeyPatch) -> None:
    assert (resolve_model(MINILM) / "model.safetensors").is_file()
    monkeypatch.setattr(models, "MINILM_SHA256", "0" * 64)
    with pytest.raises(ModelError, match="not the official"):
        resolve_model(MINILM)


@pytest.mark.parametrize(
    ("config", "weights", "said"),
    [
        ({"auto_map": {"AutoModel": "evil.Model"}}, "model.safetensors", "auto_map"),
        (None, "pytorch_model.bin", "pickled"),
    ],
)
def test_code_and_pickles_are_refused_by_name(tmp_path: Path, config: dict | None, weights: str, said: str) -> None:
    with pytest.raises(ModelError, match=said):
        resolve_model(folder_with(tmp_path / "bad", config, weights))


def test_missing_folders_say_what_is_allowed() -> None:
    with pytest.raises(ModelError, match="existing folder"):
        resolve_model("models/not-there")


def test_unreachable_names_say_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    with pytest.raises(ModelError, match="neither a folder nor"):
        resolve_model("nobody/nothing-of-the-kind")


def test_the_digest_follows_the_weights(tmp_path: Path) -> None:
    one, two = folder_with(tmp_path / "one"), folder_with(tmp_path / "two")
    assert model_digest(one) == model_digest(two)
    (two / "model.safetensors").write_bytes(b"other weights")
    assert model_digest(one) != model_digest(two)
