"""`excerpt config`: every setting, its value, and where that comes from."""

from cli import config as settings
from cli.options import Json
from cli.terminal.text import printable
from cli.terminal.words import columns, shorten


def config(json: Json = False) -> None:
    """
    Show each setting, and where its value comes from.

    A setting is looked for in the command line, then the environment, then excerpt.toml in this folder, then your own
    excerpt.toml (~/.config/excerpt), then there is a default. A line of excerpt.toml reads: store = "~/my-index"
    """
    found = settings.values()
    if json:
        from json import dumps

        print(dumps({name: {"value": one.value, "from": one.origin} for name, one in found.items()}))
        return
    width = columns()
    for setting in settings.SETTINGS:
        one = found[setting.name]
        value = "" if one.value in ("", None) else printable(str(one.value))
        print(shorten(f"{setting.name:<10} {value or '-':<24} {one.origin}", width))
        print(shorten(f"{'':<10} {setting.help} ({setting.option}, {setting.environment})", width))
    print("\nfiles looked for, the first one wins: " + ", ".join(map(str, settings.files())))
