"""Object stores and other file systems by fsspec: s3://, gs://, az://, sftp:// and whatever it has a driver for."""

import hashlib
import json
from collections.abc import Callable, Iterator, Mapping
from pathlib import PurePosixPath
from typing import Any
from urllib.parse import urlsplit

from components.stores.contract import Source
from indexing.remote.origin import NotFetchedError, OriginError, RemoteFile
from indexing.sources import is_under

# Paths of this machine are given as paths, with the rules that hold for them; web sites have their own.
_REFUSED = {"file", "local", "http", "https", "data", "dir", "cached", "filecache", "blockcache", "simplecache", "git"}
# What drivers call the things that change with an object's content.
_VERSIONS = ("ETag", "etag", "md5Hash", "content_md5", "md5", "generation", "VersionId", "version_id")
_TIMES = ("LastModified", "last_modified", "updated", "mtime", "modified", "created")


class ObjectStore:
    """
    The objects below an address such as `s3://bucket/folder`, or the one object there.

    Credentials come from where the driver looks for them (environment, its own files, fsspec's configuration), never
    from the address, which is recorded.

    :param address: with its scheme.
    :raises OriginError: for a scheme that is not for this, and where fsspec or its driver is not installed.
    """

    def __init__(self, address: str) -> None:
        parts = urlsplit(address)
        if parts.scheme in _REFUSED or "::" in address:
            raise OriginError(f"`{address}` is no address of an object store; give a folder by its path")
        if not parts.netloc and not parts.path.strip("/"):
            raise OriginError(f"`{address}` names nothing: s3://bucket/folder does")
        if "@" in parts.netloc:
            raise OriginError(f"the address of {parts.scheme}://{parts.hostname} must not hold a name or a password")
        self.scope = address.rstrip("/")
        self.is_complete = False
        self._scheme = parts.scheme
        try:
            from fsspec.core import url_to_fs

            self._files, self._below = url_to_fs(address)
        except ImportError as error:
            raise OriginError(
                f"{parts.scheme}:// needs a driver that is not installed: pip install 'excerpt[remote]', or the one "
                f"that fsspec names ({error})"
            ) from error
        except Exception as error:  # each driver has its own
            raise OriginError(f"`{address}` cannot be opened: {error}") from error

    def files(self, known: Mapping[str, Source], max_bytes: int) -> Iterator[RemoteFile]:
        """Objects whose name, or a folder of it, begins with a dot are left out, as in folders."""
        try:
            self._files.invalidate_cache()
            found = self._files.find(self._below, detail=True)
        except Exception as error:  # each driver has its own
            raise OriginError(f"{self.scope} cannot be listed: {type(error).__name__}: {error}") from error
        if not found:
            raise OriginError(f"there is nothing at {self.scope}")
        for name, info in sorted(found.items()):
            below = name.removeprefix(self._below).strip("/")
            if info.get("type") == "directory" or any(part.startswith(".") for part in below.split("/")):
                continue
            path = f"{self.scope}/{below}" if below else self.scope
            size = int(info.get("size") or 0)
            if size > max_bytes:
                yield RemoteFile(path, problem=("too large", f"{size:,} bytes"))
                continue
            suffix = PurePosixPath(name).suffix.lower()
            fetch, said = self._fetching(name, max_bytes), _validator(info, size)
            is_same = not said and path in known and _has_hash(fetch, known[path].content_hash)
            yield RemoteFile(path, fetch, suffix, size, said, is_same)
        self.is_complete = True

    def covers(self, source: Source) -> bool:
        """Whether it is one of these."""
        return is_under(source.path, [self.scope])

    def close(self) -> None:
        """Nothing is kept."""

    def _fetching(self, name: str, max_bytes: int) -> Callable[[], bytes]:
        def fetch() -> bytes:
            try:
                with self._files.open(name, "rb") as file:
                    data = bytes(file.read(max_bytes + 1))
            except Exception as error:
                raise NotFetchedError(f"{type(error).__name__}: {error}") from error
            if len(data) > max_bytes:
                raise NotFetchedError(f"it has grown to more than {max_bytes:,} bytes")
            return data

        return fetch


def _has_hash(fetch: Callable[[], bytes], wanted: str) -> bool:
    try:
        return hashlib.sha256(fetch()).hexdigest() == wanted
    except NotFetchedError:
        return False


def _validator(info: Mapping[str, Any], size: int) -> str:
    """Empty where the driver says nothing by which a change could be told."""
    said = {key: str(info[key]) for key in _VERSIONS if info.get(key)}
    said = said or {key: str(info[key]) for key in _TIMES if info.get(key)}
    if not said:
        return ""
    return hashlib.sha256(json.dumps([size, said], sort_keys=True).encode()).hexdigest()
