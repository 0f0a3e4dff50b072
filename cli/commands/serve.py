"""`excerpt serve`: Excerpt behind HTTP, MCP and OpenAI's protocol."""

from pathlib import Path
from typing import Annotated, Any

import typer

from cli.exits import CommandError


def serve(
    pipelines: Annotated[
        str | None,
        typer.Option(
            "--pipelines",
            envvar="EXCERPT_PIPELINES",
            metavar="SET|FOLDER",
            help="A set that comes with Excerpt (embedded, elasticsearch, ranked, routed, generative, cited), or a "
            "folder of your own.",
        ),
    ] = None,
    store: Annotated[
        Path,
        typer.Option("--store", envvar="EXCERPT_STORE", metavar="FOLDER", help="Where the index lies (embedded)."),
    ] = Path(".excerpt"),
    host: Annotated[str | None, typer.Option("--host", help="Address to listen on; 127.0.0.1 by default.")] = None,
    port: Annotated[
        int | None, typer.Option("--port", min=0, max=65535, help="8000 by default; 0: a free one.")
    ] = None,
    data: Annotated[
        Path | None,
        typer.Option("--data", metavar="FOLDER", help="Keys, uploads, feedback; .excerpt-service by default."),
    ] = None,
    config: Annotated[
        Path | None, typer.Option("--config", metavar="FILE", help="Settings in YAML; docs/service.md lists them.")
    ] = None,
) -> None:
    """
    Answer questions over HTTP: POST /ask, /search, /documents, the search page, MCP, OpenAI's protocol.

    Without a key it listens on this machine alone. Make one: excerpt keys add NAME. Ends on Ctrl-C or SIGTERM, when
    what is under way is answered.
    """
    import os

    from service.server import serve as run_server
    from service.service import build_service
    from service.settings import read_settings

    given: dict[str, Any] = {"pipelines": pipelines, "host": host, "port": port, "data": data}
    settings = read_settings(config, given)
    service = build_service(settings, {**os.environ, "EXCERPT_STORE": str(store)})

    def on_start(port: int) -> None:
        name = f"[{settings.host}]" if ":" in settings.host else settings.host
        print(f"Excerpt answers at http://{name}:{port}/", flush=True)
        if not service.needs_key:
            print("No key is configured: only this machine can ask. Make one: excerpt keys add NAME", flush=True)

    try:
        run_server(service, on_start)
    except OSError as error:
        raise CommandError(f"cannot listen on {settings.host}:{settings.port}: {error.strerror}") from error
    finally:
        service.close()
