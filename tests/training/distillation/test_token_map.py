"""A teacher that numbers the same word pieces differently and frames them otherwise is read token by token."""

import json

import numpy as np
import pytest
import torch
from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, processors

from components.reader.tokens import PassageTokenizer
from components.reader.windows import WindowSize
from evaluation.squad_data import read_squad
from tests.training.world import facts, settings_for, write_model
from training.data.windows import Corpus, Crops
from training.distillation.distil import distil
from training.distillation.token_map import TokenMap
from training.run.settings import settings_from


@pytest.fixture(scope="module")
def folders(tmp_path_factory):
    """A student, and a RoBERTa-like frame over its word pieces in reverse order as the teacher's tokenizer."""
    folder = tmp_path_factory.mktemp("token_map")
    (folder / "train.json").write_text(json.dumps(facts(3, 12, people=1)))
    write_model(folder / "student")
    vocabulary = json.loads((folder / "student" / "tokenizer.json").read_text())["model"]["vocab"]
    pieces = [piece for piece in vocabulary if piece not in ("[CLS]", "[SEP]", "[PAD]", "[MASK]")]
    turned = {piece: number for number, piece in enumerate(["<s>", "<pad>", "</s>", *reversed(pieces)])}
    tokenizer = Tokenizer(models.WordPiece(turned, unk_token="[UNK]"))
    tokenizer.normalizer = normalizers.BertNormalizer(lowercase=True)
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    tokenizer.post_processor = processors.RobertaProcessing(("</s>", 2), ("<s>", 0), add_prefix_space=False)
    write_model(folder / "teacher", seed=3)
    tokenizer.save(str(folder / "teacher" / "tokenizer.json"))
    settings = folder / "teacher" / "tokenizer_config.json"
    told = json.loads(settings.read_text())
    settings.write_text(json.dumps(told | {"model_input_names": ["input_ids", "attention_mask"]}))
    return folder


def windows(folder):
    data = read_squad([folder / "train.json"])
    tokenizer = PassageTokenizer.load(folder / "student")
    corpus = Corpus(data, tokenizer, WindowSize(64, 16, 16))
    chosen = np.arange(6, dtype=np.int32)
    own = np.array([data.questions[n].paragraph for n in chosen], dtype=np.int32)
    plan = corpus.crop(chosen, own, chosen, Crops(20, 40, 0.0), np.random.default_rng(0))
    return corpus.batch(plan)


def test_question_and_passage_are_the_same_pieces_in_the_teachers_frame(folders):
    tokens = TokenMap(str(folders / "student"), str(folders / "teacher"))
    batch = windows(folders)
    view = tokens.view(batch)
    assert view.shift == 1  # <s> q </s></s> p </s> against [CLS] q [SEP] p [SEP]
    student = Tokenizer.from_file(str(folders / "student" / "tokenizer.json"))
    teacher = Tokenizer.from_file(str(folders / "teacher" / "tokenizer.json"))
    for row in range(len(batch.ids)):
        passage = np.flatnonzero(batch.allowed[row])[1:]
        mine = [student.id_to_token(int(batch.ids[row, place])) for place in passage]
        theirs = [teacher.id_to_token(int(view.ids[row, place + view.shift])) for place in passage]
        assert mine == theirs
        assert view.ids[row, 0] == 0
        assert view.real[row].sum() == batch.real[row].sum() + 1
        between = view.ids[row, passage[0] + view.shift - 2 : passage[0] + view.shift]
        assert between.tolist() == [2, 2]


def test_another_cut_is_refused(folders, tmp_path):
    write_model(tmp_path / "cased")
    file = tmp_path / "cased" / "tokenizer.json"
    told = json.loads(file.read_text())
    told["pre_tokenizer"] = {"type": "WhitespaceSplit"}
    file.write_text(json.dumps(told))
    with pytest.raises(ValueError, match="cut text differently"):
        TokenMap(str(folders / "student"), str(tmp_path / "cased"))


def test_a_student_learns_from_it_and_data_beside_is_learned_from_labels_alone(folders):
    torch.set_num_threads(1)
    more = folders / "more.json"
    content = facts(2, 6, seed=9, people=1)
    for article in content["data"]:
        article["title"] += " beside"
        for paragraph in article["paragraphs"]:
            for qa in paragraph["qas"]:
                qa["id"] = f"beside-{qa['id']}"
    more.write_text(json.dumps(content))
    values = settings_for(
        folders,
        model=str(folders / "student"),
        data=[str(folders / "train.json")],
        out=str(folders / "run"),
        epochs=1,
        held_out=0,
        mixture={"mined": 0.0, "made": 0.0},
        beside={"data": [str(more)], "mixture": {"mined": 0.0, "made": 0.0}},
        distillation={"teacher": str(folders / "teacher")},
    )
    made = distil(settings_from(values))
    assert made is not None and (made / "model.safetensors").is_file()
    told = json.loads((made / "training.json").read_text())
    assert told["settings"]["beside"]["data"] == ["more.json"]
