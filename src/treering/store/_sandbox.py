"""Foreign SQL: handed to processes that the kernel confines, answered by them batch by batch."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import tempfile
import threading
from typing import TYPE_CHECKING

from treering.errors import QueryTooLarge, TreeringError
from treering.store import _channel
from treering.store._pinned import Held
from treering.store._result import Table
from treering.store._run import meaning
from treering.store._views import views

if TYPE_CHECKING:
    from collections.abc import Generator
    from typing import Any

    import pyarrow as pa

    from treering.store._active import Part
    from treering.store._run import Run
    from treering.store._snapshot import Snapshot


class Worker:
    """A process that answers one statement after the other."""

    def __init__(self) -> None:
        ours, theirs = socket.socketpair()
        self._channel = ours
        self.files: tuple[Held, ...] | None = None
        with theirs:
            self._process = subprocess.Popen(  # noqa: S603 - ourselves
                [sys.executable, "-m", "treering.store._worker", str(theirs.fileno())],
                pass_fds=[theirs.fileno()],
                # Nothing of the environment, in which secrets often are.
                env={"PYTHONPATH": os.pathsep.join(sys.path), "HOME": "/nonexistent"},
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                start_new_session=True,
            )

    def interrupt(self) -> None:
        """Ends it: what it runs may hear nothing less."""
        self._process.kill()

    def close(self) -> None:
        """Ends it, and waits until it is gone."""
        self._process.kill()
        self._process.wait()
        self._channel.close()

    def ask(self, request: dict[str, Any], files: list[int]) -> None:
        """Sends a request; the answer comes by `answer`."""
        _channel.send(self._channel, _channel.REQUEST, json.dumps(request).encode(), files)

    def answer(self) -> tuple[bytes, bytes]:
        """The next part of the answer.

        Raises:
            EOFError: The process ended.
        """
        kind, payload, _ = _channel.receive(self._channel)
        return kind, payload


class Sandbox:
    """Answers SQL over snapshots of a journal.

    Args:
        memory: Bytes that a statement may take.
        threads: How many work on it; DuckDB's default is one per core.
    """

    def __init__(self, *, memory: int, threads: int | None) -> None:
        self._memory = memory
        self._threads = threads
        self._lock = threading.Lock()
        self._idle: Worker | None = None
        self._active: tuple[Part, Held] | None = None

    def ask(
        self,
        run: Run,
        snapshot: Snapshot,
        statement: str,
        parameters: list[Any] | dict[str, Any] | None,
        limit: int | None,
    ) -> Table:
        """The rows of a statement.

        Raises:
            QueryError: It is not one question, or DuckDB does not understand it.
            QueryTimeout: Its time is over.
            QueryTooLarge: It needs more memory than it may.
        """
        request = {
            "statement": statement,
            "parameters": parameters,
            "limit": limit,
            "memory": self._memory,
            "threads": self._threads or os.cpu_count() or 1,
        }
        with self._lock:
            worker, self._idle = self._idle or Worker(), None
            active = self._active_file(snapshot.active)
        batches = self._batches(run, worker, snapshot, request, active)
        return Table(run, next(batches).schema, batches)

    def close(self) -> None:
        """Ends the processes that wait."""
        with self._lock:
            if self._idle:
                self._idle.close()
            self._idle, self._active = None, None

    def _batches(
        self,
        run: Run,
        worker: Worker,
        snapshot: Snapshot,
        request: dict[str, Any],
        active: Held,
    ) -> Generator[pa.RecordBatch, None, bool]:
        is_done = False
        try:
            with run.using(worker):
                _send(worker, snapshot, request, active)
            while True:
                with run.using(worker):
                    kind, payload = worker.answer()
                if kind != _channel.BATCH:
                    break
                yield _unpacked(payload)
            is_done = True
            said = _channel.receive_json(payload)
            if kind == _channel.FAILED:
                # Perhaps it has no views: they are made again.
                worker.files = None
                raise meaning(said["type"], said["message"]) or TreeringError(
                    said["message"], code="query_failed"
                )
            return bool(said["is_cut"])
        except (EOFError, OSError):
            raise QueryTooLarge(
                "the process that ran the statement died, probably for want of memory",
                code="query_too_large",
                field="memory",
            ) from None
        finally:
            self._take_back(worker, is_idle=is_done)

    def _take_back(self, worker: Worker, *, is_idle: bool) -> None:
        with self._lock:
            if is_idle and self._idle is None:
                self._idle = worker
                return
        worker.close()

    def _active_file(self, part: Part) -> Held:
        """The active records in a file that has no name."""
        import pyarrow as pa

        if self._active and self._active[0].is_same(part):
            return self._active[1]
        if part.kept is not None:
            descriptor = os.memfd_create("treering-active", os.MFD_CLOEXEC)
        else:
            with tempfile.TemporaryFile() as file:
                descriptor = os.dup(file.fileno())
        relation = part.relation()
        with (
            os.fdopen(os.dup(descriptor), "wb") as sink,
            pa.ipc.new_file(sink, relation.schema) as to,
        ):
            if isinstance(relation, pa.Table):
                to.write_table(relation)
            else:
                for batch in relation:
                    to.write_batch(batch)
        self._active = part, Held(descriptor)
        return self._active[1]


def _send(worker: Worker, snapshot: Snapshot, request: dict[str, Any], active: Held) -> None:
    files = tuple(file.file for file in snapshot.files)
    passed = [active.descriptor]
    if worker.files != files:
        request = {**request, "views": views(snapshot.files)}
        passed = [*(file.descriptor for file in files), *passed]
        worker.files = files
    worker.ask(request, passed)


def _unpacked(payload: bytes) -> pa.RecordBatch:
    import pyarrow as pa

    reader = pa.ipc.open_stream(payload)
    for batch in reader:
        return batch
    # The first part of an answer only says what columns there are.
    return pa.RecordBatch.from_pylist([], reader.schema)
