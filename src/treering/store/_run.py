"""Running SQL that we made: how long it may take, how it is stopped, what its errors mean."""

from __future__ import annotations

import contextlib
import threading
import time
from typing import TYPE_CHECKING, Protocol

from treering.errors import (
    JournalDamaged,
    QueryCancelled,
    QueryError,
    QueryTimeout,
    QueryTooLarge,
    TreeringError,
)

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator, Sequence
    from typing import Any

    import duckdb
    import pyarrow as pa


class Interruptible(Protocol):
    """What works for a question."""

    def interrupt(self) -> None:
        """Stops it, from any thread."""


class Run:
    """One question while it is answered; any thread may cancel it.

    Args:
        timeout_s: Seconds from now on; `None` is as long as it takes.
    """

    def __init__(self, timeout_s: float | None) -> None:
        self._timeout_s = timeout_s
        self._deadline = None if timeout_s is None else time.monotonic() + timeout_s
        self._lock = threading.Lock()
        self._connections: list[Interruptible] = []
        self._is_cancelled = False

    def cancel(self) -> None:
        """Stops what runs; whoever waits for it gets `QueryCancelled`."""
        with self._lock:
            self._is_cancelled = True
            self._interrupt()

    def check(self) -> None:
        """Goes on.

        Raises:
            QueryCancelled: Somebody cancelled it.
            QueryTimeout: Its time is over.
        """
        if self._is_cancelled:
            raise QueryCancelled("the query was cancelled", code="query_cancelled")
        if self._deadline is not None and time.monotonic() >= self._deadline:
            raise QueryTimeout(
                f"the query took longer than {self._timeout_s:g} s",
                code="query_timeout",
                field="timeout_s",
                hint="narrow the time range, or give it more time",
            )

    @property
    def left_s(self) -> float | None:
        """Seconds until its time is over."""
        return None if self._deadline is None else max(0.0, self._deadline - time.monotonic())

    @contextlib.contextmanager
    def using(self, connection: Interruptible) -> Iterator[None]:
        """A block in which the connection works for it, and errors of the engine become ours."""
        self.check()
        timer = None if self._deadline is None else threading.Timer(self.left_s or 0, self._expire)
        with self._lock:
            self._connections.append(connection)
        if timer:
            timer.daemon = True
            timer.start()
        try:
            yield
        except Exception as error:  # noqa: BLE001 - each is said in our words, or raised as it is
            self.check()
            raise translated(error) from None
        finally:
            if timer:
                timer.cancel()
            with self._lock:
                self._connections.remove(connection)

    def _expire(self) -> None:
        with self._lock:
            self._interrupt()

    def _interrupt(self) -> None:
        for connection in self._connections:
            connection.interrupt()


def fetch_rows(
    run: Run, connection: duckdb.DuckDBPyConnection, sql: str, parameters: Sequence[Any]
) -> list[tuple[Any, ...]]:
    """All rows of a statement."""
    with run.using(connection):
        return connection.execute(sql, list(parameters)).fetchall()


def stream(
    run: Run, connection: duckdb.DuckDBPyConnection, sql: str, parameters: Sequence[Any]
) -> tuple[pa.Schema, Generator[pa.RecordBatch, None, None]]:
    """The columns of a statement, and its rows as they come."""
    with run.using(connection):
        reader = connection.sql(sql, params=list(parameters)).to_arrow_reader(16_384)
        schema = reader.schema

    def batches() -> Generator[pa.RecordBatch, None, None]:
        while True:
            with run.using(connection):
                try:
                    batch = reader.read_next_batch()
                except StopIteration:
                    return
            yield batch

    return schema, batches()


def translated(error: Exception) -> Exception:
    """What an error of the engine means for who asked; those of others stay as they are."""
    if isinstance(error, TreeringError):
        return error
    return meaning(type(error).__name__, str(error)) or error


def meaning(kind: str, message: str) -> Exception | None:  # noqa: PLR0911 - one for each kind
    """What an error of DuckDB means, by its type; `None` when it is none of DuckDB's.

    Args:
        kind: Name of its class.
        message: What it says; of this only the first line is shown, and no path.
    """
    said = _shown(message)
    if "Too many open files" in message:
        return too_many_files()
    match kind:
        case "OutOfMemoryException" | "MemoryError" | "ArrowMemoryError":
            return QueryTooLarge(
                "the query needs more memory than it may",
                code="query_too_large",
                field="memory",
                hint="narrow the time range, group by fewer values, or give it more memory",
            )
        case "InterruptException":
            return QueryCancelled("the query was cancelled", code="query_cancelled")
        case "IOException" | "InvalidInputException" if "arquet" in message or "Magic" in message:
            return JournalDamaged(
                f"a file of the archive cannot be read: {said}", code="archive_damaged"
            )
        case "PermissionException" | "PermissionError":
            return QueryError(
                f"not allowed: {said}",
                code="query_not_allowed",
                hint="ask with one SELECT about the view records",
            )
    if kind.endswith(("Exception", "Error")):
        return QueryError(said, code="query_failed")
    return None


def too_many_files() -> QueryTooLarge:
    """The error for a journal whose files are more than this process may open."""
    return QueryTooLarge(
        "the journal has more files than this process may open",
        code="query_too_large",
        hint="raise the limit of open files, such as with ulimit -n 65536",
    )


def _shown(message: str) -> str:
    import re

    line = message.strip().partition("\n")[0]
    line = re.sub(r"^(Invalid Input|[A-Z]\w+(?: \w+)?) Error: ", "", line)
    return re.sub(r"(/proc/(?:self|\d+)/fd/\d+|(?<![\w])/[\w./=-]+)", "…", line)
