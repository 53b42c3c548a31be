"""Bursts of one event as one record with a count."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from typing import Any

    Record = Mapping[str, Any]

WINDOW = 1000
"""Repetitions counted at most before they are told: PoseidonOS's `burst_filter_window_size`."""

# What two records of a burst have in common; they differ in time and place.
_SAME = ("level", "category", "component", "message", "event_id", "cause", "metadata", "exception")


class BurstFilter:
    """Holds back records that say the same as the one before, and tells how many there were.

    The first of a burst passes at once. Its repetitions are counted, and told by the last of them, with
    `metadata.repetition`, when the window is full, another record comes, or the output is flushed: no
    record is lost without a count. Not for several threads at once; an output writes in one.

    Args:
        window: Repetitions after which the count is told though the burst goes on.
    """

    def __init__(self, window: int = WINDOW) -> None:
        if window < 1:
            raise ValueError(f"window is {window}: a number from 1 would be right")
        self._window = window
        self._last: Record | None = None
        self._repetitions = 0

    def write(self, records: Iterable[Record]) -> list[Record]:
        """What of these records, and of those held back, is to be written now."""
        passed: list[Record] = []
        for record in records:
            last, self._last = self._last, record
            if last is not None and _is_same(last, record):
                self._repetitions += 1
                if self._repetitions == self._window:
                    passed += self._told(record)
            else:
                passed += [] if last is None else self._told(last)
                passed.append(record)
        return passed

    def flush(self) -> list[Record]:
        """The record that tells about repetitions held back, if there are any."""
        return [] if self._last is None else self._told(self._last)

    def _told(self, record: Record) -> list[Record]:
        count, self._repetitions = self._repetitions, 0
        if not count:
            return []
        metadata = {**record.get("metadata", {}), "repetition": count}
        return [{**record, "metadata": metadata}]


def _is_same(one: Record, other: Record) -> bool:
    return all(one.get(key) == other.get(key) for key in _SAME)
