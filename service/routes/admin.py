"""What an administrator's page shows: keys, sources and their state, the figures of a day, unanswered questions."""

import asyncio
import json
from collections import Counter, deque
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fastapi import APIRouter, Request, Response

from service.routes.common import ERRORS, json_response, service_of

if TYPE_CHECKING:
    from service.access.audit import AuditLog
    from service.service import Service

router = APIRouter()

_TAIL_BYTES = 4_000_000  # of the audit log that is read
_SHOWN = 100


@router.get("/admin/overview", tags=["operation"], responses={200: {"model": dict[str, Any]}, **ERRORS})
async def overview(request: Request) -> Response:
    """Keys (never their secrets), sources by state, what was asked today, and the pipelines' YAML, read-only."""
    return json_response(await asyncio.to_thread(_overview, service_of(request)))


def _overview(service: "Service") -> dict[str, Any]:
    lines = _tail(service.audit)
    today = datetime.now(UTC).date().isoformat()
    asked = [line for line in lines if "outcome" in line]  # at whichever door
    of_today = [line for line in asked if line["at"].startswith(today)]
    abstained = sum(line["outcome"] == "abstained" for line in of_today)
    midnight = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0).timestamp()
    given = service.database.rows("SELECT verdict FROM feedback WHERE created >= ?", midnight)
    verdicts = Counter(row["verdict"] for row in given)
    return {
        "keys": [
            {
                "name": key.name,
                "scopes": list(key.scopes),
                "user": key.user,
                "groups": list(key.groups),
                "expires": _iso(key.expires),
            }
            for key in service.keys.all()
            if key.revoked is None
        ],
        "sources": dict(Counter(source.state for source in service.engine.store.sources.all())),
        "today": {
            "asked": len(of_today),
            "answered": len(of_today) - abstained,
            "abstained": abstained,
            "thumbs_right": verdicts["right"],
            "thumbs_wrong": verdicts["wrong"] + verdicts["right_passage"],
        },
        "unanswered": _unanswered(asked) if service.audit.enabled and service.audit.texts else None,
        "pipelines": _pipelines(service.settings.pipelines),
    }


def _unanswered(asked: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The latest questions without an answer, the newest first, each once with how often it was asked."""
    counts: Counter[str] = Counter()
    for line in reversed(asked):
        if line["outcome"] == "abstained" and line.get("question"):
            counts[line["question"]] += 1
    return [{"question": question, "count": count} for question, count in list(counts.items())[:_SHOWN]]


def _tail(audit: "AuditLog") -> list[dict[str, Any]]:
    """The newest lines of the audit log; a line that is cut or damaged is left out."""
    if not audit.enabled or not audit.path.is_file():
        return []
    with audit.path.open("rb") as file:
        file.seek(max(0, audit.path.stat().st_size - _TAIL_BYTES))
        found: deque[dict[str, Any]] = deque()
        for line in file:
            try:
                entry = json.loads(line)
            except ValueError:
                continue
            if isinstance(entry, dict) and "did" in entry and "at" in entry:
                found.append(entry)
    return list(found)


def _pipelines(name: str) -> dict[str, str]:
    """The YAML as it lies on disk: `${NAME}` stands there, never what it is filled in with."""
    from pipelines.loader import SETS

    folder = SETS / name if (SETS / name).is_dir() else Path(name)
    return {file.name: file.read_text(encoding="utf-8", errors="replace") for file in sorted(folder.glob("*.yaml"))}


def _iso(seconds: float | None) -> str | None:
    return None if seconds is None else datetime.fromtimestamp(seconds, UTC).isoformat(timespec="seconds")
