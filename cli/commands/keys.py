"""`excerpt keys`: the keys of the service, made, listed and revoked."""

import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from cli.options import Json

keys = typer.Typer(help="Keys of the service: add, list, revoke.", no_args_is_help=True)
Data = Annotated[
    Path, typer.Option("--data", envvar="EXCERPT_DATA", metavar="FOLDER", help="The service's data folder.")
]
DATA = Path(".excerpt-service")


@keys.command()
def add(
    name: Annotated[str, typer.Argument(help="Whose key it is: for the list and the audit log.")],
    data: Data = DATA,
    scopes: Annotated[
        list[str] | None,
        typer.Option("--scope", help="ask (the default), upload, admin, metrics; several are possible."),
    ] = None,
    user: Annotated[str | None, typer.Option("--user", help="As which user documents are seen.")] = None,
    groups: Annotated[list[str] | None, typer.Option("--group", help="A group the holder belongs to.")] = None,
    days: Annotated[
        float | None, typer.Option("--days", min=0, help="Valid for so many days; for ever by default.")
    ] = None,
    rate: Annotated[float | None, typer.Option("--rate", help="Questions a second at most.")] = None,
    share: Annotated[float | None, typer.Option("--share", help="Part of the queue it may fill, up to 1.")] = None,
    json: Json = False,
) -> None:
    """Make a key and print it, once: only its hash is kept."""
    from service.access.keys import KeyFile

    expires = None if days is None else time.time() + days * 86_400
    secret, key = KeyFile(data).add(
        name, scopes or ["ask"], user=user, groups=groups, expires=expires, rate=rate, share=share
    )
    if json:
        from json import dumps

        print(dumps({"id": key.id, "name": key.name, "key": secret, "scopes": list(key.scopes)}))
    else:
        print(secret)


@keys.command("list")
def list_keys(data: Data = DATA, json: Json = False) -> None:
    """List the keys: names, scopes, groups, and until when they are valid; never the keys themselves."""
    from service.access.keys import KeyFile

    rows = [
        {
            "id": key.id,
            "name": key.name,
            "scopes": list(key.scopes),
            "user": key.user,
            "groups": list(key.groups),
            "created": _moment(key.created),
            "expires": _moment(key.expires),
            "revoked": _moment(key.revoked),
            "rate": key.rate,
            "share": key.share,
        }
        for key in KeyFile(data).all()
    ]
    if json:
        from json import dumps

        print(dumps(rows, ensure_ascii=False))
        return
    for row in rows:
        state = (
            f"revoked {row['revoked']}" if row["revoked"] else f"until {row['expires']}" if row["expires"] else "valid"
        )
        names = [f"user:{row['user']}"] if row["user"] else []
        names += [f"group:{group}" for group in row["groups"]]  # type: ignore[union-attr]
        print(f"{row['id']}  {row['name']:<20} {','.join(row['scopes']):<20} {' '.join(names) or '-':<24} {state}")  # type: ignore[arg-type]
    if not rows:
        print("no keys: the service listens on this machine alone. Make one: excerpt keys add NAME")


@keys.command()
def revoke(name: Annotated[str, typer.Argument(help="A key's name or id.")], data: Data = DATA) -> None:
    """Make a key useless, at once, also in a server that runs."""
    from service.access.keys import KeyFile

    for key in KeyFile(data).revoke(name):
        print(f"revoked {key.id} {key.name}")


def _moment(seconds: float | None) -> str | None:
    return None if seconds is None else datetime.fromtimestamp(seconds, UTC).isoformat(timespec="seconds")
