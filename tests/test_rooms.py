"""The plan of the house holds: no imports in a circle, and rooms that can be looked over."""

import graphlib
import subprocess
from collections import Counter
from pathlib import Path

import grimp
import pytest

ROOT = Path(__file__).resolve().parents[1]
ROOMS = sorted(
    path.name for path in ROOT.iterdir() if (path / "__init__.py").is_file() and path.name not in ("tests", "models")
)


def test_no_file_imports_in_a_circle():
    graph = grimp.build_graph(*ROOMS, exclude_type_checking_imports=True, cache_dir=None)
    imports = {module: graph.find_modules_directly_imported_by(module) for module in graph.modules}
    try:
        graphlib.TopologicalSorter(imports).prepare()
    except graphlib.CycleError as error:
        pytest.fail(f"imports in a circle: {' -> '.join(error.args[1])}")


def test_no_room_has_more_than_sixteen_files():
    listed = subprocess.run(["git", "ls-files", "*.py"], cwd=ROOT, capture_output=True, text=True, check=True)
    names = [Path(name) for name in listed.stdout.split()]
    files = [name for name in names if name.name != "__init__.py" and name.parts[0] in (*ROOMS, "tests")]
    crowded = {str(room): count for room, count in Counter(file.parent for file in files).items() if count > 16}
    assert not crowded
