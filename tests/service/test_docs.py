"""docs/service.md against the code: every address, setting and default stands in it."""

import re
from pathlib import Path

from service.load.routes import ROUTES
from service.settings import Settings

TEXT = (Path(__file__).resolve().parents[2] / "docs" / "service.md").read_text(encoding="utf-8")


def _table(heading: str) -> dict[str, list[str]]:
    section = TEXT.split(f"\n## {heading}\n")[1].split("\n## ")[0]
    lines = [line for line in section.splitlines() if line.startswith("| `")]
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]
    return {row[0].strip("`"): row[1:] for row in rows}


def test_every_address_is_told_with_its_scope() -> None:
    told = _table("Addresses")
    known = {route.name: route.scope or ("none" if route.public else "any key") for route in ROUTES}
    known["GET /"] = "none"
    assert {name: row[0] for name, row in told.items() if re.match("[A-Z]+ /", name)} == known


def test_every_setting_is_told_with_its_default() -> None:
    told = _table("Settings")
    assert set(told) == set(Settings.model_fields)
    for name, field in Settings.model_fields.items():
        default = field.default
        if default is None or default == []:
            default = "none"
        elif isinstance(default, bool):
            default = str(default).lower()
        elif isinstance(default, float):
            default = f"{default:g}"
        assert told[name] == [str(default), field.description], name
