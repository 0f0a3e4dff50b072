"""An encoder-decoder that writes: prompts in, texts with their probability out, batched by length."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from components.devices import pick_device, pick_dtype
from components.models import ModelError, resolve_model


@dataclass(frozen=True)
class Written:
    """
    What a model wrote.

    :param log_probability: mean over its tokens, the end sign included.
    :param empty_log_probability: of ending at once, without a word: the model's own "no answer".
    :param ended: False where it was cut off at `max_new_tokens`.
    """

    text: str
    log_probability: float
    empty_log_probability: float
    ended: bool


class Seq2SeqEngine:
    """
    A loaded checkpoint for `AutoModelForSeq2SeqLM`. Not for two threads at once.

    :raises ModelError: where the folder holds a model of another kind.
    """

    name = "transformers"
    tokens_at_once = 16_384

    def __init__(self, model: str, device: str = "auto", precision: str = "fp32", hub_token: str | None = None) -> None:
        from transformers import AutoConfig, AutoTokenizer

        folder: Path = resolve_model(model, hub_token)
        config = AutoConfig.from_pretrained(folder)
        if not config.is_encoder_decoder:
            raise ModelError(
                f"'{folder}' is a {config.model_type} model, which does not write: give an encoder-decoder such as T5, "
                "FLAN-T5 or BART. Extractive models belong into components.reader.ExtractiveReader."
            )
        self.folder, self.device, self.precision = folder, pick_device(device), precision
        self.tokenizer: Any = AutoTokenizer.from_pretrained(folder)
        self.signs: tuple[str, ...] = tuple(self.tokenizer.get_added_vocab())
        self._load()

    def _load(self) -> None:
        from transformers import AutoModelForSeq2SeqLM

        dtype = pick_dtype(self.precision, self.device)
        self.model: Any = AutoModelForSeq2SeqLM.from_pretrained(self.folder, dtype=dtype, use_safetensors=True)
        self.model.to(self.device).eval()
        # A checkpoint's own wishes (T5's max_length of 20) would mix with what is asked for here.
        self.model.generation_config.max_length = None
        self.model.generation_config.min_length = None

    def require_signs(self, *signs: str) -> None:
        """:raises ModelError: unless each sign is one token to this model."""
        unknown = [sign for sign in signs if len(self.tokenizer.encode(sign, add_special_tokens=False)) != 1]
        unknown += [sign for sign in signs if sign not in unknown and sign not in self.tokenizer.get_vocab()]
        if unknown:
            raise ModelError(
                f"'{self.folder}' does not know the sign(s) {', '.join(unknown)} as tokens, so it was not trained for "
                "this task. Check that added_tokens.json or tokenizer.json came along with the weights."
            )

    def count(self, texts: Sequence[str]) -> list[int]:
        """Tokens of each text, the end sign included."""
        return [len(ids) for ids in self.tokenizer(list(texts)).input_ids]

    @torch.inference_mode()
    def write(
        self,
        prompts: Sequence[str],
        max_new_tokens: int,
        num_beams: int = 1,
        max_length: int | None = None,
        tokens_at_once: int | None = None,
        keep_signs: bool = False,
        weigh_empty: bool = True,
    ) -> list[Written]:
        """
        The best text for each prompt.

        :param max_length: tokens of a prompt that are read; None: all.
        :param keep_signs: leave signs such as `<sep>` in the text; the end sign and padding always go.
        :param tokens_at_once: of prompts in a batch, padding and beams included; None: what suits the engine.
        :param weigh_empty: whether `empty_log_probability` is wanted; without, it may be nan.
        """
        if not prompts:
            return []
        written: list[Written | None] = [None] * len(prompts)
        ids = self.tokenizer(list(prompts), truncation=max_length is not None, max_length=max_length).input_ids
        at_once = self.tokens_at_once if tokens_at_once is None else tokens_at_once
        for rows in _batches([len(one) for one in ids], at_once // num_beams):
            batch = [ids[row] for row in rows]
            made = self._write_batch(batch, max_new_tokens, num_beams, keep_signs, weigh_empty)
            for row, text in zip(rows, made, strict=True):
                written[row] = text
        return [one for one in written if one is not None]

    def _write_batch(
        self, ids: Sequence[Sequence[int]], max_new_tokens: int, num_beams: int, keep_signs: bool, weigh_empty: bool
    ) -> list[Written]:
        return self._read(self._generate(self._pad(ids), max_new_tokens, num_beams), num_beams, keep_signs)

    @torch.inference_mode()
    def write_fused(
        self,
        groups: Sequence[Sequence[str]],
        max_new_tokens: int,
        num_beams: int = 1,
        max_length: int | None = None,
    ) -> list[Written]:
        """
        One text for each group of prompts: each prompt is encoded by itself, and the decoder sees the states of all of
        them (fusion in the decoder, Izacard and Grave 2021).
        """
        from transformers.modeling_outputs import BaseModelOutput

        written = []
        for prompts in groups:
            ids = self.tokenizer(list(prompts), truncation=max_length is not None, max_length=max_length).input_ids
            batch = self._pad(ids)
            states = self.model.get_encoder()(**batch).last_hidden_state
            real = batch["attention_mask"].bool()
            joined = {
                "encoder_outputs": BaseModelOutput(last_hidden_state=states[real][None]),
                "attention_mask": torch.ones((1, int(real.sum())), dtype=torch.long, device=self.device),
            }
            written += self._read(self._generate(joined, max_new_tokens, num_beams), num_beams, False)
        return written

    def _pad(self, ids: Sequence[Sequence[int]]) -> dict[str, Tensor]:
        longest = max(len(one) for one in ids)
        padding = self.model.config.pad_token_id or 0
        rows = torch.full((len(ids), longest), padding, dtype=torch.long)
        mask = torch.zeros_like(rows)
        for number, one in enumerate(ids):
            rows[number, : len(one)] = torch.tensor(one)
            mask[number, : len(one)] = 1
        return {"input_ids": rows.to(self.device), "attention_mask": mask.to(self.device)}

    def _generate(self, batch: dict[str, Any], max_new_tokens: int, num_beams: int) -> Any:
        return self.model.generate(
            **batch,
            max_new_tokens=max_new_tokens,
            num_beams=num_beams,
            do_sample=False,
            return_dict_in_generate=True,
            output_scores=True,
            output_logits=True,
        )

    def _read(self, output: Any, num_beams: int, keep_signs: bool) -> list[Written]:
        beams = {"beam_indices": output.beam_indices} if num_beams > 1 else {}
        scores = self.model.compute_transition_scores(
            output.sequences, output.scores, normalize_logits=num_beams == 1, **beams
        )
        made = output.sequences[:, 1:]
        if made.shape[1] > scores.shape[1]:  # a decoder that begins with a forced token
            made = made[:, -scores.shape[1] :]
        end, padding = self.model.generation_config.eos_token_id, self.model.config.pad_token_id
        ends = set(end if isinstance(end, list) else [end])
        first = torch.log_softmax(output.logits[0].float(), -1)[::num_beams, list(ends)].logsumexp(-1)
        written = []
        for tokens, values, empty in zip(made.tolist(), scores.tolist(), first.tolist(), strict=True):
            ended = next((place for place, token in enumerate(tokens) if token in ends), None)
            length = len(tokens) if ended is None else ended + 1
            kept = [token for token in tokens[:length] if token not in ends and token != padding]
            text = self._decode(kept, keep_signs)
            written.append(Written(text, sum(values[:length]) / max(length, 1), empty, ended is not None))
        return written

    def _decode(self, tokens: Sequence[int], keep_signs: bool) -> str:
        return str(self.tokenizer.decode(list(tokens), skip_special_tokens=not keep_signs)).strip()


def _batches(lengths: Sequence[int], tokens: int) -> list[list[int]]:
    """Numbers of the prompts, batch by batch: of like length, padded tokens within the bound."""
    batches: list[list[int]] = []
    for number in sorted(range(len(lengths)), key=lambda number: -lengths[number]):
        if batches and (len(batches[-1]) + 1) * lengths[batches[-1][0]] <= tokens:
            batches[-1].append(number)
        else:
            batches.append([number])
    return batches
