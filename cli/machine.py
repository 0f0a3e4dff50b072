"""Errors of the machine in words: a full disk, too few open files, too little memory, a file that may not be read."""

import errno
import os
import resource
import shutil
from pathlib import Path

from cli.terminal.words import size

FILES_NEEDED = 256  # the database, the converters' pipes, the models: about 100 at once, and room
_watched: list[Path] = []  # folders that a command writes to, named when a disk is full

_FULL = ("disk is full", "no space left on device", "disk quota exceeded")
_TOO_MANY_FILES = ("too many open files",)
_MEMORY = (
    "cannot allocate memory",
    "out of memory",
    "bad_alloc",
    "can only be initialized once",  # PyTorch's word after a first attempt to load it failed
    "failed to map segment from shared object",
)
# Package -> the extra of pyproject.toml that brings it.
EXTRAS = {
    **dict.fromkeys(("openvino", "nncf"), "openvino"),
    **dict.fromkeys(("accelerate", "matplotlib", "scipy"), "training"),
    **dict.fromkeys(("fsspec", "s3fs"), "remote"),
    "ctranslate2": "generation",
    **dict.fromkeys(("onnx", "onnxscript", "onnxruntime"), "onnx"),
    **dict.fromkeys(
        ("hayhooks", "jwt", "prometheus_client", "httptools", "uvloop", "uvicorn", "fastapi", "mcp"), "serve"
    ),
}
_OURS = ("components", "indexing", "pipelines", "evaluation", "training", "cli", "service")


def writes_to(folder: Path) -> None:
    """Note a folder that the command writes to."""
    _watched.append(folder)


def require_descriptors() -> None:
    """
    Raise the number of files this process may open as far as it is allowed to and needs.

    :raises ValueError: when that is not enough: libraries crash instead of telling it.
    """
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    allowed = hard if hard != resource.RLIM_INFINITY else 1 << 20
    if soft != resource.RLIM_INFINITY and soft < 4096 and allowed > soft:
        soft = min(4096, allowed)
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    if soft != resource.RLIM_INFINITY and soft < FILES_NEEDED:
        raise ValueError(
            f"this process may open {soft} files at once, and Excerpt needs {FILES_NEEDED}: raise the limit "
            f"first (ulimit -n {FILES_NEEDED})"
        )


def explain(error: BaseException) -> str:
    """What happened and what to do, in a sentence."""
    chain = _chain(error)
    text = " ".join(str(one) for one in chain).lower()
    numbers = {one.errno for one in chain if isinstance(one, OSError)}
    if numbers & {errno.ENOSPC, errno.EDQUOT} or any(words in text for words in _FULL):
        return _disk_full()
    if numbers & {errno.EMFILE, errno.ENFILE} or any(words in text for words in _TOO_MANY_FILES):
        soft = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
        return f"this process may open {soft} files at once, and that is too few: raise the limit (ulimit -n 1024)"
    if any(isinstance(one, MemoryError) for one in chain) or errno.ENOMEM in numbers or any(w in text for w in _MEMORY):
        return f"there is too little memory{_memory_left()}: close other programs, or use a smaller reader"
    for one in chain:
        if isinstance(one, ModuleNotFoundError) and (extra := EXTRAS.get((one.name or "").partition(".")[0])):
            return (
                f"this needs {one.name}, which answering questions does not: pip install 'excerpt[{extra}]', or in a "
                "checkout, make setup"
            )
    if isinstance(error, OSError) and error.strerror:
        where = f"`{os.fsdecode(error.filename)}`: " if isinstance(error.filename, str | bytes) else ""
        return where + error.strerror[0].lower() + error.strerror[1:]
    message = str(error).strip()
    known = isinstance(error, ValueError | OSError) or type(error).__module__.partition(".")[0] in _OURS
    if not message:
        return f"an error without a message ({type(error).__name__}); EXCERPT_DEBUG=1 shows where"
    return message if known else f"unexpected: {message} (EXCERPT_DEBUG=1 shows where)"


def _chain(error: BaseException) -> list[BaseException]:
    found: list[BaseException] = []
    one: BaseException | None = error
    while one is not None and one not in found:
        found.append(one)
        one = one.__cause__ or one.__context__
    return found


def _disk_full() -> str:
    places = [folder for folder in (*_watched, Path(os.environ.get("TMPDIR") or "/tmp")) if _existing(folder)]  # noqa: S108
    least = min(places, key=lambda folder: shutil.disk_usage(_existing(folder)).free)
    free = shutil.disk_usage(_existing(least)).free
    return (
        f"the disk that holds `{least}` is full ({size(free)} free). Make room, then run the same command again: what "
        "was written is kept"
    )


def _existing(folder: Path) -> Path:
    """The folder, or the nearest one above it that is there."""
    folder = folder.absolute()
    return next(one for one in (folder, *folder.parents) if one.exists())


def _memory_left() -> str:
    try:
        lines = Path("/proc/meminfo").read_text(encoding="ascii").splitlines()
        left = next(int(line.split()[1]) * 1024 for line in lines if line.startswith("MemAvailable"))
    except (OSError, StopIteration, ValueError):
        left = None
    limit = resource.getrlimit(resource.RLIMIT_AS)[0]
    if limit != resource.RLIM_INFINITY:
        return f" (this process may use {size(limit)})"
    return f" ({size(left)} left)" if left is not None else ""
