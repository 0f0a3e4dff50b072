"""`excerpt calibrate`: fit the ranking's weights, temperature and threshold on held-out questions."""

import json
from pathlib import Path
from typing import Annotated

import typer

from cli.options import Pipelines
from cli.progress import progress
from cli.training_options import Data


def calibrate(
    model: Annotated[
        Path, typer.Argument(metavar="MODEL", help="Folder of the reader; the calibration is written there.")
    ],
    data: Data,
    held_out: Annotated[
        int,
        typer.Option(
            "--held-out",
            min=0,
            help="Articles to fit on, where training.json does not name those it was not trained on. 0 takes all.",
        ),
    ] = 12,
    questions: Annotated[int, typer.Option("--questions", min=1, help="At most so many questions.")] = 1500,
    passages: Annotated[int, typer.Option("--passages", min=1, help="Retrieved passages read for each.")] = 20,
    pipelines: Pipelines = "embedded",
    cache: Annotated[Path, typer.Option("--cache", help="Where the index of the paragraphs is kept.")] = Path(
        "runs/cache"
    ),
    seed: Annotated[int, typer.Option("--seed", help="Which questions, when there are more.")] = 0,
) -> None:
    """
    Make a reader's probabilities mean something.

    All paragraphs of the files are indexed, the questions of held-out articles asked over the whole, and the weights
    fitted on what the reader finds; others for a passage by itself, half of the time one without an answer. The
    figures told are cross-validated over articles.
    """
    from components.models import resolve_model
    from components.reader.calibration import Calibration
    from components.reader.engines.selection import load_engine
    from components.reader.reader_core import SpanReader
    from components.reader.token_cache import PassageCache
    from components.reader.tokens import PassageTokenizer
    from evaluation.open_index import indexed
    from evaluation.squad_data import read_squad, sample, split_articles
    from pipelines.loader import load_pipeline
    from training.calibration.calibrate import calibrate as fit
    from training.calibration.calibrate import figures
    from training.calibration.ranking_features import Example, collect
    from training.calibration.reliability_plot import reliability_plot
    from training.calibration.single_passages import single_passages
    from training.card import held_out_articles
    from training.data.run_data import HELD_OUT_SEED

    unseen = held_out_articles(resolve_model(model)) if held_out else set()
    everything = read_squad(data)
    named = [article for article in everything.articles if article in unseen]
    held = everything.select(named) if named else split_articles(everything, held_out, HELD_OUT_SEED)[1]
    judged = sample(held or everything, questions, seed)
    titles = {paragraph.text: paragraph.article.replace("_", " ") for paragraph in everything.paragraphs}
    asking = load_pipeline("ask", pipelines, indexed(titles, pipelines, cache, progress))
    embedder, retriever = asking.component("QuestionEmbedder"), asking.component("HybridRetriever")
    examples: list[Example] = []
    with progress("Retrieving", len(judged.questions), "questions") as advance:
        for question in judged.questions:
            embedding = embedder.run(text=question.text)["embedding"]
            found = retriever.run(query=question.text, query_embedding=embedding, top_k=passages)["documents"]
            article = judged.paragraphs[question.paragraph].article
            examples.append(Example(question.text, found, [answer.text for answer in question.answers], article))
            advance(1)
    reading = SpanReader(load_engine(model), PassageTokenizer.load(model), Calibration(), PassageCache())
    with progress("Reading", len(examples), "questions") as advance:
        features = collect(reading, examples, advance=advance)
    single = single_passages(judged, [example.documents for example in examples], seed)
    with progress("Reading single passages", len(single), "questions") as advance:
        alone = collect(reading, single, advance=advance)
    noted = {"questions": len(examples), "passages": passages, "data": everything.digest(), "seed": seed}
    _, outcome = fit(model, features, alone, **noted)
    reliability_plot(outcome, model / "reliability.png")
    typer.echo(json.dumps(figures(outcome), indent=1))
