"""excerpt.toml: the folder's before the user's, below environment and options, and mistakes are named."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from cli import config
from cli.exits import CommandError

Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "home"))
    for setting in config.SETTINGS:
        monkeypatch.delenv(setting.environment, raising=False)
    (tmp_path / "home" / "excerpt").mkdir(parents=True)
    return tmp_path / "home" / "excerpt" / "excerpt.toml"


def test_the_nearer_file_wins_and_the_environment_before_both(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    home.write_text('store = "mine"\ntop_k = 7\nwait = 2\n')
    Path("excerpt.toml").write_text("top_k = 5\n")
    monkeypatch.setenv("EXCERPT_WAIT", "9")
    found = config.values()
    assert (found["top_k"].value, found["top_k"].origin) == (5, "excerpt.toml")
    assert (found["store"].value, found["store"].origin) == (str(home.parent / "mine"), str(home))
    assert (found["wait"].value, found["wait"].origin) == ("9", "environment, EXCERPT_WAIT")
    assert (found["pipelines"].value, found["pipelines"].origin) == ("embedded", "default")
    assert config.default_map()["ask"] == {"store": str(home.parent / "mine"), "top_k": 5}
    assert config.default_map()["index"]["wait"] == 2


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("topk = 3", r"excerpt.toml: `topk` is no setting; did you mean top_k\?"),
        ('top_k = "three"', "`top_k` is 'three'; it must be a whole number"),
        ("store = 3", "`store` is 3; it must be text in quotes"),
        ("keep_warm = true", "`keep_warm` is True; it must be a number"),
        ("top_k = ", "is not valid TOML"),
    ],
)
def test_mistakes_name_the_file(home: Path, text: str, words: str) -> None:
    Path("excerpt.toml").write_text(text)
    with pytest.raises(CommandError, match=words):
        config.values()


def test_it_reaches_the_commands_and_options_go_before_it(inside: Run) -> None:
    Path("excerpt.toml").write_text("top_k = 1\n")
    try:
        question = ("ask", "Who", "sang", "the", "national", "anthem", "at", "Super", "Bowl", "50?", "--json")
        assert len(json.loads(inside(*question)[1])["answers"]) == 1
        assert len(json.loads(inside(*question, "--top-k", 2)[1])["answers"]) == 2
        told = json.loads(inside("config", "--json")[1])
        assert told["top_k"] == {"value": 1, "from": "excerpt.toml"}
    finally:
        Path("excerpt.toml").unlink()


def test_every_setting_is_an_option_somewhere() -> None:
    """Of the name and with the environment variable that `excerpt config` tells."""
    from typer.main import get_command

    from cli.main import app

    commands = get_command(app).commands  # type: ignore[attr-defined]
    for setting in config.SETTINGS:
        assert setting.commands
        for name in setting.commands:
            option = next((one for one in commands[name].params if setting.option in one.opts), None)
            assert option is not None, (setting.name, name)
            assert option.envvar == setting.environment
