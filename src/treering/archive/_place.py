"""Second places: a directory, or a bucket that speaks S3."""

from __future__ import annotations

import os
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol
from urllib.parse import parse_qsl, urlsplit

from treering.errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from obstore.store import ClientConfig, S3Config

_CHUNK = 1 << 20
_OPTIONS = ("endpoint", "region")


class Place(Protocol):
    """Where copies go. Keys are paths with slashes; a copy is never changed."""

    def put(self, key: str, path: Path) -> None:
        """Stores a file; what is interrupted leaves nothing under the key."""

    def digest(self, key: str) -> str | None:
        """SHA-256 of what lies there, read back, in hex; `None` when nothing does."""


def place_of(address: str) -> Place:
    """The place with this address: a path, or `s3://bucket/prefix?endpoint=…&region=…`.

    Raises:
        ConfigurationError: The address cannot be used, or the package for it is missing.
    """
    return _bucket(address) if "://" in address else DirectoryPlace(address)


def digest_of(chunks: Iterator[bytes]) -> str:
    """SHA-256 of a stream, in hex."""
    digest = sha256()
    for chunk in chunks:
        digest.update(chunk)
    return digest.hexdigest()


def file_digest(path: Path) -> str:
    """SHA-256 of a file, in hex.

    Raises:
        OSError: It cannot be read.
    """
    with path.open("rb") as file:
        return digest_of(iter(lambda: file.read(_CHUNK), b""))


class DirectoryPlace:
    """A directory, e.g. of another disk. It must exist: one that is not mounted is not made."""

    def __init__(self, directory: str) -> None:
        self._directory = Path(directory)

    def put(self, key: str, path: Path) -> None:
        """Stores a file under another name first, and syncs it."""
        if not self._directory.is_dir():
            raise FileNotFoundError(2, "the second place is not there", str(self._directory))
        target = self._directory / key
        target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        draft = target.with_name(target.name + ".draft")
        flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC
        with path.open("rb") as source, open(os.open(draft, flags, 0o600), "wb") as copy:  # noqa: PTH123 - 0600 from the start
            while chunk := source.read(_CHUNK):
                copy.write(chunk)
            copy.flush()
            os.fsync(copy.fileno())
        draft.replace(target)
        descriptor = os.open(target.parent, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)

    def digest(self, key: str) -> str | None:
        """SHA-256 of what lies there."""
        try:
            return file_digest(self._directory / key)
        except FileNotFoundError:
            return None


class BucketPlace:
    """A bucket, by `obstore`.

    Args:
        store: The store, with its prefix.
        put: `obstore.put`.
        get: `obstore.get`.
    """

    def __init__(self, store: Any, put: Callable[..., Any], get: Callable[..., Any]) -> None:
        self._store, self._put, self._get = store, put, get

    def put(self, key: str, path: Path) -> None:
        """Uploads a file, a large one in parts: nothing is there until all of it is."""
        with path.open("rb") as file:
            self._put(self._store, key, file)

    def digest(self, key: str) -> str | None:
        """SHA-256 of what lies there, downloaded."""
        try:
            return digest_of(bytes(chunk) for chunk in self._get(self._store, key))
        except FileNotFoundError:
            return None


def _bucket(address: str) -> BucketPlace:
    try:
        import obstore
        from obstore.store import S3Store
    except ImportError:
        raise ConfigurationError(
            "archive_to names a bucket, which needs the package obstore: pip install treering[s3]",
            code="package_missing",
            field="archive_to",
        ) from None
    parts = urlsplit(address)
    options = dict(parse_qsl(parts.query, keep_blank_values=True))
    unknown = [name for name in options if name not in _OPTIONS]
    if parts.scheme != "s3" or not parts.netloc or "@" in parts.netloc or unknown:
        # Where somebody took it for the place of credentials, they are not repeated.
        shown = f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path}"
        raise ConfigurationError(
            f"archive_to is '{shown}{'?…' if parts.query else ''}': a directory, or"
            " s3://BUCKET/PREFIX?endpoint=https://…&region=… would be right; credentials come from"
            " the environment",
            code="setting_invalid",
            field="archive_to",
        )
    # TLS is left out only where the address says http.
    plain = options.get("endpoint", "").startswith("http://")
    config: S3Config = {}
    if "endpoint" in options:
        config["endpoint"] = options["endpoint"]
    if "region" in options:
        config["region"] = options["region"]
    prefix = parts.path.strip("/") or None
    client: ClientConfig = {"allow_http": plain}
    store = S3Store(parts.netloc, prefix=prefix, config=config, client_options=client)
    return BucketPlace(store, obstore.put, obstore.get)
