"""
Allows one index run at a time over an Elasticsearch index, from whichever machine, by a lease that is renewed; raises
StoreBusyError for the second.
"""

import logging
import os
import socket
import threading
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from components.stores.contract import StoreBusyError
from components.stores.elasticsearch.client.errors import ElasticsearchStoreError, cause
from components.stores.elasticsearch.client.requests import Requests

logger = logging.getLogger(__name__)
_ID = "writer"  # the document that the holder renews
BEAT = 2.0  # seconds between two renewals
# A holder that the server does not hear from stops writing after its write_timeout; only then may another one begin.
_MARGIN = 10.0
_RELEASE = 5.0


class Lease:
    """
    The one document of the index `<index>-lock`, which is apart so that versions of the index can be switched under it.

    Whether the holder is alive is seen from its renewals, by the clock of who looks (clocks of machines differ): one
    that has not renewed for its whole lease has lost it. Of a holder that ran on this machine it is known at once.

    :param requests: Sends requests.
    :param name: Of the index that is locked.
    :param write_timeout: Seconds after which a write of the holder gives up while the server is away.
    """

    def __init__(self, requests: Requests, name: str, write_timeout: float) -> None:
        self.requests, self.name, self.write_timeout = requests, name, write_timeout
        self.index = f"{name}-lock"
        self._note: dict[str, Any] = {
            "token": uuid.uuid4().hex,
            "pid": os.getpid(),
            "started": _started(os.getpid()),
            "host": socket.gethostname(),
            "machine": _machine(),
            "since": datetime.now(UTC).isoformat(timespec="seconds"),
            "lease": write_timeout + _MARGIN,
        }
        self._mark: tuple[int, int] = (0, 0)  # sequence number and term of the document as we wrote it
        self._renewed = 0.0
        self._lost: str | None = None
        self._one_at_a_time = threading.Lock()
        self._end = threading.Event()

    @contextmanager
    def held(self, wait: float) -> Iterator["Lease"]:
        """
        Hold it while the block runs.

        :param wait: seconds to wait for another run to end.
        :raises StoreBusyError: when it has not ended by then; says who it is, since when, and what to do.
        """
        self._take(wait)
        renewing = threading.Thread(target=self._keep_renewing, name="elasticsearch-lease", daemon=True)
        renewing.start()
        try:
            yield self
        finally:
            self._end.set()
            renewing.join()
            self._give_back()

    def check(self) -> None:
        """:raises StoreBusyError: when another run has taken over, because the server did not hear from this one."""
        if self._lost is None and time.monotonic() - self._renewed > self._note["lease"] / 2:
            self._renew(self.write_timeout)
        if self._lost is not None:
            raise StoreBusyError(
                f"This run was cut off from Elasticsearch, and {self._lost}. What it wrote is in the index; run it "
                "again for the rest."
            )

    def _take(self, wait: float) -> None:
        deadline = time.monotonic() + wait
        self._make_index()
        seen: tuple[int, int] | None = None
        alive, quiet_since, warned = False, time.monotonic(), False
        while True:
            note, mark = self._read()
            now = time.monotonic()
            if note is None:
                if self._write({"op_type": "create"}):
                    return
                continue
            if mark != seen:
                alive, seen, quiet_since = seen is not None, mark, now
            quiet = now - quiet_since
            if note["token"] == self._note["token"] or _is_gone(note) or quiet > note["lease"]:
                if self._write({"if_seq_no": mark[0], "if_primary_term": mark[1]}):
                    return
                continue
            if alive and now >= deadline:
                raise StoreBusyError(
                    f"{_who(note)} has been indexing into '{self.name}' since {_when(note)}. Wait for it to end "
                    "(--wait SECONDS), end it there, or give another index (EXCERPT_INDEX)."
                )
            if quiet > 2 * BEAT and not warned:
                warned = True
                alive = False
                logger.warning(
                    "%s holds '%s' since %s and gives no sign of life; taken over in %.0f s if it stays so",
                    _who(note), self.name, _when(note), note["lease"] - quiet,
                )  # fmt: skip
            time.sleep(BEAT / 8)

    def _keep_renewing(self) -> None:
        while not self._end.wait(BEAT) and self._lost is None:
            with suppress(ElasticsearchStoreError):  # tried again at the next beat; what stays is told by `check`
                self._renew(BEAT)

    def _renew(self, timeout: float) -> None:
        with self._one_at_a_time:
            if self._lost is not None or self._write(
                {"if_seq_no": self._mark[0], "if_primary_term": self._mark[1]}, timeout
            ):
                return
            note, mark = self._read()
            if note is not None and note["token"] == self._note["token"]:
                self._mark = mark  # our own renewal, whose reply was lost
            elif note is None:
                self._lost = f"its lock in '{self.index}' was deleted"
            else:
                self._lost = f"{_who(note)} has been indexing into '{self.name}' since {_when(note)}"

    def _give_back(self) -> None:
        try:
            note, mark = self._read(_RELEASE)  # anew: the reply to our last renewal may have been lost
            if note is not None and note["token"] == self._note["token"]:
                params = {"if_seq_no": mark[0], "if_primary_term": mark[1]}
                path = f"/{self.index}/_doc/{_ID}"
                self.requests.send("DELETE", path, timeout=_RELEASE, params=params, allow=(404, 409))
        except ElasticsearchStoreError as error:
            logger.warning("the lock of '%s' could not be given back and has to run out: %s", self.name, error)

    def _make_index(self) -> None:
        body = {
            "settings": {"index": {"number_of_shards": 1, "auto_expand_replicas": "0-1"}},
            "mappings": {"enabled": False},
        }
        reply = self.requests.send("PUT", f"/{self.index}", body, timeout=self.write_timeout, allow=(400,))
        kind, reason = cause(reply)
        if kind and kind != "resource_already_exists_exception":
            raise ElasticsearchStoreError(f"index {self.index} could not be made: {kind}: {reason[:300]}")

    def _read(self, timeout: float | None = None) -> tuple[dict[str, Any] | None, tuple[int, int]]:
        found = self.requests.send(
            "GET", f"/{self.index}/_doc/{_ID}", timeout=timeout or self.write_timeout, allow=(404,)
        )
        if not found.get("found"):
            return None, (0, 0)
        return found["_source"], (int(found["_seq_no"]), int(found["_primary_term"]))

    def _write(self, only_if: dict[str, Any], timeout: float | None = None) -> bool:
        """Write our note if nobody else has written meanwhile; False when somebody has."""
        path = f"/{self.index}/_doc/{_ID}"
        asked = time.monotonic()
        reply = self.requests.send(
            "PUT", path, self._note, timeout=timeout or self.write_timeout, params=only_if, allow=(409,)
        )
        if "_seq_no" not in reply:
            return False
        self._mark, self._renewed = (int(reply["_seq_no"]), int(reply["_primary_term"])), asked
        return True


def _who(note: dict[str, Any]) -> str:
    return f"Process {note['pid']} on {note['host']}"


def _when(note: dict[str, Any]) -> str:
    return str(note["since"]).replace("T", " ").replace("+00:00", " UTC")


def _is_gone(note: dict[str, Any]) -> bool:
    """Whether the holder ran where we run and does so no more. False where that cannot be known."""
    here = _machine()
    return here is not None and note["machine"] == here and _started(int(note["pid"])) != note["started"]


def _machine() -> str | None:
    """This start of this machine and, for containers, this space of process ids; None where Linux does not say so."""
    try:
        boot = Path("/proc/sys/kernel/random/boot_id").read_text().strip()
        return f"{socket.gethostname()} {boot} {os.readlink('/proc/self/ns/pid')}"
    except OSError:
        return None


def _started(pid: int) -> str | None:
    """When a process was started, in ticks since the machine was: ids are given again. None when there is none."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return None
    return None if fields[0] in ("Z", "X") else fields[19]
