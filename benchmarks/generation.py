"""
How fast are answers written, beside transformers' own `generate`?

    python -m benchmarks.generation [--rounds 5] [--shapes small base] [--out benchmarks/results/generation.json]

Models of t5-small's and t5-base's shape with random weights, which never write an end: so every text has `--tokens`
tokens. The other side is `generate` in fp32 as its users call it, tokenizing included: one prompt after the other,
and in padded batches of eight. Ours are the engines of `components.generation`, given all prompts at once:
CTranslate2 in fp32 and in int8. All sides in turns, round by round. Told beside: how many texts are those of
`generate` one by one. Random weights are the hardest case for that, since hardly a token is more probable than the
next best.
"""

import argparse
import json
import os
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch

from benchmarks.common.hardware import hardware, summary, three

ROOT = Path(__file__).resolve().parents[1]
SHAPES = {
    "small": {"d_model": 512, "d_kv": 64, "d_ff": 2048, "num_layers": 6, "num_heads": 8},
    "base": {"d_model": 768, "d_kv": 64, "d_ff": 3072, "num_layers": 12, "num_heads": 12},
}
WORDS, VOCABULARY, BATCH = 32_000, 32_128, 8


def write_model(folder: Path, shape: str) -> None:
    """A checkpoint with random weights, and a tokenizer of one token a word."""
    from tokenizers import Tokenizer, models, pre_tokenizers, processors
    from transformers import PreTrainedTokenizerFast, T5Config, T5ForConditionalGeneration

    words = ["<pad>", "</s>", "<unk>", *(f"w{number}" for number in range(VOCABULARY - 3))]
    plain = Tokenizer(models.WordLevel({word: number for number, word in enumerate(words)}, unk_token="<unk>"))
    plain.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    plain.post_processor = processors.TemplateProcessing(single="$A </s>", special_tokens=[("</s>", 1)])
    tokenizer = PreTrainedTokenizerFast(
        tokenizer_object=plain, pad_token="<pad>", eos_token="</s>", unk_token="<unk>", model_max_length=512
    )
    tokenizer.save_pretrained(folder)
    torch.manual_seed(0)
    config = T5Config(
        vocab_size=VOCABULARY, decoder_start_token_id=0, pad_token_id=0, eos_token_id=1, tie_word_embeddings=False,
        **SHAPES[shape],
    )  # fmt: skip
    model = T5ForConditionalGeneration(config)
    # With an output layer that is the embeddings', random weights repeat the first sign for ever.
    model.lm_head.weight = torch.nn.Parameter(0.05 * torch.randn_like(model.shared.weight))
    model.save_pretrained(folder)


def make_prompts(count: int) -> list[str]:
    """Of the lengths that question and passage have: 60 to 320 tokens."""
    rng = np.random.default_rng(0)
    return [" ".join(f"w{word}" for word in rng.integers(0, WORDS, rng.integers(60, 320))) for _ in range(count)]


def sides(folder: Path, tokens: int, beams: int) -> dict[str, Callable[[list[str]], list[str]]]:
    """Name -> what writes a text for each prompt."""
    from transformers import AutoModelForSeq2SeqLM, AutoTokenizer

    from components.generation.selection import load_seq2seq

    model: Any = AutoModelForSeq2SeqLM.from_pretrained(folder).eval()
    tokenizer: Any = AutoTokenizer.from_pretrained(folder)

    def generate(prompts: list[str]) -> list[str]:
        batch = tokenizer(prompts, return_tensors="pt", padding=True)
        with torch.no_grad():
            made = model.generate(**batch, max_new_tokens=tokens, num_beams=beams, do_sample=False)
        return list(tokenizer.batch_decode(made, skip_special_tokens=True))

    def ours(precision: str) -> Callable[[list[str]], list[str]]:
        engine = load_seq2seq(str(folder), "ctranslate2", precision)

        def write(prompts: list[str]) -> list[str]:
            written = engine.write(prompts, tokens, beams, max_length=512, weigh_empty=beams == 1)
            assert not any(one.ended for one in written), "every text has the same length"
            return [one.text for one in written]

        return write

    return {
        "generate, one by one": lambda prompts: [text for one in prompts for text in generate([one])],
        "generate, padded batches": lambda prompts: [
            text for begin in range(0, len(prompts), BATCH) for text in generate(prompts[begin : begin + BATCH])
        ],
        "ours, fp32": ours("fp32"),
        "ours, int8": ours("int8"),
    }


def compare(shape: str, beams: int, tokens: int, count: int, rounds: int) -> dict[str, Any]:
    """Seconds a prompt of each side, and how many times as fast ours are, from rounds in which all take turns."""
    prompts = make_prompts(count)
    with tempfile.TemporaryDirectory() as folder:
        write_model(Path(folder), shape)
        all_sides = sides(Path(folder), tokens, beams)
        texts = {name: write(prompts) for name, write in all_sides.items()}  # and kernels are made
        spent: dict[str, list[float]] = {name: [] for name in all_sides}
        for _ in range(rounds):
            for name, write in all_sides.items():
                began = time.perf_counter()
                write(prompts)
                spent[name].append((time.perf_counter() - began) / count)
    wanted = texts["generate, one by one"]
    assert len(set(wanted)) > count / 2, "texts follow their prompts, or comparing them means nothing"
    ratios = {
        f"{our} / {their}": summary([a / b for a, b in zip(spent[their], spent[our], strict=True)])
        for our in spent if our.startswith("ours")
        for their in spent if their.startswith("generate")
    }  # fmt: skip
    return {
        "seconds_a_prompt": {name: summary(seconds) for name, seconds in spent.items()},
        "times_as_fast": ratios,
        "same_texts": {name: sum(map(str.__eq__, made, wanted)) for name, made in texts.items()},
    }


def draw(told: dict[str, Any], out: Path) -> None:
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    figure, axes = pyplot.subplots(1, len(told["runs"]), figsize=(4 * len(told["runs"]), 3.2), layout="constrained")
    for axis, (name, run) in zip(np.atleast_1d(axes), told["runs"].items(), strict=True):
        seconds = run["seconds_a_prompt"]
        for place, (side, values) in enumerate(seconds.items()):
            errors = [[values["median"] - values["min"]], [values["max"] - values["median"]]]
            colour = "tab:blue" if side.startswith("ours") else "tab:gray"
            axis.barh(place, values["median"], xerr=errors, color=colour, capsize=3)
        axis.set_yticks(range(len(seconds)), list(seconds))
        axis.invert_yaxis()
        axis.set_title(name)
        axis.set_xlabel("seconds a prompt")
    figure.suptitle(f"{told['tokens']} tokens a text, {told['machine']['processor']}, {told['machine']['cores']} cores")
    figure.savefig(out.with_suffix(".png"), dpi=110)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--prompts", type=int, default=16)
    parser.add_argument("--tokens", type=int, default=16)
    parser.add_argument("--shapes", nargs="+", choices=list(SHAPES), default=list(SHAPES))
    parser.add_argument("--beams", nargs="+", type=int, default=[1])
    parser.add_argument("--out", type=Path, default=ROOT / "benchmarks" / "results" / "generation.json")
    given = parser.parse_args()
    runs = {}
    with tempfile.TemporaryDirectory() as cache:
        os.environ["EXCERPT_CACHE"] = cache  # converted random weights are worth nothing tomorrow
        for shape in given.shapes:
            for beams in given.beams:
                name = f"t5-{shape}, {'greedy' if beams == 1 else f'{beams} beams'}"
                runs[name] = compare(shape, beams, given.tokens, given.prompts, given.rounds)
                print(name, *(f"  {key}: {three(values, 2)}" for key, values in runs[name]["times_as_fast"].items()),
                      f"  same texts: {runs[name]['same_texts']}", sep="\n", flush=True)  # fmt: skip
    machine = hardware(("torch", "transformers", "ctranslate2"))
    told = {"prompts": given.prompts, "tokens": given.tokens, "rounds": given.rounds, "machine": machine, "runs": runs}
    given.out.write_text(json.dumps(told, indent=1) + "\n", encoding="utf-8")
    draw(told, given.out)


if __name__ == "__main__":
    main()
