"""T5 and BART computed by CTranslate2: whole searches in C++, in fp32, bf16 or int8."""

import json
import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch

from components.build_cache import build_or_load, cache_folder
from components.generation.engine import Seq2SeqEngine, Written
from components.models import ModelError, model_digest

FAMILIES = ("t5", "bart")
_COMPUTE = {"fp32": "float32", "bf16": "bfloat16", "int8": "int8_float32"}
_FORMAT = 1  # of the converted folder: raise it when the conversion changes
# What a checkpoint may ask of the search (generation_config.json) and CTranslate2 would do otherwise, or not at all.
_WISHES = (
    "forced_bos_token_id", "no_repeat_ngram_size", "encoder_no_repeat_ngram_size", "repetition_penalty",
    "length_penalty", "early_stopping", "bad_words_ids", "suppress_tokens", "begin_suppress_tokens", "sequence_bias",
    "num_beam_groups", "diversity_penalty",
)  # fmt: skip


class CTranslate2Engine(Seq2SeqEngine):
    """
    As `Seq2SeqEngine`, on a CPU. The checkpoint is converted once and kept in the cache folder.

    A prompt is encoded once, its states then serve all beams. Searches are transformers' in all but one thing: how long
    a beam search goes on after the first `num_beams` texts are finished.

    :raises ModelError: for families that are not converted, and checkpoints that ask for a search of their own.
    """

    name = "ctranslate2"
    tokens_at_once = 4_096  # more at once fall out of the processor's cache

    def _load(self) -> None:
        try:
            import ctranslate2
        except ImportError as error:
            raise ModelError(
                "engine 'ctranslate2' needs CTranslate2: pip install 'excerpt[generation]', or use 'transformers'."
            ) from error
        if self.device.type != "cpu":
            raise ValueError(f"engine 'ctranslate2' computes on the CPU, not on '{self.device}': use 'transformers'.")
        if (reason := unsupported(self.folder)) is not None:
            raise ModelError(f"engine 'ctranslate2' cannot take '{self.folder}': {reason}. Use engine 'transformers'.")
        there = ctranslate2.get_supported_compute_types("cpu")
        compute = _COMPUTE.get(self.precision)
        if compute not in there:
            known = [name for name, kind in _COMPUTE.items() if kind in there]
            raise ValueError(f"precision '{self.precision}' is not to be had of CTranslate2 here: use {known}.")
        self._compute = compute
        entry = (
            cache_folder() / f"ctranslate2-{_FORMAT}-{ctranslate2.__version__}-{model_digest(self.folder)}-{compute}"
        )
        self._translator: Any = build_or_load(entry, self._convert, self._open)
        self._tokens = self.tokenizer.convert_ids_to_tokens(range(len(self.tokenizer)))
        self._ids = {token: number for number, token in enumerate(self._tokens)}
        config = json.loads((self.folder / "config.json").read_text(encoding="utf-8"))
        wishes = _generation_config(self.folder)
        end = wishes.get("eos_token_id", config.get("eos_token_id", self.tokenizer.eos_token_id))
        self._ends = list(end) if isinstance(end, list) else [int(end)]

    def _open(self, entry: Path) -> Any:
        import ctranslate2

        return ctranslate2.Translator(
            str(entry), device="cpu", compute_type=self._compute, intra_threads=torch.get_num_threads()
        )

    def _convert(self, entry: Path) -> None:
        from ctranslate2.converters import TransformersConverter

        class Converter(TransformersConverter):
            def load_model(self, model_class: Any, name: str, **settings: Any) -> Any:
                model = model_class.from_pretrained(name, use_safetensors=True, **settings)
                # transformers 5 ties embeddings in any case and keeps what the checkpoint said elsewhere; the
                # converter still asks the old field whether outputs are scaled.
                scaled = getattr(model.config, "scale_decoder_outputs", None)
                if scaled is not None:
                    model.config.tie_word_embeddings = scaled
                if model.config.model_type == "bart":  # whose config no longer holds what all of them have
                    model.config.normalize_before, model.config.normalize_embedding = False, True
                return model

            def load_tokenizer(self, tokenizer_class: Any, name: str, **settings: Any) -> Any:
                tokenizer = tokenizer_class.from_pretrained(name, **settings)
                if tokenizer.bos_token is None:  # the format wants one; nothing is begun with it
                    tokenizer.bos_token = tokenizer.eos_token
                return tokenizer

        quantised = None if self._compute == "float32" else self._compute
        Converter(str(self.folder)).convert(str(entry), quantization=quantised, force=True)

    def _write_batch(
        self, ids: Sequence[Sequence[int]], max_new_tokens: int, num_beams: int, keep_signs: bool, weigh_empty: bool
    ) -> list[Written]:
        source = [[self._tokens[number] for number in one] for one in ids]
        results = self._translator.translate_batch(
            source,
            beam_size=num_beams,
            num_hypotheses=num_beams,
            max_decoding_length=max_new_tokens,
            min_decoding_length=0,
            max_input_length=0,
            end_token=self._ends,
            return_end_token=True,  # so that it counts in a text's length, as transformers counts
            return_scores=True,
            return_logits_vocab=weigh_empty and num_beams == 1,
        )
        empty = self._empty(source, results) if weigh_empty else [math.nan] * len(source)
        return [self._best(one, value, keep_signs) for one, value in zip(results, empty, strict=True)]

    def _best(self, result: Any, empty: float, keep_signs: bool) -> Written:
        """The most probable text that ended; one that was cut off only where none ended, as transformers has it."""
        texts = [
            ([self._ids[token] for token in tokens], score)
            for tokens, score in zip(result.hypotheses, result.scores, strict=True)
        ]
        tokens, score = max(texts, key=lambda text: (bool(text[0]) and text[0][-1] in self._ends, text[1]))
        ended = bool(tokens) and tokens[-1] in self._ends
        kept = [token for token in tokens if token not in self._ends and token != self.tokenizer.pad_token_id]
        return Written(self._decode(kept, keep_signs), float(score), empty, ended)

    def _empty(self, source: list[list[str]], results: Sequence[Any]) -> list[float]:
        if results[0].logits:
            first = torch.stack([torch.from_numpy(_array(one.logits[0][0])) for one in results])
        else:  # a beam search does not show its first step
            looked = self._translator.translate_batch(
                source, beam_size=1, max_decoding_length=1, min_decoding_length=0, max_input_length=0,
                return_scores=True, return_logits_vocab=True,
            )  # fmt: skip
            first = torch.stack([torch.from_numpy(_array(one.logits[0][0])) for one in looked])
        chances: list[float] = torch.log_softmax(first.float(), -1)[:, self._ends].logsumexp(-1).tolist()
        return chances

    def write_fused(
        self, groups: Sequence[Sequence[str]], max_new_tokens: int, num_beams: int = 1, max_length: int | None = None
    ) -> list[Written]:
        """:raises ValueError: always: CTranslate2 takes texts, not the states of several."""
        raise ValueError("engine 'ctranslate2' cannot read passages fused: use engine 'transformers'.")


def unsupported(folder: Path) -> str | None:
    """Why CTranslate2 would not write as transformers does with this checkpoint; None where it would."""
    family = json.loads((folder / "config.json").read_text(encoding="utf-8")).get("model_type")
    if family not in FAMILIES:
        return f"it is a {family} model, and {', '.join(FAMILIES)} are converted"
    wishes = _generation_config(folder)
    asked = [name for name in _WISHES if wishes.get(name) not in (None, False, 0, 1)]
    return f"its generation_config.json asks for {', '.join(asked)}" if asked else None


def _generation_config(folder: Path) -> dict[str, Any]:
    file = folder / "generation_config.json"
    return dict(json.loads(file.read_text(encoding="utf-8"))) if file.is_file() else {}


def _array(view: Any) -> Any:
    import numpy as np

    return np.array(view, dtype=np.float32)
