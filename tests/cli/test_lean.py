"""The lean install, which `make ask` makes: questions are answered without what training, serving and engines need."""

import re
import subprocess
import sys
import tomllib
from pathlib import Path

from packaging.requirements import Requirement

from cli.machine import EXTRAS

ROOT = Path(__file__).resolve().parents[2]
# As if the packages of the extras were not installed.
WITHOUT = f"""
import importlib.util
import sys

BLOCKED = {set(EXTRAS) - {"scipy", "httpx"}!r}
real = importlib.util.find_spec
importlib.util.find_spec = lambda name, package=None: None if name in BLOCKED else real(name, package)

class Missing:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in BLOCKED:
            raise ModuleNotFoundError(f"No module named {{name!r}}", name=name)

sys.meta_path.insert(0, Missing())
from cli.main import main
main()
"""


def lean(folder: Path, *arguments: str) -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, "-c", WITHOUT, *arguments]
    return subprocess.run(
        command, cwd=folder, env={"PYTHONPATH": str(ROOT), "PATH": "/usr/bin:/bin", "HOME": str(folder)},
        capture_output=True, text=True, timeout=300, check=False,
    )  # fmt: skip


def test_questions_are_answered(indexed: Path) -> None:
    done = lean(indexed, "ask", "Who sang the national anthem at Super Bowl 50?")
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("Lady Gaga")


def test_what_is_missing_is_told_with_its_extra(indexed: Path) -> None:
    done = lean(indexed, "serve")
    assert done.returncode == 1
    assert "pip install 'excerpt[serve]'" in done.stderr, done.stderr


def test_each_package_is_an_extra_and_no_file_names_an_index() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    base = {Requirement(line).name for line in project["dependencies"]}
    for package in ("openvino", "nncf", "matplotlib", "accelerate", "onnx", "hayhooks"):
        assert package not in base
        extra = project["optional-dependencies"][EXTRAS[package]]
        assert package in {Requirement(line).name for line in extra}
    everything = next(line for line in project["optional-dependencies"]["test"] if line.startswith("excerpt"))
    # `ranking` brings a part of Haystack's own package, which cannot be told by the name of a missing module.
    # `remote` brings drivers of servers; tests use fsspec's own, which needs none.
    assert Requirement(everything).extras == {*EXTRAS.values(), "ranking"} - {"remote"}
    for name in ("Dockerfile", "docker-compose.yml", "Makefile", "pyproject.toml", "constraints.txt", "README.md"):
        text = (ROOT / name).read_text(encoding="utf-8")
        assert not re.search(r"index-url[ =]+https?:|find-links[ =]+https?:", text), name
