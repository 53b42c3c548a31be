"""Changing a sealed journal so that it says so and the rest still verifies."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from treering import _core

if TYPE_CHECKING:
    import os
    from collections.abc import Iterable


@dataclass(frozen=True, slots=True)
class Pruned:
    """What `prune` took away.

    Attributes:
        segments: Segments that are gone.
        min_index: From this index on, every record is still there.
        thinned: Segments in which only what was to be kept is left.
        records: Records of these that are gone.
        kept: Records of these that are left.
    """

    segments: int
    min_index: int
    thinned: int = 0
    records: int = 0
    kept: int = 0


def erase(
    directory: str | os.PathLike[str],
    indices: Iterable[int],
    *,
    reason: str,
    request: str | None = None,
) -> None:
    """Erases records: their lines and salts. The journal says which and why; the rest verifies.

    What remains is a commitment that nobody can test guesses against. Copies elsewhere (backups,
    receivers of outputs) are not reached. Interrupted, it is finished by calling it again.

    Args:
        directory: The journal. Processes that log to it need not stop.
        indices: Indexes of the records.
        reason: Why, for the journal.
        request: Who asked for it, e.g. a ticket number.

    Raises:
        JournalDamaged: A record is not there, or is one about the journal itself.
        JournalUnavailable: The journal's leader does not give the lead away.
    """
    _core.seal_erase(directory, list(indices), reason, request)


def prune(
    directory: str | os.PathLike[str],
    before: int,
    *,
    keep_level: str | int | None = None,
    keep_categories: Iterable[str] = (),
) -> Pruned:
    """Removes old records so that the journal says so and the rest verifies.

    Records go by whole files, segments and files of the archive: those whose records all lie below
    `before`. With something to keep, a file that holds such records is written anew without the others.

    Args:
        directory: The journal. Processes that log to it need not stop.
        before: No record from this index on goes.
        keep_level: Records of this level and above stay, e.g. `"ERROR"`.
        keep_categories: Records of these categories stay, too.

    Raises:
        ConfigurationError: A record that would go is younger than the journal's `retention_min_age_s`,
            there is no such level, or something is to be kept of an encrypted file.
        JournalUnavailable: The journal's leader does not give the lead away.
    """
    level = None if keep_level is None else _core.parse_level(keep_level)
    segments, thinned, records, kept, min_index = _core.seal_prune(
        directory, before, level, list(keep_categories)
    )
    return Pruned(segments, min_index, thinned, records, kept)


def rotate_key(directory: str | os.PathLike[str]) -> int:
    """Ends the running epoch now: its key is destroyed. Returns the number of the new epoch.

    Raises:
        JournalUnavailable: The journal's leader does not give the lead away.
    """
    return _core.seal_rotate_key(directory)
