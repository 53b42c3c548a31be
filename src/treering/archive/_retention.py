"""Retention: what goes, why, and what keeps it; legal holds."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from treering import _core

if TYPE_CHECKING:
    import os


@dataclass(frozen=True, slots=True)
class Step:
    """A file of records that goes, wholly or but for the records that a rule keeps."""

    file: str
    """Path below the journal."""

    first: int
    end: int
    """Index after its last record."""

    why: str
    """`age`, `size`, `files` or `free_space`."""

    records: int
    """That go."""

    kept: int
    bytes: int
    """That are freed; about, when records stay."""

    oldest: str | None
    """RFC 3339."""

    newest: str | None


@dataclass(frozen=True, slots=True)
class Spared:
    """A file that a limit would take and something keeps."""

    file: str
    first: int
    end: int
    why: str
    because: str
    """`held`, `too_young`, `undelivered` or `not_copied`."""

    name: str | None
    """Of the legal hold or the output."""


@dataclass(frozen=True, slots=True)
class RetentionPlan:
    """What retention takes."""

    steps: tuple[Step, ...]
    spared: tuple[Spared, ...]
    free: int | None
    """Bytes that are free, in an emergency."""

    wanted: int | None
    """Bytes that shall be free after it."""

    missed: tuple[str, ...]
    """Limits that cannot be kept even so."""

    @property
    def records(self) -> int:
        """Records that go."""
        return sum(step.records for step in self.steps)

    @property
    def bytes(self) -> int:
        """Bytes that are freed, about."""
        return sum(step.bytes for step in self.steps)


@dataclass(frozen=True, slots=True)
class Hold:
    """A legal hold: what nobody prunes or erases until it is released."""

    name: str
    reason: str
    begin: str | None
    """RFC 3339, inclusive; `None` from the journal's beginning."""

    end: str | None
    """RFC 3339, exclusive; `None` for ever."""

    since: str
    """When it was placed."""


def retain(directory: str | os.PathLike[str], *, dry_run: bool = False) -> RetentionPlan:
    """Takes what the journal's rules take now, or shows it.

    A journal that is in use does this itself, about once a minute. The rules are the settings
    `retention_…` of the journal.

    Args:
        directory: The journal. Processes that log to it need not stop.
        dry_run: Only look: nothing is changed.

    Returns:
        What went, or would go.

    Raises:
        JournalUnavailable: There is no journal, or its leader does not give the lead away.
        JournalDamaged: A file cannot be read, or holds that cannot be read.
    """
    text = _core.retention_plan(directory) if dry_run else _core.retention_apply(directory)
    found = json.loads(text)
    emergency = found["emergency"] or {}
    return RetentionPlan(
        steps=tuple(Step(**step) for step in found["steps"]),
        spared=tuple(_spared(one) for one in found["spared"]),
        free=emergency.get("free"),
        wanted=emergency.get("wanted"),
        missed=tuple(found["missed"]),
    )


def _spared(found: dict[str, Any]) -> Spared:
    because, name = found.pop("because"), None
    if isinstance(because, dict):
        because, name = next(iter(because.items()))
    return Spared(**found, because=because, name=name)


def hold(
    directory: str | os.PathLike[str],
    name: str,
    *,
    reason: str,
    begin_ns: int | None = None,
    end_ns: int | None = None,
) -> None:
    """Places a legal hold. An AUDIT record says so.

    Args:
        directory: The journal.
        name: To release it by.
        reason: Why, for the journal.
        begin_ns: Time of the first record that is held, nanoseconds since 1970. Default: the beginning.
        end_ns: Time before which they are held. Default: for ever.

    Raises:
        JournalDamaged: There is a hold of this name, or it would hold nothing.
        JournalUnavailable: The journal's leader does not give the lead away.
    """
    _core.retention_hold(directory, name, reason, begin_ns, end_ns)


def release(directory: str | os.PathLike[str], name: str, *, reason: str | None = None) -> None:
    """Releases a legal hold. An AUDIT record says so.

    Raises:
        JournalDamaged: There is no hold of this name.
        JournalUnavailable: The journal's leader does not give the lead away.
    """
    _core.retention_release(directory, name, reason)


def holds(directory: str | os.PathLike[str]) -> list[Hold]:
    """The legal holds of a journal.

    Raises:
        JournalDamaged: They cannot be read; nothing is pruned then.
    """
    found = json.loads(_core.retention_holds(directory))
    return [Hold(begin=one.pop("from"), end=one.pop("to"), **one) for one in found]
