"""API keys: made once, kept as hashes in one file, read again whenever that file changes."""

import hashlib
import hmac
import json
import os
import re
import secrets
import tempfile
import time
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from filelock import FileLock

from service.access.caller import SCOPES, Caller

_FORM = re.compile(r"exk_([0-9a-f]{12})_([A-Za-z0-9_-]{43})")
_NAME = re.compile(r"[\w.@+-]{1,64}")


class InvalidKey(ValueError):
    """A key that cannot be made or found; says what is allowed."""


@dataclass(frozen=True)
class Key:
    """
    One key as it is kept. Its secret is 256 random bits, so a plain SHA-256 of it cannot be reversed.

    :param expires: seconds since 1970, None for never; `revoked` likewise.
    """

    id: str
    name: str
    digest: str
    scopes: tuple[str, ...]
    user: str | None = None
    groups: tuple[str, ...] = ()
    created: float = 0.0
    expires: float | None = None
    revoked: float | None = None
    rate: float | None = None
    share: float | None = None

    def is_valid(self, now: float) -> bool:
        return self.revoked is None and (self.expires is None or now < self.expires)

    def caller(self) -> Caller:
        principals = {f"group:{group}" for group in self.groups} | ({f"user:{self.user}"} if self.user else set())
        return Caller(self.name, frozenset(self.scopes), frozenset(principals), self.rate, self.share)


class KeyFile:
    """
    The keys in `<data>/keys.json`, readable by its owner alone.

    Looking a key up costs one `stat` of the file, so that a revoked key is refused at once, in every process.
    """

    def __init__(self, data: Path) -> None:
        self.path = data / "keys.json"
        self._stamp: tuple[int, int, int] | None = None
        self._keys: dict[str, Key] = {}

    @property
    def is_configured(self) -> bool:
        """Whether there has ever been a key: then none but its holders come in, even if all are revoked."""
        return bool(self._current())

    def all(self) -> list[Key]:
        return sorted(self._current().values(), key=lambda key: key.created)

    def find(self, given: str) -> Caller | None:
        """The holder of a key, or None; takes as long for a wrong key as for a right one."""
        match = _FORM.fullmatch(given)
        key = self._current().get(match[1]) if match else None
        digest = key.digest if key else "0" * 64
        same = hmac.compare_digest(digest, _digest(given))
        return key.caller() if key is not None and same and key.is_valid(time.time()) else None

    def add(
        self,
        name: str,
        scopes: list[str],
        *,
        user: str | None = None,
        groups: list[str] | None = None,
        expires: float | None = None,
        rate: float | None = None,
        share: float | None = None,
    ) -> tuple[str, Key]:
        """
        Make a key. The secret is returned here and never again.

        :raises InvalidKey: for a name that is taken or malformed, or an unknown scope.
        """
        for label, value in (("name", name), ("user", user), *(("group", group) for group in groups or [])):
            if value is not None and not _NAME.fullmatch(value):
                raise InvalidKey(f"{label} {value!r}: 1 to 64 letters, digits, or any of . @ + - _ are allowed")
        unknown = [scope for scope in scopes if scope not in SCOPES]
        if unknown or not scopes:
            raise InvalidKey(f"scopes {unknown or 'none'}: allowed are {', '.join(SCOPES)}")
        if share is not None and not 0 < share <= 1:
            raise InvalidKey(f"share {share}: must be above 0 and at most 1")
        if rate is not None and rate <= 0:
            raise InvalidKey(f"rate {rate}: must be above 0")
        with self._changing() as keys:
            if any(key.name == name and key.revoked is None for key in keys.values()):
                raise InvalidKey(f"there is a key {name!r} already; revoke it first, or choose another name")
            secret = f"exk_{secrets.token_hex(6)}_{secrets.token_urlsafe(32)}"
            now = time.time()
            key = Key(
                secret.split("_")[1], name, _digest(secret), tuple(scopes), user, tuple(groups or ()), now,
                expires, None, rate, share,
            )  # fmt: skip
            keys[key.id] = key
        return secret, key

    def revoke(self, name_or_id: str) -> list[Key]:
        """
        Make the keys of this name, or with this id, useless from now on.

        :raises InvalidKey: when there is none.
        """
        with self._changing() as keys:
            found = [key for key in keys.values() if name_or_id in (key.name, key.id) and key.revoked is None]
            if not found:
                raise InvalidKey(f"there is no key {name_or_id!r} that could be revoked; see excerpt keys list")
            for key in found:
                keys[key.id] = replace(key, revoked=time.time())
        return found

    def _current(self) -> dict[str, Key]:
        try:
            status = os.stat(self.path)
        except FileNotFoundError:
            self._stamp, self._keys = None, {}
            return self._keys
        stamp = (status.st_mtime_ns, status.st_size, status.st_ino)
        if stamp != self._stamp:
            rows = json.loads(self.path.read_text(encoding="utf-8"))["keys"]
            self._keys = {
                row["id"]: Key(**{**row, "scopes": tuple(row["scopes"]), "groups": tuple(row["groups"])})
                for row in rows
            }
            self._stamp = stamp
        return self._keys

    @contextmanager
    def _changing(self):  # type: ignore[no-untyped-def]
        """The keys, to be changed; written back whole, by a rename, under a lock."""
        self.path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        with FileLock(str(self.path) + ".lock"):
            keys = dict(self._current())
            yield keys
            text = json.dumps({"keys": [asdict(key) for key in keys.values()]}, indent=1)
            descriptor, name = tempfile.mkstemp(dir=self.path.parent, prefix=".keys-")  # 0600
            with os.fdopen(descriptor, "w", encoding="utf-8") as file:
                file.write(text)
                file.flush()
                os.fsync(file.fileno())
            os.replace(name, self.path)


def _digest(secret: str) -> str:
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).hexdigest()
