import json
import shutil
from pathlib import Path

import pytest
from haystack import Document

from components import models
from components.embedder import PassageEmbedder
from components.models import (
    MINILM,
    PROJECT_ROOT,
    ModelError,
    load_tokenizer,
    max_tokens,
    model_digest,
    resolve_model,
)
from indexing.passages import PassageSplitter


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


@pytest.mark.parametrize(
    ("stated", "tokenizer", "config", "expected"),
    [
        (None, None, {}, (512, "by default")),
        (None, None, {"max_position_embeddings": 256}, (256, "config.json")),
        (None, None, {"max_position_embeddings": 514, "model_type": "roberta"}, (512, "config.json")),
        (None, 128, {"max_position_embeddings": 512}, (128, "tokenizer_config.json")),
        (None, 10**30, {"max_position_embeddings": 512}, (512, "config.json")),
        (256, 128, {"max_position_embeddings": 512}, (256, "sentence_bert_config.json")),
        (900, None, {"max_position_embeddings": 512}, (512, "config.json")),
    ],
)
def test_how_many_tokens_a_model_reads(
    stated: int | None, tokenizer: int | None, config: dict, expected: tuple[int, str], tmp_path: Path
) -> None:
    (tmp_path / "sentence_bert_config.json").write_text(json.dumps({"max_seq_length": stated}))
    (tmp_path / "tokenizer_config.json").write_text(json.dumps({"model_max_length": tokenizer}))
    (tmp_path / "config.json").write_text(json.dumps(config))
    assert max_tokens(tmp_path) == expected


def test_a_folder_without_any_tokenizer_says_how_to_save_one(tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text('{"model_type": "bert"}')
    with pytest.raises(ModelError, match="save_pretrained"):
        load_tokenizer(tmp_path)


def test_splitter_and_embedder_agree_where_the_tokenizer_reads_less_than_the_model(
    tmp_path: Path,
) -> None:
    folder = Path(shutil.copytree(resolve_model(MINILM), tmp_path / "model"))
    for name in ("sentence_bert_config.json", "modules.json"):
        (folder / name).unlink()
    settings = json.loads((folder / "tokenizer_config.json").read_text())
    (folder / "tokenizer_config.json").write_text(json.dumps({**settings, "model_max_length": 128}))
    text = "It rained in the harbour on every day of that week. " * 60
    passages = PassageSplitter(model=str(folder)).run(documents=[Document(content=text)])["documents"]
    done = PassageEmbedder(model=str(folder), precision="fp32").run(passages)
    assert len(passages) > 5 and done["truncated"] == []
    assert PassageEmbedder(model=str(folder), precision="fp32").run([Document(content=text)])["truncated"]
