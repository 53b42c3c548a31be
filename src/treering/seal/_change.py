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
    """What `prune` took away."""

    segments: int
    min_index: int
    """Index of the oldest record that is left."""


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


def prune(directory: str | os.PathLike[str], before: int) -> Pruned:
    """Removes the segments whose records all lie below index `before`; the rest verifies.

    Raises:
        ConfigurationError: A record in them is younger than the journal's `retention_min_age_s`.
        JournalUnavailable: The journal's leader does not give the lead away.
    """
    return Pruned(*_core.seal_prune(directory, before))


def rotate_key(directory: str | os.PathLike[str]) -> int:
    """Ends the running epoch now: its key is destroyed. Returns the number of the new epoch.

    Raises:
        JournalUnavailable: The journal's leader does not give the lead away.
    """
    return _core.seal_rotate_key(directory)
