"""Watching a file: a small thread that looks now and then, or when the process gets SIGHUP."""

from __future__ import annotations

import os
import threading
import time

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

Signature = tuple[int, int, int]

# A file that was written this recently may be written again without its time stamp showing it.
_SETTLED_NS = 1_000_000_000


class FileWatch:
    """Calls `changed` from a thread of its own whenever a file is another one than before.

    A file that has gone counts as a change when it is still gone the next time.

    Args:
        path: The file.
        interval_s: Seconds between two looks; 0 looks only when told to.
        changed: What to call.
    """

    def __init__(self, path: str, interval_s: float, changed: Callable[[], None]) -> None:
        self.path = path
        self.interval_s = interval_s
        self._changed = changed
        self._seen = _signature(path)
        self._missed = False
        self._told = threading.Event()
        self._asked = False
        self._stopped = False
        self._thread = threading.Thread(target=self._run, name="treering-config", daemon=True)
        self._thread.start()

    def look(self) -> None:
        """Has the file read now, changed or not; safe in a signal handler."""
        self._asked = True
        self._told.set()

    def stop(self) -> None:
        """Ends the thread; does not wait for it, since it may be the one that calls."""
        self._stopped = True
        self._told.set()

    def _run(self) -> None:
        while not self._stopped:
            self._told.wait(self.interval_s or None)
            self._told.clear()
            asked, self._asked = self._asked, False
            if not self._stopped and (self._is_other() or asked):
                self._changed()

    def _is_other(self) -> bool:
        found = _signature(self.path)
        if found is None and not self._missed:
            self._missed = True
            return False
        is_other = found != self._seen
        self._seen, self._missed = found, found is None
        if found is not None and time.time_ns() - found[0] < _SETTLED_NS:
            self._seen = (0, 0, 0)
        return is_other


def _signature(path: str) -> Signature | None:
    try:
        found = os.stat(path)  # noqa: PTH116 - `import treering` does without pathlib
    except OSError:
        return None
    return found.st_mtime_ns, found.st_ino, found.st_size


_watch: FileWatch | None = None
_previous: object = None
_is_installed = False


def start(path: str, interval_s: float, changed: Callable[[], None]) -> None:
    """Watches this file, and no other any more."""
    global _watch  # noqa: PLW0603 - a process has one configuration file
    stop()
    _watch = FileWatch(path, interval_s, changed)


def stop() -> None:
    """Watches no file any more."""
    global _watch  # noqa: PLW0603 - as above
    if _watch is not None:
        _watch.stop()
        _watch = None


def on_hangup() -> bool:
    """Has SIGHUP make the watch look, besides whatever it did; False outside the main thread."""
    global _previous, _is_installed  # noqa: PLW0603 - a process has one handler for a signal
    import signal

    if _is_installed:
        return True
    if threading.current_thread() is not threading.main_thread():
        return False
    _previous = signal.signal(signal.SIGHUP, _hangup)
    _is_installed = True
    return True


def _hangup(number: int, frame: object) -> None:
    if _watch is not None:
        _watch.look()
    if callable(_previous):
        _previous(number, frame)
