"""How far an output has come in a journal, kept in a file beside it."""

from __future__ import annotations

import json
import os
from dataclasses import asdict, dataclass, fields
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING

from treering import _core

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(slots=True)
class Cursor:
    """The content of `cursors/NAME.json`.

    Attributes:
        index: The next record to be delivered.
        journal: Identity of the journal the index belongs to: its origin, or id if it is not sealed.
        last: SHA-256 of the record before `index`, to notice that a power cut took it back.
        written: Records delivered since the cursor was made.
        output: What the output was when the cursor was last written, without secrets.
        error: Why it cannot write, while it cannot.
    """

    index: int
    journal: str
    last: str = ""
    written: int = 0
    output: Mapping[str, object] | None = None
    error: str | None = None


class CursorFile:
    """Where a cursor is kept. One process at a time may write it: the one with the lock."""

    def __init__(self, directory: str, name: str) -> None:
        self._directory = directory
        self._place = Path(directory, "cursors")
        self._active = f"{directory}/active"
        self._path = self._place / f"{name}.json"
        self._lock = _core.Lock(self._place / f"{name}.lock")

    def acquire(self) -> bool:
        """Takes the lock if nobody has it.

        Raises:
            OSError: The directory of cursors cannot be made.
            JournalUnavailable: The lock cannot be made.
        """
        self._place.mkdir(mode=0o700, exist_ok=True)
        return self._lock.acquire()

    def release(self) -> None:
        """Lets another process take over."""
        self._lock.release()

    def read(self) -> Cursor | None:
        """The stored cursor; `None` when there is none.

        One that means nothing belongs to no journal, and so to the beginning of every one: what has been
        delivered is then unknown, and to deliver it again is better than not at all.

        Raises:
            OSError: There is one that cannot be read.
        """
        try:
            return _parsed(self._path.read_bytes()) or Cursor(0, "")
        except FileNotFoundError:
            return None

    def write(self, cursor: Cursor) -> None:
        """Replaces the stored cursor.

        Raises:
            OSError: It cannot be written; the stored one is as it was.
        """
        draft = self._path.with_suffix(".draft")
        descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with open(descriptor, "w", encoding="utf-8") as file:  # noqa: PTH123 - 0600 from the start
            json.dump(asdict(cursor), file)
        draft.replace(self._path)

    def remove(self) -> None:
        """Forgets the cursor: an output of this name begins anew."""
        self._path.unlink(missing_ok=True)

    def identity(self) -> str:
        """Which journal this is: its origin, which is another for every generation, or its id."""
        facts = json.loads(Path(self._directory, "journal.json").read_bytes())
        if not facts.get("origin"):
            return str(facts["id"])
        ended = self._ended()
        return f"{facts['origin']}/{ended[-1]}" if ended else str(facts["origin"])

    def _ended(self) -> list[int]:
        # One without records is only about to end.
        names = (path.parent.name for path in Path(self._directory).glob("ended/*/active"))
        return sorted(int(name) for name in names if name.isdecimal())

    def generation(self) -> int:
        """Changes when a generation of the journal ends and another begins."""
        try:
            return os.stat(self._active).st_ino  # noqa: PTH116 - asked again and again
        except OSError:
            return 0

    def checked(self, cursor: Cursor) -> Cursor:
        """The cursor, moved back if the journal is not what it was.

        To the beginning if it could not be read or another journal has begun, to the beginning of its
        segment if the journal has lost records that were delivered.
        """
        identity = self.identity()
        reader = _core.Reader(self._directory, 1 << 62)
        if cursor.journal != identity:
            return Cursor(reader.begin, identity, "", cursor.written, cursor.output)
        if self._is_where_it_was(cursor, reader.end):
            return cursor
        begins = [int(path.stem) for path in Path(self._directory, "active").glob("*.jsonl")]
        safe = max((begin for begin in begins if begin < cursor.index), default=reader.begin)
        return Cursor(min(safe, reader.end), identity, "", cursor.written, cursor.output)

    def _is_where_it_was(self, cursor: Cursor, end: int) -> bool:
        if cursor.index > end:
            return False
        if not cursor.last or cursor.index <= _core.Reader(self._directory).begin:
            return True
        _, lines = _core.Reader(self._directory, cursor.index - 1).read(1)
        line = lines.partition(b"\n")[0]
        # An erased record has left an empty line.
        return not line or digest(line) == cursor.last


def _parsed(text: bytes) -> Cursor | None:
    """The cursor in a file; `None` when it is none. What a later version has added is left alone."""
    try:
        stored = json.loads(text)
        found = Cursor(
            **{field.name: stored[field.name] for field in fields(Cursor) if field.name in stored}
        )
    except (ValueError, TypeError):
        return None
    is_usable = (
        isinstance(found.index, int)
        and isinstance(found.written, int)
        and isinstance(found.journal, str)
        and found.index >= 0
    )
    return found if is_usable else None


def _stored(path: Path) -> Cursor | None:
    try:
        return _parsed(path.read_bytes())
    except OSError:
        return None


def stored_cursors(directory: str | os.PathLike[str]) -> dict[str, Cursor]:
    """The cursors of a journal's outputs, by name."""
    found = {path.stem: _stored(path) for path in sorted(Path(directory, "cursors").glob("*.json"))}
    return {name: cursor for name, cursor in found.items() if cursor is not None}


def digest(line: bytes) -> str:
    """The digest by which a record is recognised."""
    return sha256(line).hexdigest()
