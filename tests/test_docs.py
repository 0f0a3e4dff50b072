"""The docs name what there is: every room, every public setting, every command; and nothing that is not there."""

import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md")])
FILES = set(
    subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True).stdout.split("\n")
)


def text(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


def test_every_room_has_its_sentence() -> None:
    # A folder of nothing but __init__.py is no room: it keeps a name that YAML files know.
    own = [
        file for file in FILES if file.endswith(".py") and (file.count("/") == 1 or not file.endswith("__init__.py"))
    ]
    rooms = {f"{Path(file).parent}/" for file in own}
    rooms = {room for room in rooms if not room.startswith(("tests/", "scripts/", "examples/", "./"))}
    rows = re.findall(r"^\| `([\w/]+/)` \| (.+) \|$", text("docs/architecture.md"), re.MULTILINE)
    told = {name for name, sentence in rows if sentence.strip()}
    missing = {room for room in rooms if room not in told and not room.startswith("service/hayhooks/")}
    assert not missing, "docs/architecture.md lacks these rooms"
    assert not {name for name in told if not (ROOT / name).is_dir()}, "docs/architecture.md names rooms that are gone"


def test_files_that_architecture_names_are_there() -> None:
    page = text("docs/architecture.md") + text("CONTRIBUTING.md")
    named = set(
        re.findall(
            r"[`\"\[>]?\b((?:cli|components|indexing|pipelines|service|training|evaluation|tests|scripts)/[\w/.]+\.(?:py|yaml))",
            page,
        )
    )
    assert len(named) > 50
    assert not sorted(name for name in named if name not in FILES)


def test_links_lead_somewhere() -> None:
    broken = []
    for page in PAGES:
        for target in re.findall(r"\]\((?!https?:)([^)#\s]+)", page.read_text(encoding="utf-8")):
            if not (page.parent / target).exists():
                broken.append(f"{page.name}: {target}")
    assert not broken


def test_every_setting_of_the_components_is_told() -> None:
    from scripts.settings import COMPONENTS, settings_of

    page = text("docs/settings.md")
    for cls in COMPONENTS:
        section = page.partition(f"## {cls.__name__} ")[2].partition("\n## ")[0]
        for name, (_, words) in settings_of(cls).items():
            assert f"| `{name}` |" in section, f"{cls.__name__}.{name}: run make docs"
            assert words, f"{cls.__name__}.{name} has no :param: in its docstring"


def test_every_setting_of_elasticsearch_service_and_training_is_told() -> None:
    import dataclasses

    from components.stores.elasticsearch.settings import ElasticsearchSettings
    from service.settings import Settings
    from training.run.settings import TrainSettings

    for fields, name in (
        ([field.name for field in dataclasses.fields(ElasticsearchSettings)], "docs/elasticsearch.md"),
        (list(Settings.model_fields), "docs/service.md"),
        ([field.name for field in dataclasses.fields(TrainSettings)], "docs/settings.md"),
    ):
        page = text(name)
        assert not [field for field in fields if f"`{field}`" not in page and f"{field}:" not in page], name


def test_every_setting_of_the_command_and_every_exit_code_is_in_the_readme() -> None:
    from cli import config, exits

    readme = text("README.md")
    for setting in config.SETTINGS:
        assert f"| `{setting.name}` | `{setting.option}` | `{setting.environment}` |" in readme
    for name, code in vars(exits).items():
        if name.isupper() and isinstance(code, int):
            assert re.search(rf"^\| (?:\d+, )?{code}(?:, \d+)? \|", readme, re.MULTILINE), name


def test_every_command_is_told_and_has_a_group() -> None:
    from typer.main import get_command

    from cli.groups import ORDER
    from cli.main import app

    pages = "".join(page.read_text(encoding="utf-8") for page in PAGES)
    for name, command in get_command(app).commands.items():  # type: ignore[attr-defined]
        assert f"excerpt {name}" in pages, f"no page tells of excerpt {name}"
        assert command.rich_help_panel in ORDER, f"excerpt {name} stands under no heading of --help"


@pytest.mark.parametrize("state", ["answer", "not_sure", "not_in_documents"])
def test_the_states_are_told_alike(state: str) -> None:
    from typing import get_args

    from pipelines.answers import State

    assert state in get_args(State)
    assert f"`{state}`" in text("README.md")
    assert f"`{state}`" in text("docs/json.md")


def test_the_picture_is_of_what_the_command_shows() -> None:
    """`make docs` draws it; this sees that nobody edited it or changed how answers are shown."""
    picture = text("docs/answer.svg").replace("&#160;", " ")
    assert "Lady Gaga" in picture and "examples/documents/super-bowl-50.pdf · page 7" in picture
    assert "@font-face" not in picture, "a font from the web"
