"""
Writes docs/settings.md: every setting of the components that the pipelines' YAML names, out of their own docstrings.

    make docs
"""

import dataclasses
import inspect
import re
from pathlib import Path

from components.embedder import PassageEmbedder, QuestionEmbedder
from components.generative_reader import GenerativeReader
from components.reader import ExtractiveReader
from components.retriever import HybridRetriever
from components.routing import QuestionRouter
from components.stores.lancedb import LanceDBDocumentStore
from indexing.converter import FileConverter
from indexing.passages import PassageSplitter
from indexing.writer import SourceWriter
from training.run.settings import TrainSettings

ROOT = Path(__file__).resolve().parents[1]
COMPONENTS = (
    *(FileConverter, PassageSplitter, PassageEmbedder, SourceWriter),
    *(QuestionEmbedder, HybridRetriever, QuestionRouter, ExtractiveReader, GenerativeReader, LanceDBDocumentStore),
)
# ruff: noqa: E501 long lines of Markdown
HEAD = """\
# Settings of the components

What `init_parameters` in [index.yaml](../pipelines/embedded/index.yaml) and [ask.yaml](../pipelines/embedded/ask.yaml) take. Written by
`make docs` out of the code; do not edit by hand. The settings of the Elasticsearch store are in [elasticsearch.md](elasticsearch.md), those
of the service in [service.md](service.md), those of the command in the [README](../README.md).
"""


def settings_of(cls: type) -> dict[str, tuple[str, str]]:
    """Name -> (default as written in YAML, what the docstring says of it)."""
    told = _descriptions(f"{inspect.getdoc(cls)}\n{inspect.getdoc(cls.__init__)}")
    found = {}
    signature = inspect.signature(cls if dataclasses.is_dataclass(cls) else cls.__init__)
    for name, parameter in signature.parameters.items():
        if name != "self":
            default = "needed" if parameter.default is parameter.empty else _written(parameter.default)
            found[name] = (default, told.get(name, ""))
    return found


def _written(value: object) -> str:
    if value is None or isinstance(value, bool):
        return {None: "null", True: "true", False: "false"}[value]
    return "of its own" if "factory" in repr(value) else f"`{value}`"


def _descriptions(text: str) -> dict[str, str]:
    found = {}
    for names, words in re.findall(r":param ([\w, ]+): (.*?)(?=\n\s*:|\n\n|\Z)", text, re.DOTALL):
        for name in names.split(","):
            found[name.strip()] = " ".join(words.split()).replace("``", "`").replace("|", "\\|")
    return found


def write() -> str:
    """The whole page."""
    parts = [HEAD]
    for cls in COMPONENTS:
        module = cls.__module__.replace(".extractive_reader", "").replace("lancedb.store", "lancedb")
        parts.append(
            f"\n## {cls.__name__} (`{module}.{cls.__name__}`)\n\n| setting | default | meaning |\n| --- | --- | --- |\n"
        )
        parts += [f"| `{name}` | {default} | {words} |\n" for name, (default, words) in settings_of(cls).items()]
    parts.append(
        "\n## TrainSettings (`excerpt train`, `distil`: options, `--set NAME=VALUE`, recipes)\n\n"
        "| setting | default | meaning |\n| --- | --- | --- |\n"
    )
    parts += [f"| `{name}` | {default} | {words} |\n" for name, (default, words) in settings_of(TrainSettings).items()]
    return "".join(parts)


if __name__ == "__main__":
    (ROOT / "docs" / "settings.md").write_text(write(), encoding="utf-8")
