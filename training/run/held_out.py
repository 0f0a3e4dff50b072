"""How good is the reader so far? Read whole held-out articles as the reader reads, and score as SQuAD does."""

from dataclasses import replace

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from components.encoder.ragged import Ragged
from components.reader.spans import null_scores, top_spans
from components.reader.tokens import PassageTokenizer
from components.reader.windows import WindowSize, cut_windows
from evaluation.squad import score_question
from evaluation.squad_data import SquadData, sample
from training.data.made_questions import make_unanswerable

MAX_ANSWER_TOKENS = 30


class HeldOut:
    """Held-out questions: each with its own paragraph, the answerable ones also with wrong passages retrieval finds.

    :param wrong: wrong paragraphs of each question, int32 (questions, n), -1 where there is none.
    """

    def __init__(
        self,
        data: SquadData,
        tokenizer: PassageTokenizer,
        size: WindowSize,
        wrong: NDArray[np.int32],
        batch_tokens: int,
    ) -> None:
        self.data, self.batch_tokens = data, batch_tokens
        passages = tokenizer.encode([paragraph.text for paragraph in data.paragraphs])
        questions = [tokens.ids for tokens in tokenizer.encode([question.text for question in data.questions])]
        pairs: list[tuple[int, int]] = []
        for number, question in enumerate(data.questions):
            pairs.append((number, question.paragraph))
            if question.answers:
                pairs += [(number, paragraph) for paragraph in wrong[number].tolist() if paragraph >= 0]
        self.pairs = np.array(pairs)
        self._passages = passages
        self.windows = cut_windows(
            tokenizer.layout, [questions[q] for q, _ in pairs], [passages[p] for _, p in pairs], size
        )

    @torch.no_grad()
    def evaluate(self, model: nn.Module) -> dict[str, float]:
        """Figures in percent.

        `f1`, `exact`: best span of its own paragraph (SQuAD 1.1). `open_f1`, `open_exact`: best of span less null score
        over all its passages. `v2_f1`: mean over answerable and unanswerable questions, where null above span refuses
        (SQuAD 2.0's balance). `score`: the mean of those that there are, which early stop and selection go by.
        """
        texts, margins = self._read(model)
        own: dict[str, list[float]] = {"f1": [], "exact": [], "open_f1": [], "open_exact": []}
        answered, refused = [], []
        first = np.searchsorted(self.pairs[:, 0], np.arange(len(self.data.questions) + 1))
        for number, question in enumerate(self.data.questions):
            begin, end = first[number], first[number + 1]
            golds = [answer.text for answer in question.answers]
            if not golds:
                refused.append(float(margins[begin] <= 0))
                continue
            exact, f1 = score_question(texts[begin], golds, "1.1")
            own["f1"].append(f1)
            own["exact"].append(exact)
            answered.append(f1 if margins[begin] > 0 else 0.0)
            if end > begin + 1:
                best = begin + int(np.argmax(margins[begin:end]))
                exact, f1 = score_question(texts[best], golds, "1.1")
                own["open_f1"].append(f1)
                own["open_exact"].append(exact)
        figures = {name: 100 * float(np.mean(values)) for name, values in own.items() if values}
        if refused and answered:
            figures["v2_f1"] = 50 * float(np.mean(answered) + np.mean(refused))
        elif refused:
            figures["v2_f1"] = 100 * float(np.mean(refused))
        judged = [figures[name] for name in ("f1", "open_f1", "v2_f1") if name in figures]
        return {"score": float(np.mean(judged)), **figures}

    def _read(self, model: nn.Module) -> tuple[list[str], NDArray[np.float64]]:
        """Best answer of each pair, and its span score less its window's null score (-inf for an empty passage)."""
        windows = self.windows
        start, end = padded_logits(model, windows.batch, self.batch_tokens)
        null = torch.from_numpy(windows.batch.starts[:-1])
        begin = null + torch.from_numpy(windows.context)
        spans = top_spans(start, end, begin, torch.from_numpy(windows.context_length), 1, MAX_ANSWER_TOKENS)
        margin = (spans.score[:, 0] - null_scores(start, end, null)).double().numpy()
        texts, margins = [""] * len(self.pairs), np.full(len(self.pairs), -np.inf)
        for window, pair in enumerate(windows.pair.tolist()):
            if margin[window] > margins[pair]:
                margins[pair] = margin[window]
                paragraph = self.pairs[pair, 1]
                tokens, shift = self._passages[paragraph], int(windows.first_token[window])
                a, b = (int(side[window, 0]) + shift for side in (spans.start, spans.end))
                texts[pair] = self.data.paragraphs[paragraph].text[int(tokens.starts[a]) : int(tokens.ends[b])]
        return texts, margins


def held_out_questions(data: SquadData, questions: int, seed: int) -> SquadData:
    """The questions to judge by: a sample, and half as many made unanswerable by rule where the data has none."""
    drawn = sample(data, questions, seed)
    if any(not question.answers for question in drawn.questions):
        return drawn
    made = sample(replace(drawn, questions=tuple(make_unanswerable(drawn, seed))), max(questions // 2, 1), seed)
    return replace(drawn, questions=drawn.questions + made.questions)


@torch.no_grad()
def padded_logits(model: nn.Module, batch: Ragged, batch_tokens: int) -> tuple[torch.Tensor, torch.Tensor]:
    """Start and end logits of every token of a ragged batch, float32 (total,) on the CPU."""
    device = next(model.parameters()).device
    known = getattr(model, "config", None)
    was_training = model.training
    model.eval()
    start, end = torch.empty(batch.total), torch.empty(batch.total)
    for rows in batch.within_budget(batch_tokens, padded=True):
        part = batch.take(rows)
        real = torch.arange(part.longest) < torch.from_numpy(part.lengths)[:, None]
        ids, types = torch.zeros(real.shape, dtype=torch.long), torch.zeros(real.shape, dtype=torch.long)
        ids[real], types[real] = torch.from_numpy(part.ids).long(), torch.from_numpy(part.types).long()
        kinds = {"token_type_ids": types.to(device)} if getattr(known, "type_vocab_size", 0) > 1 else {}
        output = model(input_ids=ids.to(device), attention_mask=real.long().to(device), **kinds)
        places = torch.from_numpy(batch.token_indices(rows))
        start[places] = output.start_logits.float().cpu()[real]
        end[places] = output.end_logits.float().cpu()[real]
    model.train(was_training)
    return start, end
