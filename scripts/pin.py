"""
Writes constraints.txt: the version of every package that Excerpt and its tests need, as installed in this environment.

    .venv/bin/python scripts/pin.py

Run it after a dependency was added or upgraded, in an environment in which all tests passed. Only what pyproject.toml
leads to is written, so what else happens to be installed does not leak in.
"""

import tomllib
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).resolve().parents[1]
HEAD = """\
# Every version that `make` installs, so that a fresh clone gets what the tests passed with.
# Written by scripts/pin.py; do not edit by hand.
"""


def closure(wanted: list[Requirement]) -> dict[str, str]:
    """Name -> version of everything that `wanted` leads to on this platform."""
    found: dict[str, str] = {}
    seen: set[tuple[str, frozenset[str]]] = set()
    while wanted:
        requirement = wanted.pop()
        key = (canonicalize_name(requirement.name), frozenset(requirement.extras))
        if key in seen:
            continue
        seen.add(key)
        try:
            installed = distribution(requirement.name)
        except PackageNotFoundError:
            raise SystemExit(f"{requirement.name} is needed but not installed here; install it first") from None
        found[key[0]] = installed.version.partition("+")[0]
        for line in installed.requires or ():
            needed = Requirement(line)
            extras = requirement.extras or {""}
            if needed.marker is None or any(needed.marker.evaluate({"extra": extra}) for extra in extras):
                wanted.append(needed)
    return found


def main() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    lines = [*project["dependencies"], *(line for extra in project["optional-dependencies"].values() for line in extra)]
    wanted = [Requirement(line) for line in lines]
    pinned = closure([one for one in wanted if one.name != project["name"]])  # extras that name other extras
    content = HEAD + "".join(f"{name}=={version}\n" for name, version in sorted(pinned.items()))
    (ROOT / "constraints.txt").write_text(content, encoding="utf-8")
    print(f"constraints.txt: {len(pinned)} packages")


if __name__ == "__main__":
    main()
