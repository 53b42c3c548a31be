"""Archiving now, and what the archive holds."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from treering import _core

if TYPE_CHECKING:
    import os
    from collections.abc import Callable


@dataclass(frozen=True, slots=True)
class Archiving:
    """What `archive` has done."""

    files: int
    records: int
    lines_bytes: int
    """Of the JSON Lines that have become files."""

    file_bytes: int


@dataclass(frozen=True, slots=True)
class ArchivedFile:
    """A file of the archive, as its footer or the file beside it tells."""

    path: Path
    bytes: int
    is_encrypted: bool
    first: int
    end: int
    """Index after the last record that it stands for."""

    records: int
    """That are in it: others were erased or pruned."""

    min_timestamp: str | None
    """RFC 3339."""

    max_timestamp: str | None
    facts: dict[str, Any]
    """All it says about itself: `docs/concepts/archive-files.md`."""


def archive(
    directory: str | os.PathLike[str],
    *,
    all: bool = False,  # noqa: A002 - as the command says it
    progress: Callable[[Archiving], object] | None = None,
) -> Archiving:
    """Turns all closed segments into files of the archive now, however young they are.

    Processes that log to the journal need not stop. Interrupted, what was archived by then stays.

    Args:
        directory: The journal.
        all: The active segment, too: it is closed first.
        progress: Called ten times a second with what was done by then.

    Raises:
        JournalUnavailable: There is no journal, its leader does not give the lead away, or a file
            cannot be written.
        JournalDamaged: A segment is damaged, or a file did not give back what was put into it; the
            JSON Lines are left then.
    """

    def tell(*done: int) -> None:
        if progress is not None:
            progress(Archiving(*done))

    return Archiving(*_core.archive_now(directory, all, tell))


def archived(directory: str | os.PathLike[str]) -> list[ArchivedFile]:
    """The files of a journal's archive, oldest first.

    Raises:
        JournalUnavailable: There is no journal, or its archive cannot be read.
        JournalDamaged: A file is not what it should be.
    """
    _core.journal_levels(directory)
    return [_file(facts) for facts in _core.archive_list(directory)]


def _file(listed: dict[str, Any]) -> ArchivedFile:
    facts = dict(listed)
    path, size, is_encrypted = (facts.pop(key) for key in ("path", "bytes", "is_encrypted"))
    return ArchivedFile(
        path=Path(path),
        bytes=size,
        is_encrypted=is_encrypted,
        first=facts["first"],
        end=facts["end"],
        records=facts["rows"],
        min_timestamp=facts["min_timestamp"],
        max_timestamp=facts["max_timestamp"],
        facts=facts,
    )
