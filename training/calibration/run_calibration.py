"""
A reader's calibration from beginning to end: held-out questions are asked over the whole collection, the reader's spans
become features, weights are fitted on them and written into the reader's folder.

Raises ValueError where the data is no SQuAD file, the pipelines lack a component, or nothing can be fitted.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from components.models import is_seq2seq, resolve_model
from components.reader.calibration import Calibration
from evaluation.open_index import Progress, indexed
from evaluation.squad_data import SquadData, read_squad, sample, split_articles
from training.calibration.calibrate import Outcome, calibrate
from training.calibration.ranking_features import Describe, Example, collect_from
from training.calibration.reliability_plot import reliability_plot
from training.calibration.single_passages import single_passages
from training.card import held_out_articles
from training.data.run_data import HELD_OUT_SEED

if TYPE_CHECKING:
    from components.reader.reader_core import SpanReader
    from pipelines.loader import LoadedPipeline


def run_calibration(
    model: Path,
    data: Sequence[Path],
    progress: Progress,
    held_out: int = 12,
    questions: int = 1500,
    passages: int = 20,
    pipelines: str = "embedded",
    cache: Path = Path("runs/cache"),
    seed: int = 0,
) -> Outcome:
    """
    Fit the ranking's weights, temperature and threshold, and write them with their figures and a plot.

    :param model: the reader's folder: one that finds spans, or one that writes (T5, BART).
    :param data: SQuAD-format files; all their paragraphs are indexed.
    :param held_out: articles to fit on, where the model does not say which it was not trained on; 0 takes all.
    :param questions: at most so many of their questions.
    :param passages: how many are retrieved and read for each.
    :param cache: where the index is kept for the next run.
    :returns: what the ranking answers, cross-validated over articles.
    """
    from pipelines.loader import load_pipeline

    everything = read_squad(data)
    judged = choose_questions(everything, resolve_model(model), held_out, questions, seed)
    titles = {paragraph.text: paragraph.article.replace("_", " ") for paragraph in everything.paragraphs}
    asking = load_pipeline("ask", pipelines, indexed(titles, pipelines, cache, progress))
    examples = retrieve_examples(judged, asking, passages, progress)
    describe = _describe(model, asking)
    with progress("Reading", len(examples), "questions") as advance:
        features = collect_from(describe, examples, advance=advance)
    single = single_passages(judged, [example.documents for example in examples], seed)
    with progress("Reading single passages", len(single), "questions") as advance:
        alone = collect_from(describe, single, advance=advance)
    about = {"questions": len(examples), "passages": passages, "data": everything.digest(), "seed": seed}
    _, outcome = calibrate(model, features, alone, **about)
    reliability_plot(outcome, model / "reliability.png")
    return outcome


def choose_questions(data: SquadData, model: Path, held_out: int, questions: int, seed: int) -> SquadData:
    """A sample of the questions about articles that the model has not seen, as its `training.json` names them; where it
    names none of these, about `held_out` articles (0: all)."""
    unseen = held_out_articles(model) if held_out else set()
    named = [article for article in data.articles if article in unseen]
    held = data.select(named) if named else split_articles(data, held_out, HELD_OUT_SEED)[1]
    return sample(held or data, questions, seed)


def retrieve_examples(data: SquadData, asking: "LoadedPipeline", passages: int, progress: Progress) -> list[Example]:
    """Each question with the passages that the pipeline's retriever finds for it."""
    embedder, retriever = asking.component("QuestionEmbedder"), asking.component("HybridRetriever")
    if embedder is None or retriever is None:
        raise ValueError(f"{asking.path}: calibrating needs a QuestionEmbedder and a HybridRetriever in it")
    examples: list[Example] = []
    with progress("Retrieving", len(data.questions), "questions") as advance:
        for question in data.questions:
            embedding = embedder.run(text=question.text)["embedding"]
            found = retriever.run(query=question.text, query_embedding=embedding, top_k=passages)["documents"]
            article = data.paragraphs[question.paragraph].article
            examples.append(Example(question.text, found, [answer.text for answer in question.answers], article))
            advance(1)
    return examples


def _describe(model: Path, asking: "LoadedPipeline") -> Describe:
    """What a reader knows of its answers before any weight: the reader of spans, or one that writes."""
    if is_seq2seq(resolve_model(model)):
        from components.generative_reader import GenerativeReader

        # With the settings of the pipelines, where these have such a reader: the prompt decides what it writes.
        writer = asking.component("GenerativeReader") or GenerativeReader(model=str(model))
        writer.model = str(model)
        return lambda requests: writer.features([(request.query, request.documents) for request in requests])
    from components.reader.calibration_features import span_features

    reader = _open_reader(model)
    return lambda requests: span_features(reader, requests)


def _open_reader(model: Path) -> "SpanReader":
    """The reader without its old calibration: what is fitted are features from before any weight."""
    from components.reader.engines.selection import load_engine
    from components.reader.reader_core import SpanReader
    from components.reader.token_cache import PassageCache
    from components.reader.tokens import PassageTokenizer

    return SpanReader(load_engine(model), PassageTokenizer.load(model), Calibration(), PassageCache())
