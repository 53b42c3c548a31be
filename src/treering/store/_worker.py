"""The process in which foreign SQL runs: `python -m treering.store._worker DESCRIPTOR`.

DuckDB's own limits do not hold for everything: `lpad('x', 2000000000)` allocates gigabytes beside
`memory_limit` and hears no interrupt. So the kernel holds it: this process has an empty environment,
may not grow, may not write a byte to any file, and is killed when its time is up. Inside it DuckDB
opens nothing but the files that came with the request.
"""

from __future__ import annotations

import json
import os
import resource
import select
import socket
import sys
import threading
from pathlib import Path
from typing import TYPE_CHECKING

from treering.store import _channel

if TYPE_CHECKING:
    from typing import Any

    import duckdb
    import pyarrow as pa

_BATCH_ROWS = 16_384
_BESIDE = 1 << 30
"""Bytes of addresses above `memory`: what allocators and threads reserve and never touch."""

_ALLOWED = {"SELECT", "EXPLAIN"}


def main() -> None:
    """Answers requests until the store goes away."""
    channel = socket.socket(fileno=int(sys.argv[1]))
    threading.Thread(target=_end_with, args=(channel.fileno(),), daemon=True).start()
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    held: list[int] = []
    engine: duckdb.DuckDBPyConnection | None = None
    while True:
        try:
            _, payload, files = _channel.receive(channel)
        except EOFError:
            return
        request = _channel.receive_json(payload)
        try:
            if "views" in request:
                for descriptor in held:
                    os.close(descriptor)
                held, files = files[:-1], files[-1:]
                engine = _open(request, held)
            assert engine is not None, "the first request says what there is"  # noqa: S101
            _see(engine, files[0])
            for view in request.get("views", ()):
                engine.sql(_filled(view, held))
            cut = _answer(channel, engine, request)
        except Exception as error:  # noqa: BLE001 - the border to the store, which says it to the user
            what = {"type": type(error).__name__, "message": str(error)}
            _channel.send(channel, _channel.FAILED, json.dumps(what).encode())
        else:
            _channel.send(channel, _channel.DONE, json.dumps({"is_cut": cut}).encode())


def _open(request: dict[str, Any], files: list[int]) -> duckdb.DuckDBPyConnection:
    """An engine that sees the files and nothing else; its views name them by number."""
    import duckdb

    paths = [f"/proc/self/fd/{descriptor}" for descriptor in files]
    engine = duckdb.connect(":memory:", config={"threads": request["threads"]})
    allowed = ", ".join(f"'{path}'" for path in paths)
    for setting in (
        "autoinstall_known_extensions = false",
        "autoload_known_extensions = false",
        "allow_community_extensions = false",
        "python_enable_replacements = false",
        "enable_progress_bar = false",
        "TimeZone = 'UTC'",
        "parquet_metadata_cache = true",
        f"memory_limit = '{request['memory']}B'",
        "max_temp_directory_size = '0B'",
        f"allowed_paths = [{allowed}]",
        # A path counts as what it leads to, which for a file that was replaced or removed is itself.
        f"allowed_directories = ['/proc/{os.getpid()}/fd/']",
        "enable_external_access = false",
    ):
        engine.sql(f"SET {setting}")
    engine.sql("SET lock_configuration = true")
    _confine(request["memory"])
    return engine


def _see(engine: duckdb.DuckDBPyConnection, descriptor: int) -> None:
    """Replaces the active records."""
    import pyarrow as pa

    with pa.memory_map(f"/proc/self/fd/{descriptor}") as mapped:
        os.close(descriptor)
        engine.register("active_lines", pa.ipc.open_file(mapped).read_all())


def _filled(view: list[str | int], files: list[int]) -> str:
    return "".join(
        part if isinstance(part, str) else f"'/proc/self/fd/{files[part]}'" for part in view
    )


def _end_with(descriptor: int) -> None:
    """Ends this process when the store's is gone, also in the middle of a statement."""
    poll = select.poll()
    poll.register(descriptor, select.POLLRDHUP)
    poll.poll()
    os._exit(1)


def _confine(memory: int) -> None:
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[0])
    size = pages * resource.getpagesize() + memory + _BESIDE
    _, hard = resource.getrlimit(resource.RLIMIT_AS)
    soft = size if hard == resource.RLIM_INFINITY else min(size, hard)
    resource.setrlimit(resource.RLIMIT_AS, (soft, hard))


def _answer(
    channel: socket.socket, engine: duckdb.DuckDBPyConnection, request: dict[str, Any]
) -> bool:
    """Sends what the statement gives; whether it gave more than was wanted."""
    _screen(engine, request["statement"])
    left = request["limit"]
    # The statement stands last and alone, so that no text of it can end what we put around it.
    found = engine.sql(request["statement"], params=request["parameters"])
    reader = found.to_arrow_reader(_BATCH_ROWS)
    _channel.send(channel, _channel.BATCH, _packed(reader.schema, None))
    for batch in reader:
        if left is not None and batch.num_rows > left:
            if left:
                _channel.send(channel, _channel.BATCH, _packed(reader.schema, batch.slice(0, left)))
            reader.close()
            return True
        _channel.send(channel, _channel.BATCH, _packed(reader.schema, batch))
        left = None if left is None else left - batch.num_rows
    return False


def _packed(schema: pa.Schema, batch: pa.RecordBatch | None) -> bytes:
    import pyarrow as pa

    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, schema) as stream:
        if batch is not None:
            stream.write_batch(batch)
    return bytes(sink.getvalue())


def _screen(engine: duckdb.DuckDBPyConnection, statement: str) -> None:
    statements = engine.extract_statements(statement)
    if len(statements) != 1:
        raise PermissionError(f"{len(statements)} statements, only one can be asked")
    kind = statements[0].type.name
    if kind not in _ALLOWED:
        raise PermissionError(f"{kind} changes something, only questions can be asked")


if __name__ == "__main__":
    main()
