"""`excerpt --help` with its commands in groups: what people ask for, not the alphabet."""

from typing import Any

from typer.core import TyperGroup

ASK, INDEX, SERVE, READERS, MEASURE, MORE = "Ask", "Index", "Serve", "Make readers", "Measure", "More"
ORDER = (ASK, INDEX, SERVE, READERS, MEASURE, MORE)


class GroupedCommands(TyperGroup):
    """A group of commands that lists them under the headings (`rich_help_panel`) they were given."""

    def list_commands(self, ctx: Any) -> list[str]:
        """In the order in which they were added."""
        return list(self.commands)

    def format_commands(self, ctx: Any, formatter: Any) -> None:
        """One section a heading."""
        sections: dict[str, list[tuple[str, str]]] = {}
        names = self.list_commands(ctx)
        limit = formatter.width - 6 - max(map(len, names))
        for name in names:
            command = self.get_command(ctx, name)
            if command is not None and not command.hidden:
                heading = str(getattr(command, "rich_help_panel", None) or MORE)
                sections.setdefault(heading, []).append((name, command.get_short_help_str(limit)))
        for heading, rows in sorted(sections.items(), key=lambda section: ORDER.index(section[0])):
            with formatter.section(heading):
                formatter.write_dl(rows)
