"""Journals as their readers see them: records by index, levels, state.

A journal is a directory. Opening one here changes nothing in it, takes no lock that a writer could
feel, and needs no server.
"""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import TYPE_CHECKING

from treering import _core
from treering._levels import Level

if TYPE_CHECKING:
    import os
    from collections.abc import Iterator
    from typing import Any

    from treering._core import Filter, Identities

_BATCH_BYTES = 1 << 20


def _named_identities() -> Identities | None:
    import os

    if not os.environ.get("TREERING_IDENTITY"):
        return None
    from treering.archive import identities

    return identities()


class Journal:
    """A journal, opened for reading.

    Args:
        directory: Where it lies.
        identities: Opens encrypted files of the archive, as `treering.archive.identities` gives it.
            Default: the keys that the environment variable `TREERING_IDENTITY` names.

    Raises:
        JournalUnavailable: There is no journal in `directory`, or it cannot be read.
        JournalDamaged: Its `journal.json` is not what it should be.
    """

    def __init__(
        self, directory: str | os.PathLike[str], *, identities: Identities | None = None
    ) -> None:
        self.directory = Path(directory)
        self._identities = identities or _named_identities()
        self._reader = self._open(0)

    def _open(self, start: int) -> _core.Reader:
        return _core.Reader(str(self.directory), start, self._identities)

    def __repr__(self) -> str:
        return f"<Journal '{self.directory}'>"

    @property
    def begin(self) -> int:
        """Index of the oldest record."""
        return self._reader.begin

    @property
    def end(self) -> int:
        """Index after the newest record that can be read."""
        return self._reader.end

    def records(
        self,
        start: int = 0,
        stop: int | None = None,
        *,
        filter: Filter | None = None,  # noqa: A002 - the word of the field
        follow: bool = False,
        poll_s: float = 0.05,
    ) -> Iterator[tuple[int, bytes]]:
        """Records by index, as canonical lines without line feed.

        Args:
            start: Index of the first record; older than the oldest means the oldest.
            stop: Index before which to stop; with `follow`, waits until it is reached.
            filter: Only records that match.
            follow: Go on for ever, waiting for new records.
            poll_s: Seconds between two looks while waiting.
        """
        reader = self._open(start)
        while stop is None or reader.position < stop:
            first, lines = reader.read(_BATCH_BYTES)
            if not lines:
                if not follow:
                    return
                time.sleep(poll_s)
                continue
            if filter is None:
                batch: Iterator[tuple[int, bytes]] = enumerate(lines[:-1].split(b"\n"), first)
            else:
                batch = iter(filter.select(first, lines))
            for index, line in batch:
                if stop is not None and index >= stop:
                    return
                # A reader that asked for the future stands at the end until then. An erased record has
                # left an empty line.
                if index >= start and line:
                    yield index, line

    def tail(self, count: int, *, filter: Filter | None = None) -> list[tuple[int, bytes]]:  # noqa: A002
        """The newest `count` records that match, oldest first."""
        from collections import deque

        end, span = self.end, max(count, 1)
        while True:
            start = max(self.begin, end - span)
            found = deque(self.records(start, end, filter=filter), maxlen=count)
            if len(found) == count or start <= self.begin:
                return list(found)
            span *= 8

    def recover(self) -> bool:
        """Brings what dead processes left in their rings into the journal.

        Does nothing, and returns False, while a living process leads: that one does it anyway.
        """
        return _core.recover(str(self.directory))

    def status(self) -> dict[str, Any]:
        """What files and shared memory say about the journal; keys as in `treering stats --json`."""
        status = _core.journal_status(str(self.directory))
        return {**status, "seal": self._seal(), "outputs": self._outputs()}

    def _outputs(self) -> list[dict[str, Any]]:
        """How far the outputs have come that this journal feeds."""
        from treering.outputs import stored_cursors

        end = self.end
        return [
            {
                "name": name,
                "kind": (cursor.output or {}).get("kind"),
                "index": cursor.index,
                "behind": max(0, end - cursor.index),
                "written": cursor.written,
                "error": cursor.error,
            }
            for name, cursor in stored_cursors(self.directory).items()
        ]

    def _seal(self) -> dict[str, Any] | None:
        """Where the seal stands; `None` when the journal is not sealed."""
        seal = self.directory / "seal"
        newest = seal / "checkpoint"
        try:
            origin, sealed, _ = _core.checkpoint_parse(newest.read_bytes())
            age_s = time.time() - newest.stat().st_mtime
        except (OSError, ValueError):
            return None
        anchors = [path.stat().st_mtime for path in seal.glob("anchors/0*")]
        return {
            "origin": origin,
            "sealed": sealed,
            "checkpoint_age_s": round(age_s, 3),
            "anchor_age_s": round(time.time() - max(anchors), 3) if anchors else None,
            "ended_generations": len(list(self.directory.glob("ended/*"))),
        }

    def levels(self) -> dict[str, int]:
        """Levels set in the journal's processes, by component; stored ones when none is running."""
        return dict(_core.journal_levels(str(self.directory)))

    def set_level(self, component: str, level: int | None, *, persist: bool = False) -> bool:
        """Sets a component's level in every process of the journal at once; `None` inherits again.

        An AUDIT record in the journal says so first.

        Returns False when no process has the journal open: then only `persist` has an effect.
        """
        from treering import _changes, _lifecycle

        is_open = self.status()["domain"] is not None
        if is_open or persist:
            before = self.levels().get(component)
            facts = _changes.level_facts(component, before, level, "journal", is_stored=persist)
            if _lifecycle.logs_to(str(self.directory.absolute())):
                _changes.say(Level.AUDIT, _changes.LEVEL_CHANGED, facts)
            else:
                _core.seal_declare(str(self.directory), _changes.LEVEL_CHANGED, json.dumps(facts))
        return _core.set_journal_level(str(self.directory), component, level, persist)
