"""A finished reader's official SQuAD figures, measured by the reader itself and noted in its card."""

from pathlib import Path

from evaluation.open_index import Progress
from training.card import add_official

AT_ONCE = 256  # questions handed to the reader together


def measure_official(folder: Path, file: Path, progress: Progress) -> dict[str, float | int]:
    """
    The official figures of the reader in `folder` for a SQuAD-format file, written into its card.

    :raises ValueError: when the file is not in SQuAD's format, or the folder holds no reader.
    """
    from components.reader import ExtractiveReader
    from evaluation.reading import official
    from evaluation.squad import read_questions

    questions, version = read_questions(file)
    reader = ExtractiveReader(model=str(folder))
    reader.warm_up()
    with progress(f"Reading {file.name}", len(questions), "questions") as advance:
        figures, _ = official(reader, questions, version, AT_ONCE, advance)
    add_official(folder, file.name, figures)
    return figures
