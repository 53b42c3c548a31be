"""What a witness must not forget: its key, and the newest checkpoint of each log.

```text
key                   {"name": …, "seed": 64 hex digits}, 0600
<SHA-256(origin)>     the newest cosigned checkpoint of a log, about 300 bytes
*.lock                empty; held by who reads or replaces the file of that name
*.new                 a write that may have been cut short; never read
```

A file is replaced as a whole: written aside, synced, renamed, and the directory synced before anybody
hears of it. Several processes may use one directory.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from treering import _core
from treering.errors import ConfigurationError, TreeringError

if TYPE_CHECKING:
    from collections.abc import Iterator

_SEED_BYTES = 32


def log_id(origin: str) -> str:
    """The name of a log in paths and URLs: SHA-256 of its origin, hexadecimal."""
    return hashlib.sha256(origin.encode()).hexdigest()


class Store:
    """A witness's directory; made, readable by nobody else, if there is none.

    Raises:
        ConfigurationError: Others may write to the directory.
    """

    def __init__(self, directory: str | os.PathLike[str]) -> None:
        self.directory = Path(directory)
        self.directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        mode = self.directory.stat().st_mode & 0o777
        if mode & 0o022:
            raise ConfigurationError(
                f"directory '{directory}' of a witness has mode {mode:o}, 700 would be right",
                code="witness_directory_open",
                path=directory,
                hint="whoever may write there can make the witness forget",
            )

    def seed(self, name: str) -> bytes:
        """The seed of the Ed25519 key, made when there is none.

        A cosignature does not say who cosigned, so a key serves one name (C2SP tlog-cosignature).

        Raises:
            ConfigurationError: The key is another name's, or others may read it.
        """
        path = self.directory / "key"
        with self._locked("key", fcntl.LOCK_EX):
            if not path.exists():
                key = {"name": name, "seed": _core.ed25519_generate().hex()}
                _replace(path, json.dumps(key).encode() + b"\n")
            owner, seed = _read_key(path)
        if owner != name:
            raise ConfigurationError(
                f"key '{path}' is that of witness {owner!r}, not of {name!r}",
                code="witness_name_changed",
                path=path,
                field="name",
                hint="a witness of another name needs a directory of its own",
            )
        return seed

    def newest(self, log: str) -> bytes | None:
        """The checkpoint of a log, given by its `log_id`; waits until it is durable."""
        with self._locked(log, fcntl.LOCK_SH):
            return Slot(self.directory / log).checkpoint

    @contextmanager
    def held(self, log: str) -> Iterator[Slot]:
        """A log's checkpoint, which nobody else can read or replace meanwhile."""
        with self._locked(log, fcntl.LOCK_EX):
            yield Slot(self.directory / log)

    @contextmanager
    def _locked(self, name: str, mode: int) -> Iterator[None]:
        # A descriptor of its own for each holder: such locks exclude threads as well as processes.
        descriptor = os.open(self.directory / f"{name}.lock", os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(descriptor, mode)
            yield
        finally:
            os.close(descriptor)


class Slot:
    """The place of one log's checkpoint while it is held."""

    def __init__(self, path: Path) -> None:
        self._path = path

    @property
    def checkpoint(self) -> bytes | None:
        """What is stored; `None` before the first."""
        try:
            return self._path.read_bytes()
        except FileNotFoundError:
            return None

    def replace(self, checkpoint: bytes) -> None:
        """Stores `checkpoint`, durably when this returns."""
        _replace(self._path, checkpoint)


def damaged(path: Path) -> TreeringError:
    """The error of a file that does not hold what the witness wrote."""
    return TreeringError(
        f"file '{path}' does not hold what the witness wrote",
        code="witness_damaged",
        path=path,
        hint="a witness that has lost what it knew must start anew, with a new key",
    )


def _read_key(path: Path) -> tuple[str, bytes]:
    mode = path.stat().st_mode & 0o777
    if mode & 0o077:
        raise ConfigurationError(
            f"key '{path}' has mode {mode:o}, 600 would be right",
            code="witness_key_open",
            path=path,
            hint="others may have read it: start anew, with a new key",
        )
    try:
        key = json.loads(path.read_bytes())
        name, seed = key["name"], bytes.fromhex(key["seed"])
    except (ValueError, TypeError, KeyError):
        raise damaged(path) from None
    if len(seed) != _SEED_BYTES:
        raise damaged(path)
    return name, seed


def _replace(path: Path, content: bytes) -> None:
    aside = path.with_name(f"{path.name}.new")
    flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW
    with os.fdopen(os.open(aside, flags, 0o600), "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    aside.rename(path)
    directory = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(directory)
    finally:
        os.close(directory)
