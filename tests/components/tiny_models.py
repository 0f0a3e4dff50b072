"""Tiny random models of every family, saved as transformers saves them."""

from pathlib import Path

import torch

SMALL = {
    "hidden_size": 32,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "intermediate_size": 64,
    "vocab_size": 120,
    "max_position_embeddings": 66,
}


def build(family: str, folder: Path, **changes: object) -> torch.nn.Module:
    """Save a random question-answering model of this family and return it, in eval mode."""
    import transformers as tf

    # Large random weights: with the usual 0.02 every attention is nearly uniform and errors would not show.
    spread = {"initializer_range": 0.4}
    made: dict[str, tuple[type, type, dict]] = {
        "bert": (tf.BertConfig, tf.BertForQuestionAnswering, SMALL),
        "electra": (tf.ElectraConfig, tf.ElectraForQuestionAnswering, {**SMALL, "embedding_size": 16}),
        "roberta": (
            tf.RobertaConfig,
            tf.RobertaForQuestionAnswering,
            {**SMALL, "type_vocab_size": 1, "pad_token_id": 1},
        ),
        "xlm-roberta": (
            tf.XLMRobertaConfig,
            tf.XLMRobertaForQuestionAnswering,
            {**SMALL, "type_vocab_size": 1, "pad_token_id": 1},
        ),
        "camembert": (
            tf.CamembertConfig,
            tf.CamembertForQuestionAnswering,
            {**SMALL, "type_vocab_size": 1, "pad_token_id": 1},
        ),
        "distilbert": (
            tf.DistilBertConfig,
            tf.DistilBertForQuestionAnswering,
            {
                "dim": 32,
                "n_layers": 2,
                "n_heads": 4,
                "hidden_dim": 64,
                "vocab_size": 120,
                "max_position_embeddings": 66,
            },
        ),
        "mpnet": (tf.MPNetConfig, tf.MPNetForQuestionAnswering, SMALL),
        "deberta-v2": (
            tf.DebertaV2Config,
            tf.DebertaV2ForQuestionAnswering,
            {**SMALL, "relative_attention": True, "pos_att_type": ["p2c", "c2p"], "type_vocab_size": 0},
        ),
    }
    config_class, model_class, sizes = made[family]
    torch.manual_seed(7)
    model = model_class(config_class(**{**sizes, **spread, **changes})).eval()
    for parameter in model.parameters():
        if parameter.dim() == 1:
            torch.nn.init.normal_(parameter, mean=0.5, std=0.5)
    model.save_pretrained(folder)
    return model


PACKED = ("bert", "electra", "roberta", "xlm-roberta", "camembert", "distilbert")
