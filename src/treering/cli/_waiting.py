"""Telling somebody at a terminal that a long question is still being answered."""

from __future__ import annotations

import sys
import threading
import time
from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
    from types import TracebackType

_PATIENCE_S = 1.0
"""Answers that come sooner are shown without a word."""

_EVERY_S = 0.5


class Waiting:
    """Shows on stderr, when that is a terminal, for how long an answer is being waited for.

    Attributes:
        count: Rows that came by now.
    """

    def __init__(self) -> None:
        self.count = 0
        self._over = threading.Event()
        self._thread: threading.Thread | None = None

    def __enter__(self) -> Self:
        if sys.stderr.isatty():
            self._thread = threading.Thread(target=self._tell, daemon=True)
            self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.end()

    def came(self) -> None:
        """A row came; where rows are shown on the terminal, they tell enough."""
        self.count += 1
        if sys.stdout.isatty():
            self.end()

    def end(self) -> None:
        """Takes the line away."""
        if self._thread is not None:
            self._over.set()
            self._thread.join()
            self._thread = None

    def _tell(self) -> None:
        begin, wait_s, is_told = time.monotonic(), _PATIENCE_S, False
        while not self._over.wait(wait_s):
            seconds = time.monotonic() - begin
            found = f", {self.count:,} found" if self.count else ""
            text = f"\r\x1b[Ksearching, {seconds:.0f} s{found} …"
            print(text, end="", file=sys.stderr, flush=True)
            wait_s, is_told = _EVERY_S, True
        if is_told:
            print("\r\x1b[K", end="", file=sys.stderr, flush=True)
