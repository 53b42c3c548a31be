"""What outputs are fed from: the journal, from a cursor, or what this process says from now on."""

from __future__ import annotations

import time
from collections import deque
from typing import TYPE_CHECKING, ClassVar, Protocol

from treering import _core
from treering.errors import TreeringError
from treering.outputs._batch import split
from treering.outputs._cursor import Cursor, CursorFile, digest
from treering.outputs._wanted import Wanted

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from treering.outputs._output import Output
    from treering.outputs._wanted import Piece

BUFFER_BYTES = 16 << 20
_SHORTEST_SLEEP_S = 0.002
_LONGEST_SLEEP_S = 0.2
_READ_WAIT_S = 0.1


class Source(Protocol):
    """Where records come from, in order."""

    scope: ClassVar[str]
    """`journal` or `process`, as outputs have it."""

    position: int
    """The index before which everything has been delivered."""

    lost: int
    """Records that never will be: gone before they were read."""

    def acquire(self) -> bool:
        """Whether it is this process's turn to deliver."""

    def read(self) -> Piece | None:
        """The next records that the output wants; waits a little for the first."""

    def rewind(self) -> None:
        """What was read and not delivered comes again: whoever delivered it was interrupted."""

    def stash(self) -> None:
        """Called again and again while nothing can be delivered."""

    def commit(self, index: int, last: bytes, count: int, *, for_good: bool = True) -> None:
        """Everything below `index` is delivered; `last` is the line before it.

        With `for_good` false some of it is only in this process's memory.
        """

    def finish(self, count: int, *, for_good: bool = True) -> None:
        """All of what was read last is delivered, `count` records with this call."""

    def note(self, error: str | None) -> None:
        """Why nothing can be delivered at the moment; `None` when it can again."""

    def target(self) -> int:
        """The index that `position` has reached when everything logged so far is delivered."""

    def is_past(self, target: int) -> bool:
        """Whether everything below `target` is delivered."""

    def release(self) -> None:
        """Gives the turn away."""

    def statistics(self) -> dict[str, Any]:
        """Where it stands."""


class JournalSource:
    """Reads a journal from the output's cursor; one of the journal's processes does so at a time."""

    scope: ClassVar[str] = "journal"

    def __init__(self, directory: str, output: Output, description: Mapping[str, object]) -> None:
        self.position = self.lost = self._expected = 0
        self._directory = directory
        self._wanted = Wanted(output)
        self._batch_bytes = output.batch_bytes
        self._file = CursorFile(directory, output.name)
        self._description = description
        self._cursor: Cursor | None = None
        self._known: Cursor | None = None
        self._unstored: str | None = None
        self._is_mine = self._is_removed = False
        self._generation = 0
        self._reader: _core.Reader | None = None
        self._sleep_s = _SHORTEST_SLEEP_S
        self._count = 0
        self._end: tuple[int, str | None] = 0, None

    def identity(self) -> str:
        """Which journal it is."""
        return self._file.identity()

    def found(self) -> Mapping[str, object] | None:
        """What the output was before; `None` when it is new, and begins at the journal's end."""
        if self._known is None:
            self._known = Cursor(self.target(), self._file.identity(), output=self._description)
        stored = self._file.read()
        if stored is None:
            return None
        self._known = stored
        return stored.output or {}

    def acquire(self) -> bool:
        """Takes the output's lock, and finds where it stopped last time."""
        if self._reader is not None:
            return True
        # Another process may remove the cursor: this one then goes on where it last saw it.
        self.found()
        self._is_mine = self._file.acquire()
        stored = self._cursor or self._file.read() or self._known
        if not self._is_mine or stored is None:
            return False
        self._generation = self._file.generation()
        self._cursor = self._file.checked(stored)
        self._cursor.output = self._description
        self._cursor.error = None
        self._go_to(self._cursor.index)
        self._store()
        return True

    def _go_to(self, index: int) -> None:
        reader = _core.Reader(self._directory, index)
        self.lost += max(0, reader.position - index)
        self.position = self._expected = reader.position
        self._end = index, None
        self._reader = reader

    def read(self) -> Piece | None:
        """The next records; `None` when there are none yet."""
        if self._reader is None:
            return None
        first, lines = self._reader.read(self._batch_bytes)
        if not lines:
            if self._unstored is not None:
                self._store()
            if self._generation != self._file.generation():
                # The open file is no longer the journal's.
                self.rewind()
                return None
            time.sleep(self._sleep_s)
            self._sleep_s = min(self._sleep_s * 2, _LONGEST_SLEEP_S)
            return None
        self._sleep_s = _SHORTEST_SLEEP_S
        # What was pruned meanwhile is passed over.
        self.lost += max(0, first - self._expected)
        self._expected = self._reader.position
        self._end = self._reader.position, digest(lines[:-1].rpartition(b"\n")[2])
        return self._wanted.chosen(first, lines, self._reader.position - first)

    def rewind(self) -> None:
        """Reads again from the cursor."""
        self._reader = None

    def stash(self) -> None:
        """Nothing: the journal keeps what is not delivered."""

    def commit(self, index: int, last: bytes, count: int, *, for_good: bool = True) -> None:
        """Moves on, and the cursor in the file as well if `for_good`."""
        self._move(index, digest(last), count, for_good=for_good)

    def _move(self, index: int, last: str | None, count: int, *, for_good: bool) -> None:
        self.position = index
        self._count += count
        if for_good and self._cursor is not None:
            self._cursor.index = index
            if last is not None:
                self._cursor.last = last
            self._cursor.written += self._count
            self._count = 0
            self._store()

    def finish(self, count: int, *, for_good: bool = True) -> None:
        """Moves on over what nobody wanted, too."""
        self._move(*self._end, count, for_good=for_good)

    def note(self, error: str | None) -> None:
        """Leaves it in the cursor's file, for whoever looks from outside."""
        if self._cursor is not None:
            self._cursor.error = error
            self._store()

    def _store(self) -> None:
        """A full disk keeps nothing from being delivered; only a death meanwhile repeats more."""
        if self._cursor is None or self._is_removed:
            return
        try:
            self._file.write(self._cursor)
        except OSError as error:
            self._unstored = str(error)
        else:
            self._unstored = None

    def target(self) -> int:
        """The end of the journal."""
        return _core.Reader(self._directory, 1 << 62).end

    def is_past(self, target: int) -> bool:
        """Whether everything below `target` is delivered, of the journal as it is now."""
        return self.position >= target and self._generation == self._file.generation()

    def release(self) -> None:
        """Lets another process take over."""
        self._reader = None
        self._is_mine = False
        self._file.release()

    def remove(self) -> None:
        """Forgets the cursor, also if a delivery that hangs should end one day."""
        self._is_removed = True
        self._file.remove()

    def statistics(self) -> dict[str, Any]:
        """Where the cursor stands, and how many records are still to come."""
        try:
            end = self.target()
            cursor = self._cursor or self._file.read()
        except (OSError, TreeringError):
            end, cursor = self.position, self._cursor
        index = end if cursor is None else cursor.index
        return {
            "running": self._is_mine,
            "index": index,
            "behind": max(0, end - index),
            "lost": self.lost,
            "own": self._wanted.own,
            "cursor_error": self._unstored,
        }


class ProcessSource:
    """What this process says from now on, as long as it can be kept."""

    scope: ClassVar[str] = "process"

    def __init__(self, output: Output, *, holds: bool) -> None:
        self._wanted = Wanted(output)
        self._batch_bytes = output.batch_bytes
        self._holds = holds
        self._tap: _core.Tap | None = _core.Tap(holds)
        self._waiting: deque[tuple[int, bytes]] = deque()
        self._waiting_bytes = 0
        self._piece = 0, b""
        self.position = self._end = _logged()
        self.lost = 0

    def acquire(self) -> bool:
        """Always: every process has its own."""
        return True

    def read(self) -> Piece | None:
        """The next records; `None` when there are none yet."""
        if self._waiting:
            first, lines = self._waiting.popleft()
            self._waiting_bytes -= len(lines)
        else:
            first, lines = self._tapped(_READ_WAIT_S)
        if not lines:
            return None
        self._piece = first, lines
        count = lines.count(b"\n")
        self._end = first + count
        return self._wanted.chosen(first, lines, count)

    def _tapped(self, wait_s: float) -> tuple[int, bytes]:
        if self._tap is None:
            return 0, b""
        first, lines, lost = self._tap.read(self._batch_bytes, wait_s)
        self.lost += lost
        return first, lines

    def rewind(self) -> None:
        """Puts back what was read last and is not delivered."""
        first, lines = self._piece
        done = max(0, self.position - first)
        rest = b"".join(line + b"\n" for line in split(lines)[done:]) if done else lines
        self._piece = 0, b""
        if rest:
            self._waiting.appendleft((first + done, rest))
            self._waiting_bytes += len(rest)

    def stash(self) -> None:
        """Takes records out of the ring before they are overwritten, the newest 16 MiB of them."""
        if self._holds:
            return
        while True:
            first, lines = self._tapped(0.0)
            if not lines:
                return
            self._waiting.append((first, lines))
            self._waiting_bytes += len(lines)
            while self._waiting_bytes > BUFFER_BYTES:
                _, oldest = self._waiting.popleft()
                self._waiting_bytes -= len(oldest)
                self.lost += oldest.count(b"\n")

    def commit(self, index: int, last: bytes, count: int, *, for_good: bool = True) -> None:  # noqa: ARG002
        """Remembers how far it is; there is nothing to keep it for."""
        self.position = index

    def finish(self, count: int, *, for_good: bool = True) -> None:  # noqa: ARG002
        """Remembers that it is through."""
        self.position = self._end

    def note(self, error: str | None) -> None:
        """Nothing: the statistics have it."""

    def target(self) -> int:
        """The number of the next record of this process."""
        return _logged()

    def is_past(self, target: int) -> bool:
        """Whether everything below `target` is delivered or lost."""
        return self.position >= target

    def release(self) -> None:
        """Lets go of the ring at once: without a journal, calls would wait for whoever holds it."""
        self._tap = None

    def statistics(self) -> dict[str, Any]:
        """How many records are still to come, and how many never will."""
        behind = max(0, _logged() - self.position)
        return {
            "running": True,
            "index": self.position,
            "behind": behind,
            "lost": self.lost,
            "own": self._wanted.own,
        }


def _logged() -> int:
    statistics = _core.statistics()
    return 0 if statistics is None else int(statistics["logged"])
