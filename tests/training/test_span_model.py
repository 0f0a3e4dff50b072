"""The model a run starts from."""

import pytest
import torch
from transformers import DistilBertConfig, DistilBertForQuestionAnswering

from tests.components import tiny_models
from training.span_model import load_span_model


def test_dropout_is_replaced_in_every_place(tmp_path):
    config = DistilBertConfig(vocab_size=40, dim=16, n_layers=1, n_heads=2, hidden_dim=16)
    DistilBertForQuestionAnswering(config).save_pretrained(tmp_path / "distil")
    model = load_span_model(tmp_path / "distil", 0, dropout=0.0)
    assert {part.p for part in model.modules() if isinstance(part, torch.nn.Dropout)} == {0.0}


@pytest.mark.parametrize("family", ["bert", "distilbert", "roberta", "electra", "xlm-roberta", "deberta-v2", "mpnet"])
def test_every_family_can_be_trained_on(tmp_path, family):
    """Families without PyTorch's fused attention (MPNet, DeBERTa) are loaded with their own."""
    tiny_models.build(family, tmp_path / family)
    model = load_span_model(tmp_path / family, 0, dropout=0.0)
    ids = torch.tensor([[5, 6, 7, 8]])
    output = model(input_ids=ids, attention_mask=torch.ones_like(ids))
    (output.start_logits.sum() + output.end_logits.square().sum()).backward()
    assert any(weight.grad is not None and bool(weight.grad.any()) for weight in model.parameters())
