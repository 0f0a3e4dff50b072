"""Files to index: paragraphs of SQuAD's training articles in five formats, the same bytes at every run."""

import gzip
import html
import json
import random
from collections.abc import Iterator
from pathlib import Path

FORMATS = ("txt", "md", "html", "docx", "pdf")
PARAGRAPHS = 6  # of a file


def write_files(squad: Path, folder: Path, count: int, seed: int) -> list[Path]:
    """
    Write `count` files, each format as often as the others.

    :param squad: train-v1.1.json or .json.gz.
    :param seed: another one chooses other paragraphs.
    """
    folder.mkdir(parents=True)
    articles = list(_articles(squad))
    dice = random.Random(seed)
    files = []
    for number in range(count):
        title, paragraphs = dice.choice(articles)
        first = dice.randrange(max(1, len(paragraphs) - PARAGRAPHS))
        suffix = FORMATS[number % len(FORMATS)]
        files.append(folder / f"{number:05}.{suffix}")
        write_file(files[-1], f"{title} {number}", paragraphs[first : first + PARAGRAPHS])
    return files


def write_file(path: Path, title: str, paragraphs: list[str]) -> None:
    """One document in the format that its suffix names."""
    match path.suffix:
        case ".html":
            body = "".join(f"<p>{html.escape(one)}</p>\n" for one in paragraphs)
            path.write_text(f"<!doctype html><title>{title}</title><h1>{title}</h1>\n{body}", encoding="utf-8")
        case ".docx":
            from docx import Document

            document = Document()
            document.add_heading(title, 1)
            for one in paragraphs:
                document.add_paragraph(one)
            document.save(str(path))
        case ".pdf":
            from reportlab.lib.styles import getSampleStyleSheet
            from reportlab.platypus import Paragraph, SimpleDocTemplate

            styles = getSampleStyleSheet()
            parts = [Paragraph(html.escape(title), styles["Heading1"])]
            parts += [Paragraph(html.escape(one), styles["BodyText"]) for one in paragraphs]
            SimpleDocTemplate(str(path), invariant=1).build(parts)
        case suffix:
            text = "\n\n".join([f"# {title}" if suffix == ".md" else title, *paragraphs])
            path.write_text(text + "\n", encoding="utf-8")


def _articles(squad: Path) -> Iterator[tuple[str, list[str]]]:
    data = gzip.decompress(squad.read_bytes()) if squad.suffix == ".gz" else squad.read_bytes()
    for article in json.loads(data)["data"]:
        yield article["title"].replace("_", " "), [one["context"] for one in article["paragraphs"]]
