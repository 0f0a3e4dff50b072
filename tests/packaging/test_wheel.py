"""Excerpt installed from its wheel, without the checkout: documents are indexed and a question is answered."""

import json
import os
import shutil
import subprocess
import sys
import sysconfig
import venv
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
LEFT_OUT = shutil.ignore_patterns(".*", "__pycache__", "tests", "build", "dist", "*.egg-info", "runs")


def run(*command: object, folder: Path) -> str:
    """What a command prints, in an environment that knows nothing of the checkout."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "EXCERPT"))}
    done = subprocess.run(
        [str(part) for part in command], cwd=folder, env=environment, capture_output=True, text=True, timeout=300
    )
    assert done.returncode == 0, f"{command}: {done.stdout[-2000:]}{done.stderr[-2000:]}"
    return done.stdout


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of an environment's commands, in which the wheel is installed.

    What Excerpt depends on is borrowed from the running environment by a path; the editable install there is not,
    because files with `.pth` are read in an environment's own folder only.
    """
    folder = tmp_path_factory.mktemp("wheel")
    shutil.copytree(ROOT, folder / "source", ignore=LEFT_OUT)  # building writes beside the sources
    build = (sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--no-build-isolation", "--wheel-dir")
    run(*build, folder / "built", folder / "source", folder=folder)
    shutil.rmtree(folder / "source")
    venv.create(folder / "environment", symlinks=True)
    python = folder / "environment" / "bin" / "python"
    own = run(python, "-c", "import sysconfig; print(sysconfig.get_path('purelib'))", folder=folder).strip()
    borrowed = {sysconfig.get_path("purelib"), sysconfig.get_path("platlib")}
    Path(own, "borrowed.pth").write_text("\n".join(borrowed) + "\n")
    (wheel,) = (folder / "built").glob("excerpt-*.whl")
    run(sys.executable, "-m", "pip", "--python", python, "install", "--quiet", "--no-deps", wheel, folder=folder)
    return python.parent


@pytest.mark.slow
def test_the_installed_command_indexes_and_answers_in_another_folder(installed: Path, tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("The lighthouse of Norderney was built in 1874. It is 54 metres tall.")
    where = run(installed / "python", "-c", "import cli.main as m; print(m.__file__)", folder=tmp_path)
    assert Path(where.strip()).is_relative_to(installed.parent)
    run(installed / "excerpt", "index", "notes.txt", folder=tmp_path)
    told = run(installed / "excerpt", "ask", "--json", "When was the lighthouse built?", folder=tmp_path)
    assert json.loads(told)["answers"][0]["answer"] == "1874"


@pytest.mark.slow
def test_all_that_the_rooms_hold_beside_code_comes_along(installed: Path) -> None:
    (site,) = installed.parent.glob("lib/python*/site-packages")
    listed = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True).stdout.split()
    rooms = {path.name for path in site.iterdir() if (path / "__init__.py").is_file() and (ROOT / path.name).is_dir()}
    assert {"cli", "components", "models", "pipelines", "training", "elasticsearch_server"} <= rooms
    assert "tests" not in rooms
    expected = {
        name for name in listed if name.partition("/")[0] in rooms and not name.startswith("benchmarks/results")
    }
    assert not [name for name in sorted(expected) if not (site / name).is_file()]
