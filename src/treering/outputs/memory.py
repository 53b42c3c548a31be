"""The newest records, kept in memory to be looked at."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from treering import _core
from treering._levels import level_number
from treering.errors import BufferFull
from treering.outputs._batch import Record
from treering.outputs._output import Output, option, values

if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Any

    from treering.outputs._batch import Batch

_NS_PER_S = 1_000_000_000


class MemoryOutput(Output):
    """Keeps records natively, within two bounds. Any thread may read it while it is written to.

    As a fallback it keeps what the output before it missed, and gives it back in order when that one
    can write again; `when_full="refuse"` then has the journal wait rather than lose the oldest.

    Args:
        name: As for every output.
        max_records: It holds at most so many.
        max_bytes: Their canonical lines have at most so many bytes together. A longer record is refused
            for good, and counted.
        when_full: `drop_oldest` makes room and counts (`dropped`); `refuse` takes no more until
            something is taken out.
        **common: As for every output; a `format` is without effect.

    Raises:
        ConfigurationError: An argument cannot be used.
    """

    kind = "memory"
    options = (
        option(
            "max_records",
            values.whole(1, 1 << 32),
            10_000,
            "a whole number from 1",
            "How many records it holds.",
        ),
        option(
            "max_bytes",
            values.bytes_between(1, 1 << 40),
            16 << 20,
            "a size of 1 byte or more",
            "How many bytes their canonical lines have together.",
        ),
        option(
            "when_full",
            values.one_of("drop_oldest", "refuse"),
            "drop_oldest",
            "drop_oldest or refuse",
            "Whether the oldest records make room, or new ones are not taken.",
        ),
    )

    def __init__(
        self,
        name: str | None = None,
        *,
        max_records: int = 10_000,
        max_bytes: int | str = 16 << 20,
        when_full: str = "drop_oldest",
        **common: Any,
    ) -> None:
        super().__init__(name, **common)
        given = {"max_records": max_records, "max_bytes": max_bytes, "when_full": when_full}
        for option_ in self.options:
            if given[option_.name] is None:
                raise self.bad_option(option_.name, None, option_.wanted)
        read = self.read_options(given)
        self._buffer = _core.RecordBuffer(
            read["max_records"], read["max_bytes"], read["when_full"] == "refuse"
        )
        self._held_from = 0

    def write(self, batch: Batch) -> int:
        """Keeps the batch.

        Returns:
            How many records are larger than everything it may hold.

        Raises:
            BufferFull: It is full and to refuse then.
        """
        taken, too_large = self._buffer.append(batch.data, batch.indexes)
        if taken < len(batch):
            raise BufferFull(
                f"output '{self.name}' is full with {len(self)} records", accepted=taken
            )
        return too_large

    def records(
        self,
        newest: int | None = None,
        *,
        filter: _core.Filter | None = None,  # noqa: A002 - the word of the field
    ) -> list[Record]:
        """What it holds, oldest first.

        Args:
            newest: Only so many of the newest that match.
            filter: Only records that match.
        """
        return _records(self._buffer.records(newest, filter))

    def search(
        self,
        text: str | None = None,
        *,
        level: object = None,
        component: str | None = None,
        category: str | None = None,
        since: datetime | str | float | None = None,
        until: datetime | str | float | None = None,
        newest: int | None = None,
    ) -> list[Record]:
        """Records that match all that is asked for, oldest first.

        Args:
            text: Occurs anywhere in the canonical line, in any case.
            level: The least level, by name or number.
            component: `auth` is it and everything below it, `auth.*` what is below, `auth*` what begins so.
            category: The category.
            since: The earliest time: RFC 3339 text, a `datetime`, or seconds since the epoch.
            until: The time before which they were logged.
            newest: Only so many of the newest.

        Raises:
            ValueError: A level or a time cannot be read.
        """
        wanted = _core.Filter(
            level=None if level is None else level_number(level),
            component=component,
            category=category,
            since_ns=_nanoseconds(since),
            until_ns=_nanoseconds(until),
            grep=text,
            journal=True,
        )
        return self.records(newest, filter=wanted)

    def drain(self) -> list[Record]:
        """Takes everything out, oldest first."""
        return _records(self._buffer.drain())

    def clear(self) -> None:
        """Forgets everything."""
        self._buffer.drain()

    def __len__(self) -> int:
        return len(self._buffer)

    def __bool__(self) -> bool:
        """An output is one, also while it is empty."""
        return True

    def held(self, count: int) -> list[Record]:
        """The oldest `count`, for the output that it stands in for."""
        self._held_from, found = self._buffer.oldest(count)
        return _records(found)

    def let_go(self, count: int) -> None:
        """Forgets the first `count` of what `held` gave last."""
        self._buffer.let_go(self._held_from + count)

    def statistics(self) -> dict[str, Any]:
        """Keys: `records` and `bytes` that it holds, and how many it has `dropped` to make room."""
        records, size, dropped = self._buffer.fill()
        return {"records": records, "bytes": size, "dropped": dropped}


def _records(found: Iterable[tuple[int, bytes]]) -> list[Record]:
    return [Record(index, line) for index, line in found]


def _nanoseconds(time: datetime | str | float | None) -> int | None:
    if time is None:
        return None
    if isinstance(time, str):
        parsed = _core.parse_time(time)
        if parsed is None:
            raise ValueError(f"time {time!r} cannot be read: RFC 3339 would be right")
        return parsed
    seconds = time.timestamp() if isinstance(time, datetime) else time
    return round(seconds * _NS_PER_S)
