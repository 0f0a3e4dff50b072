"""Real questions with passages, as the model at hand would be fed them: for int8 ranges and for comparing engines."""

import json
from pathlib import Path

import numpy as np

from components.encoder.ragged import Ragged
from components.models import load_tokenizer

# 100 questions with a passage of SQuAD's training set (CC BY-SA 4.0, named in its first line); every third question
# belongs to another passage, as most of what a reader reads.
_FILE = Path(__file__).with_name("int8_samples.jsonl")
_WINDOW = 384


def calibration_windows(folder: Path, max_length: int) -> Ragged:
    """
    The bundled texts by the tokenizer of this model folder, shuffled in length as they come.

    :raises components.models.ModelError: the folder has no tokenizer.
    """
    tokenizer = load_tokenizer(folder)
    tokenizer.enable_truncation(min(_WINDOW, max_length), strategy="only_second")
    lines = _FILE.read_text(encoding="utf-8").splitlines()[1:]
    pairs = [(row["question"], row["passage"]) for row in map(json.loads, lines)]
    encodings = tokenizer.encode_batch(pairs)
    return Ragged.of([each.ids for each in encodings], [each.type_ids for each in encodings])


def split_batches(windows: Ragged, size: int) -> list[Ragged]:
    """Cut into batches of ``size`` sequences."""
    return [windows.take(np.arange(at, min(at + size, len(windows)))) for at in range(0, len(windows), size)]
