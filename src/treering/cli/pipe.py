"""`treering pipe`: text from elsewhere into a journal."""

from __future__ import annotations

import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

import treering
from treering import _core
from treering.cli._exit import Exit

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterator

_CHUNK_BYTES = 256 << 10
_PROGRESS_S = 0.2


def add(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Adds the command."""
    parser = commands.add_parser(
        "pipe",
        help="put lines of files or standard input into a journal",
        description="Reads JSON Lines, logfmt, syslog, lines that begin with a time in many forms,"
        " and plain text; finds the level; joins tracebacks to their record.",
    )
    parser.add_argument("files", nargs="*", metavar="FILE", help="default, and -: standard input")
    parser.add_argument("--to", required=True, metavar="DIR", help="directory of the journal")
    parser.add_argument("--component", default="pipe", help="for lines that name none")
    parser.add_argument("--utc", action="store_true", help="times without a zone are UTC")
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> Exit:
    """Reads to the end, then says what was found; NO when records were lost."""
    names = options.files or ["-"]
    missing = [name for name in names if name != "-" and not Path(name).is_file()]
    if missing:
        raise FileNotFoundError(f"no file '{missing[0]}' to read: a file's path would be right")
    treering.configure(directory=options.to, console=False, overflow="block", block_timeout_s=3600)
    totals: dict[str, int] = {}
    logged = 0
    for name in names:
        recogniser = _core.Recogniser(options.component, options.utc)
        for chunk in _chunks(name):
            logged += recogniser.feed(chunk)
        logged += recogniser.finish()
        for key, count in recogniser.counts().items():
            totals[key] = totals.get(key, 0) + count
    complete = treering.shutdown(3600)
    forms = ", ".join(f"{count:,} {form}" for form, count in totals.items() if count)
    print(f"{logged:,} records into {options.to} ({forms or 'nothing to read'})", file=sys.stderr)
    return Exit.DONE if complete and logged == totals.get("records", 0) else Exit.NO


def _chunks(name: str) -> Iterator[bytes]:
    if name == "-":
        yield from _read(sys.stdin.buffer, "standard input")
    else:
        with Path(name).open("rb") as file:
            yield from _read(file, name)


def _read(file: BinaryIO, name: str) -> Iterator[bytes]:
    shows = sys.stderr.isatty()
    done, last = 0, time.monotonic()
    # `read1`: what a slow pipe gives is logged at once, not when a chunk is full.
    read = getattr(file, "read1", file.read)
    while chunk := read(_CHUNK_BYTES):
        yield chunk
        done += len(chunk)
        if shows and time.monotonic() - last > _PROGRESS_S:
            last = time.monotonic()
            print(f"\r{name}: {done / 1e6:,.1f} MB", end="", file=sys.stderr, flush=True)
    if shows and done:
        print("\r\x1b[K", end="", file=sys.stderr)
