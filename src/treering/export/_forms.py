"""What an export looks like: records as bytes, batch by batch."""

from __future__ import annotations

import csv
import io
import json
from typing import TYPE_CHECKING, Any

from treering.outputs import formatter

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from treering.store import Record

COLUMNS = (
    "index",
    "timestamp",
    "level",
    "category",
    "component",
    "message",
    "module",
    "function",
    "file",
    "line",
    "process",
    "thread",
    "host",
    "trace_id",
    "span_id",
    "context",
    "metadata",
    "performance_data",
    "exception",
)
"""Of CSV: the keys of the record, objects as JSON text."""

_FORMULA = ("=", "+", "-", "@", "\t", "\r")


def as_json_lines(records: Iterable[Record]) -> Iterator[bytes]:
    """The canonical lines as they were sealed, each with a line feed."""
    return (record.line + b"\n" for record in records)


def as_json(records: Iterable[Record]) -> Iterator[bytes]:
    """One array of the records, one on a line."""
    before = b"[\n"
    for record in records:
        yield before + record.line
        before = b",\n"
    yield b"\n]\n" if before == b",\n" else b"[]\n"


def as_csv(records: Iterable[Record]) -> Iterator[bytes]:
    """RFC 4180 with a header; text that a spreadsheet would take for a formula begins with a quote."""
    buffer = io.StringIO(newline="")
    writer = csv.writer(buffer)
    writer.writerow(COLUMNS)
    for record in records:
        value = record.value
        writer.writerow([record.index, *(cell(value.get(name)) for name in COLUMNS[1:])])
        yield buffer.getvalue().encode()
        buffer.seek(0)
        buffer.truncate()
    yield buffer.getvalue().encode()


def cell(value: Any) -> Any:
    """A value as CSV has it: nothing in it is obeyed by a terminal, or calculated by a spreadsheet."""
    # Control characters would be obeyed by a terminal that shows the file.
    if isinstance(value, dict | list):
        text = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
        return "".join(c if c.isprintable() else json.dumps(c)[1:-1] for c in text)
    if isinstance(value, str):
        shown = "".join(c if c.isprintable() or c == "\n" else f"\\x{ord(c):02x}" for c in value)
        return f"'{shown}" if value.startswith(_FORMULA) else shown
    return value


def as_text(style: str) -> Callable[[Iterable[Record]], Iterator[bytes]]:
    """A text form by a preset's name, a shape's, or a template.

    Raises:
        ConfigurationError: The style is none of these.
    """
    made = formatter(style, utc=True)

    def shown(records: Iterable[Record]) -> Iterator[bytes]:
        for record in records:
            yield made.text(record.line + b"\n", range(record.index, record.index + 1))

    return shown
