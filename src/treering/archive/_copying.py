"""The thread that copies the archive to its second place, in one of the journal's processes."""

from __future__ import annotations

import threading

from treering import _core
from treering._levels import Level
from treering.archive._copy import copy

COMPONENT = "treering.archive"
_FIRST_S = 1.0
_INTERVAL_S = 30.0


class Copying:
    """Copies again and again; says once when it cannot, and once when it can again.

    Args:
        directory: The journal.
        to: The second place.
    """

    def __init__(self, directory: str, to: str) -> None:
        self.directory, self.to = directory, to
        self._ending = threading.Event()
        self._trouble: str | None = None
        self._thread = threading.Thread(target=self._run, name="treering-copy", daemon=True)
        self._thread.start()

    def end(self, timeout_s: float) -> None:
        """Ends it after the file it is at, or leaves it to be done again."""
        self._ending.set()
        self._thread.join(timeout_s)

    def _run(self) -> None:
        pause = _FIRST_S
        while not self._ending.wait(pause):
            pause = _INTERVAL_S
            try:
                copy(self.directory, self.to, is_stopping=self._ending.is_set)
            except Exception as error:  # noqa: BLE001 - the border: the next time may go well
                self._tell(f"{error}")
            else:
                self._tell(None)

    def _tell(self, trouble: str | None) -> None:
        before, self._trouble = self._trouble, trouble
        if trouble is not None and trouble != before:
            _log(
                Level.WARNING,
                "the second place cannot be written",
                {"to": self.to, "error": trouble},
            )
        elif trouble is None and before is not None:
            _log(Level.INFO, "the second place is back", {"to": self.to})


def _log(level: int, message: str, facts: dict[str, object]) -> None:
    _core.log_record(COMPONENT, int(level), message, (None, None, None, 0), facts)


_copying: Copying | None = None


def follow(directory: str | None, to: str | None, timeout_s: float) -> None:
    """Starts, ends or leaves the thread, as a configuration has it."""
    global _copying  # noqa: PLW0603 - the process has one
    known = None if _copying is None else (_copying.directory, _copying.to)
    if known == (directory, to) and _copying is not None and _copying._thread.is_alive():  # noqa: SLF001 - its own module
        return
    if _copying is not None:
        _copying.end(timeout_s)
        _copying = None
    if directory and to:
        _copying = Copying(directory, to)
