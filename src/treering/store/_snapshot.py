"""What a question is asked of: the files of the archive and the active records, as of one moment."""

from __future__ import annotations

import errno
import glob
import os
import threading
import time
from bisect import bisect_left
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias, TypeVar

from treering import _core
from treering.archive import identities as identities_in
from treering.errors import ConfigurationError, JournalUnavailable
from treering.store._active import Active
from treering.store._pinned import ArchiveFile, Held, Segment
from treering.store._run import too_many_files

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from typing import Any

    from treering.store._active import Part

_T = TypeVar("_T")
_Look: TypeAlias = "tuple[tuple[str, int, int, int], ...]"

_MOST_LOOKS = 50
_PAUSE_S = 0.005


@dataclass(frozen=True, eq=False)
class Snapshot:
    """A journal as of one moment; nothing of it goes away while somebody holds it.

    Attributes:
        files: The archive, in order.
        segments: Segments whose records are not in `files`, in order.
        active: The records of these segments.
        end: Index after the newest record.
    """

    files: tuple[ArchiveFile, ...]
    segments: tuple[Segment, ...]
    active: Part
    end: int

    def lines(self, indexes: list[int]) -> list[tuple[int, bytes]]:
        """The records with these indexes, which rise, as canonical lines."""
        found: list[tuple[int, bytes]] = []
        for file, inside in _shared(indexes, ((of, of.first, of.end) for of in self.files)):
            lines = _core.archive_lines_at(file.file.path, inside)
            found.extend(zip(inside, lines, strict=True))
        ends = [*(segment.first for segment in self.segments), self.end][1:]
        segments = (
            (of, max(of.first, self.active.first), end)
            for of, end in zip(self.segments, ends, strict=True)
        )
        for segment, inside in _shared(indexes, segments):
            found.extend(segment.lines(inside, self.end))
        return found


def _shared(
    indexes: list[int], places: Iterable[tuple[_T, int, int]]
) -> Iterator[tuple[_T, list[int]]]:
    """Which of the indexes, which rise, are from where to before where."""
    for place, first, end in places:
        inside = indexes[bisect_left(indexes, first) : bisect_left(indexes, end)]
        if inside:
            yield place, inside


class Snapshots:
    """Takes snapshots of a journal, and keeps what the next one will need again."""

    def __init__(
        self, directory: Path, identities: Sequence[str | os.PathLike[str]] | None
    ) -> None:
        self.directory = directory
        self._identities = identities
        self._opening: _core.Identities | None = None
        self._lock = threading.Lock()
        self._files: dict[tuple[str, int, int, int], ArchiveFile] = {}
        self._last: tuple[_Look, tuple[ArchiveFile, ...]] | None = None
        self._segments: dict[int, Segment] = {}
        self._active = Active(str(directory))

    def take(self) -> Snapshot:
        """The journal as it is now.

        Raises:
            JournalUnavailable: It cannot be read.
            JournalDamaged: A file of it is not what it should be.
            QueryTooLarge: It has more files than this process may open.
        """
        with self._lock:
            for _ in range(_MOST_LOOKS - 1):
                try:
                    return self._look()
                except OSError as error:
                    if error.errno in {errno.EMFILE, errno.ENFILE}:
                        raise too_many_files() from None
                    # Between listing and opening, a segment became a file of the archive.
                    if isinstance(error, JournalUnavailable) and not self._is_there():
                        raise
                    time.sleep(_PAUSE_S)
            return self._look()

    def _is_there(self) -> bool:
        return (self.directory / "journal.json").exists()

    def _look(self) -> Snapshot:
        # In this order: what is archived in between is then in both, never in none.
        end = _core.Reader(str(self.directory)).end
        segments = {
            int(path.stem): path for path in (self.directory / "active").glob("[0-9]*.jsonl")
        }
        files = self._archive()
        first = max((file.end for file in files), default=0)
        if segments:
            first = max(first, min(segments))
        starts = sorted(segments)
        ends = [*starts, end][1:]
        wanted = [start for start, stop in zip(starts, ends, strict=True) if stop > first]
        if any(start >= first and start not in segments for start in self._segments):
            # It went although older ones stay: some of their records are kept longer.
            self._active.forget()
        held = tuple(self._segment(start, segments[start]) for start in wanted)
        self._segments = {segment.first: segment for segment in held}
        part = self._active.part(first, end)
        try:
            for segment in held:
                if not segment.is_still(segments[segment.first]):
                    raise FileNotFoundError(segment.name)
        except OSError:
            # It went, or was written anew, before its records were read: who knows what was read.
            self._active.forget()
            raise
        return Snapshot(files, held, part, end)

    def _segment(self, first: int, path: Path) -> Segment:
        known = self._segments.get(first)
        if known is not None and known.is_still(path):
            return known
        if known is not None:
            # It was written anew because records were taken out of it: none of them may be found.
            self._active.forget()
        return Segment(path)

    def _archive(self) -> tuple[ArchiveFile, ...]:
        look = self._names()
        if self._last and self._last[0] == look:
            return self._last[1]
        files = self._listed()
        if self._names() != look:
            # What was opened need not be what was listed: a file that was merged holds more.
            raise FileNotFoundError(str(self.directory / "archive"))
        self._last = (look, files)
        return files

    def _names(self) -> _Look:
        """What lies in the archive, and which version of it."""
        pattern = f"{glob.escape(str(self.directory))}/archive/date=*/*"
        found = []
        for path in glob.iglob(pattern):  # noqa: PTH207 - paths as text, of very many files
            if path.endswith((".parquet", ".parquet.age", ".json")):
                status = os.stat(path)  # noqa: PTH116 - of very many files
                found.append((path, status.st_ino, status.st_size, status.st_mtime_ns))
        return tuple(sorted(found))

    def _listed(self) -> tuple[ArchiveFile, ...]:
        files = {}
        for listed in _core.archive_list(str(self.directory)):
            status = Path(listed["path"]).stat()
            key = (listed["path"], status.st_ino, status.st_size, status.st_mtime_ns)
            files[key] = self._files.get(key) or self._open(listed)
        self._files = files
        return tuple(sorted(files.values(), key=lambda file: file.first))

    def _open(self, listed: Mapping[str, Any]) -> ArchiveFile:
        if not listed["is_encrypted"]:
            held = Held.open(listed["path"])
            return ArchiveFile(listed["path"], lambda: held, listed)
        if self._opening is None:
            self._opening = identities_in(self._identities)
        if self._opening is None:
            raise ConfigurationError(
                f"archive '{listed['path']}' is encrypted, and no identity was given",
                code="archive_encrypted",
                path=listed["path"],
                field="identities",
                hint="open_store(directory, identities=[file]), --identity FILE, TREERING_IDENTITY=FILE",
            )
        opening = self._opening
        return ArchiveFile(listed["path"], lambda: _decrypt(listed["path"], opening), listed)


def _decrypt(path: str, opening: _core.Identities) -> Held:
    # The file is gone with its object, and so is its descriptor.
    file = _core.age_decrypt(path, opening)
    return Held(os.dup(file.fileno()))
