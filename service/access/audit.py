"""The audit log: who was shown what, when; one JSON object a line, rotated by size."""

import json
import logging
import os
from collections.abc import Iterable
from datetime import UTC, datetime
from logging.handlers import RotatingFileHandler
from pathlib import Path
from typing import Any

from service.access.caller import Caller

KEPT = 9


class AuditLog:
    """
    Appends to `<data>/audit.jsonl`. Without `texts`, no question, answer or file name is written: documents are named
    by their ids.
    """

    def __init__(self, data: Path, megabytes: float, texts: bool = False, enabled: bool = True) -> None:
        self.path, self.texts, self.enabled = data / "audit.jsonl", texts, enabled
        self._handler: RotatingFileHandler | None = None
        if enabled:
            data.mkdir(parents=True, exist_ok=True, mode=0o700)
            self._handler = RotatingFileHandler(
                self.path, maxBytes=int(megabytes * 1e6), backupCount=KEPT, encoding="utf-8", delay=True
            )
            os.close(os.open(self.path, os.O_CREAT | os.O_APPEND, 0o600))

    def record(
        self,
        caller: Caller,
        did: str,
        request_id: str,
        *,
        documents: Iterable[str] = (),
        question: str | None = None,
        **more: Any,
    ) -> None:
        """One line. `documents` are the ids of what was shown or changed; `question` is dropped unless texts are on."""
        if self._handler is None:
            return
        line: dict[str, Any] = {
            "at": datetime.now(UTC).isoformat(timespec="milliseconds"),
            "who": caller.name,
            "did": did,
            "request_id": request_id,
            "documents": list(dict.fromkeys(documents)),
            **more,
        }
        if self.texts and question is not None:
            line["question"] = question
        text = json.dumps(line, ensure_ascii=False)
        self._handler.emit(logging.LogRecord("audit", logging.INFO, "", 0, text, None, None))

    def close(self) -> None:
        if self._handler is not None:
            self._handler.close()
