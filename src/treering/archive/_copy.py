"""Copying the archive to its second place: once, verified, resumed where it stopped."""

from __future__ import annotations

import json
import os
import time
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any

from treering import _core
from treering.archive._place import file_digest, place_of
from treering.errors import ConfigurationError, TreeringError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from treering.archive._place import Place

NOTES = "copies.jsonl"


@dataclass(frozen=True, slots=True)
class Copied:
    """What `copy` has done."""

    to: str
    files: int
    bytes: int
    waiting: int
    """Files that another process is copying."""


@dataclass(frozen=True, slots=True)
class _Source:
    path: Path
    first: int
    end: int
    beside: Path | None = None


def copy(
    directory: str | os.PathLike[str],
    to: str | None = None,
    *,
    is_stopping: Callable[[], bool] = lambda: False,
) -> Copied:
    """Copies what the second place has not got yet: files of the archive, or closed segments without one.

    A copy is read back and compared by SHA-256 before `copies.jsonl` in the journal's directory notes it;
    retention removes nothing that is not noted there. What was copied is never changed: what is written
    anew under the same name afterwards is stored beside it.

    Args:
        directory: The journal.
        to: The place; default: the journal's `archive_to`.
        is_stopping: Asked before each file whether to stop there.

    Raises:
        ConfigurationError: There is no second place, or its address cannot be used.
        JournalUnavailable: There is no journal, or the place cannot be used.
        OSError: The place cannot be written.
    """
    journal = Path(directory)
    settings = _settings(journal)
    to = to or settings.get("retention", {}).get("archive_to")
    if not to:
        raise ConfigurationError(
            "the journal has no second place: archive_to, or the place as an argument, would be right",
            code="setting_missing",
            field="archive_to",
        )
    place, notes = place_of(to), _Notes(journal, to)
    files = size = 0
    sources = [one for one in _sources(journal, settings) if not notes.cover(one.first, one.end)]
    lock = _core.Lock(journal / "copies.lock")
    if not lock.acquire():
        return Copied(to, 0, 0, len(sources))
    try:
        for source in sources:
            if is_stopping():
                break
            copied = _copy_one(journal, place, notes, source)
            files, size = files + (copied is not None), size + (copied or 0)
    finally:
        lock.release()
    return Copied(to, files, size, 0)


def _settings(journal: Path) -> dict[str, Any]:
    _core.journal_levels(journal)
    found: dict[str, Any] = json.loads((journal / "journal.json").read_bytes())
    return found


def _sources(journal: Path, settings: dict[str, Any]) -> Iterator[_Source]:
    for facts in _core.archive_list(journal):
        path = Path(facts["path"])
        name = path.name.partition(".")[0] + ".json"
        beside = path.with_name(name) if facts["is_encrypted"] else None
        yield _Source(path, facts["first"], facts["end"], beside)
    if settings.get("archive", True):
        # They become files of the archive, and are copied then.
        return
    segments = sorted((journal / "active").glob("*.jsonl"))
    for segment, following in pairwise(segments):
        yield _Source(segment, int(segment.stem), int(following.stem))


def _copy_one(journal: Path, place: Place, notes: _Notes, source: _Source) -> int | None:
    """Bytes that were copied; `None` when the file has been replaced or removed meanwhile."""
    try:
        if source.beside is not None:
            _put(place, journal, source.beside)
        key, digest, size = _put(place, journal, source.path)
    except FileNotFoundError:
        if source.path.exists():
            raise
        return None
    notes.add(
        {"path": key, "first": source.first, "end": source.end, "sha256": digest, "bytes": size}
    )
    return size


def _put(place: Place, journal: Path, path: Path) -> tuple[str, str, int]:
    key = path.relative_to(journal).as_posix()
    digest, size = file_digest(path), path.stat().st_size
    there = place.digest(key)
    if there is not None and there != digest:
        # Written anew since: the older copy may hold more, and stays.
        name, dot, endings = path.name.partition(".")
        key = path.with_name(f"{name}-{digest[:16]}{dot}{endings}").relative_to(journal).as_posix()
        there = place.digest(key)
    if there != digest:
        place.put(key, path)
        if place.digest(key) != digest:
            raise CopyDiffers(
                f"the copy of '{path}' at '{key}' is not what was sent: it is copied again",
                code="copy_differs",
            )
    return key, digest, size


class CopyDiffers(TreeringError):
    """What was read back from the second place is not what was sent there."""


class _Notes:
    """What the place has, a line for each file, appended and synced."""

    def __init__(self, journal: Path, to: str) -> None:
        self._path, self._to = journal / NOTES, to
        self._pieces: list[tuple[int, int]] = []
        if self._path.exists():
            for line in self._path.read_bytes().splitlines():
                self._take(line)

    def _take(self, line: bytes) -> None:
        try:
            noted = json.loads(line)
            if noted["to"] == self._to:
                self._pieces.append((int(noted["first"]), int(noted["end"])))
        except (ValueError, KeyError, TypeError):
            # A death has torn it: the file is found there and noted again.
            return

    def cover(self, first: int, end: int) -> bool:
        """Whether there are copies of all records from `first` on, below `end`."""
        for begins, ends in sorted(self._pieces):
            if begins <= first < ends:
                first = ends
        return first >= end

    def add(self, noted: dict[str, Any]) -> None:
        now = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
        line = json.dumps({"to": self._to, **noted, "copied": now}).encode() + b"\n"
        descriptor = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o600)
        try:
            size = os.fstat(descriptor).st_size
            is_torn = size > 0 and os.pread(descriptor, 1, size - 1) != b"\n"
            os.write(descriptor, (b"\n" if is_torn else b"") + line)
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
        self._pieces.append((noted["first"], noted["end"]))
