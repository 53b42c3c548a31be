"""One output at work: whether it is up, when it is tried again, and what it has done so far."""

from __future__ import annotations

import random
import time
from typing import TYPE_CHECKING

from treering._context import context
from treering.errors import (
    OUTPUT_ERROR_KINDS,
    ConfigurationError,
    OutputError,
    OutputUnavailable,
)
from treering.outputs._format import formatter
from treering.outputs._wanted import OWN

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from treering.errors import FormatFailed
    from treering.outputs._batch import Batch
    from treering.outputs._output import Output

FIRST_DELAY_S = 0.1
LONGEST_DELAY_S = 60.0


class Lane:
    """An output, opened when it is first needed, and paused while it fails.

    Args:
        output: Where records go.
        tell: Called with True when it comes back and with False when it goes away.
    """

    def __init__(self, output: Output, tell: Callable[[Lane, bool], None]) -> None:
        self.output = output
        self.down_since: float | None = None
        self.written = self.refused = self.failures = 0
        self.errors = dict.fromkeys(OUTPUT_ERROR_KINDS, 0)
        self.last_error: str | None = None
        self.formatter = formatter(
            output.format, date_format=output.date_format, failed=self._misformatted
        )
        self._tell = tell
        self._is_open = self._is_dirty = False
        self._next_try = self._delay_s = 0.0

    def _misformatted(self, error: FormatFailed) -> None:
        self.errors[error.kind] += 1
        self.last_error = f"{type(error).__name__}: {error}"

    def is_ready(self, now: float) -> bool:
        """Whether it is up, or due to be tried again."""
        return self.down_since is None or now >= self._next_try

    def wait_s(self, now: float) -> float:
        """Seconds until it is tried again."""
        return max(0.0, self._next_try - now)

    def down_s(self, now: float) -> float:
        """For how long it has been down."""
        return 0.0 if self.down_since is None else now - self.down_since

    def deliver(self, batch: Batch) -> int:
        """Hands over what it can; returns how many records, from the first on, need not come again."""
        refused = 0

        def write() -> None:
            nonlocal refused
            self._open()
            refused = _count(self.output.write(batch.with_formatter(self.formatter)), batch)

        error = self._tried(write)
        if error is not None:
            taken = _count(getattr(error, "accepted", 0), batch)
            self.written += taken
            self._fail(error)
            return taken
        self._is_dirty = True
        self.refused += refused
        self.written += len(batch) - refused
        self._recover()
        return len(batch)

    def _open(self) -> None:
        if not self._is_open:
            self.output.open()
            self._is_open = True
        if not self.output.is_available():
            raise OutputUnavailable(f"output '{self.output.name}' is not available")

    def _fail(self, error: BaseException) -> None:
        kind = _kind(error)
        self.errors[kind] += 1
        self.failures += 1
        self.last_error = f"{type(error).__name__}: {error}"
        self._delay_s = min(max(FIRST_DELAY_S, self._delay_s * 2), LONGEST_DELAY_S)
        # Full jitter, so that many hosts do not come back at once.
        pause = random.uniform(self._delay_s / 2, self._delay_s)  # noqa: S311 - not for secrets
        asked = getattr(error, "retry_after_s", None)
        self._next_try = time.monotonic() + max(pause, asked or 0.0)
        self._close()
        if self.down_since is None:
            self.down_since = time.monotonic()
            self._tell(self, False)

    def _recover(self) -> None:
        self._delay_s = 0.0
        if self.down_since is not None:
            self._tell(self, True)
            self.down_since = None

    def flush(self) -> None:
        """Has the output push out what it buffers, if anything was written since the last time."""
        if not self._is_dirty:
            return
        self._is_dirty = False
        error = self._tried(self.output.flush)
        if error is not None:
            self._fail(error)

    def close(self) -> None:
        """Flushes and closes the output."""
        self.flush()
        self._close()

    def _close(self) -> None:
        if not self._is_open:
            return
        self._is_open = False
        error = self._tried(self.output.close)
        if error is not None:
            self.last_error = f"{type(error).__name__}: {error}"

    def _tried(self, act: Callable[[], object]) -> BaseException | None:
        """What it raised: a user's class may raise anything, and each means that it could not.

        Also what ends other threads (`SystemExit`, a cancelled task): it must not end delivery.
        """
        try:
            with context(**{OWN: self.output.name}):
                act()
        except BaseException as error:  # noqa: BLE001 - the border to foreign code
            return error
        return None

    def statistics(self) -> dict[str, Any]:
        """Counts since it was made."""
        own: dict[str, Any] = {}

        def ask() -> None:
            own.update(self.output.statistics())

        error = self._tried(ask)
        if error is not None:
            own["statistics_error"] = f"{type(error).__name__}: {error}"
        return {
            "name": self.output.name,
            "kind": self.output.kind,
            "up": self.down_since is None,
            "written": self.written,
            "refused": self.refused,
            "failures": self.failures,
            "errors": dict(self.errors),
            "last_error": self.last_error,
            **own,
        }


def _count(found: object, batch: Batch) -> int:
    """A number of records, as a user's class says it; anything else says nothing."""
    if not isinstance(found, int) or isinstance(found, bool):
        return 0
    return min(max(found, 0), len(batch))


def _kind(error: BaseException) -> str:
    if isinstance(error, OutputError):
        return error.kind
    if isinstance(error, ConfigurationError):
        return "configuration"
    if isinstance(error, (ConnectionError, TimeoutError)):
        return "network"
    return "unavailable"
