"""`treering archive`: turning closed segments into Parquet files now, and listing those there are."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING

from treering.cli import _options
from treering.cli._exit import Exit

if TYPE_CHECKING:
    import argparse

    from treering.archive import ArchivedFile, Archiving


def add(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Adds the command."""
    parser = commands.add_parser(
        "archive",
        help="turn closed segments into Parquet files now, or list the files",
        description="Turns all closed segments of a journal into Parquet files, however young they are;"
        " a journal in use does so itself, in the background. Every line is compared before the JSON"
        " Lines are removed.",
    )
    _options.add_journal(parser)
    parser.add_argument(
        "--all",
        action="store_true",
        help="the segment that is being written, too; it is closed first",
    )
    parser.add_argument("--list", action="store_true", help="list the files, change nothing")
    parser.add_argument("--json", action="store_true", help="for programs")
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> Exit:
    """Archives or lists; NO when there was nothing to archive."""
    if options.list:
        return _list(options)
    from treering.archive import archive

    is_shown = sys.stderr.isatty() and not options.json
    done = archive(options.directory, all=options.all, progress=_tell if is_shown else None)
    if is_shown:
        print("\r\x1b[K", end="", file=sys.stderr, flush=True)
    if options.json:
        print(json.dumps({key: getattr(done, key) for key in done.__slots__}))
    elif done.files:
        print(
            f"{done.records:,} records archived in {done.files:,} files:"
            f" {done.lines_bytes:,} bytes became {done.file_bytes:,}"
        )
    else:
        print("nothing to archive: no segment is closed (--all closes the active one)")
    return Exit.DONE if done.files else Exit.NO


def _tell(done: Archiving) -> None:
    text = f"\r\x1b[K{done.records:,} records in {done.files:,} files …"
    print(text, end="", file=sys.stderr, flush=True)


def _list(options: argparse.Namespace) -> Exit:
    from treering.archive import archived

    files = archived(options.directory)
    for file in files:
        if options.json:
            shown = {"path": str(file.path), "bytes": file.bytes, "is_encrypted": file.is_encrypted}
            print(json.dumps({**shown, **file.facts}))
        else:
            print(_line(file))
    return Exit.DONE


def _line(file: ArchivedFile) -> str:
    times = f"{file.min_timestamp or '-'}  {file.max_timestamp or '-'}"
    size = f"{file.records:>12,} records {file.bytes:>14,} bytes"
    encrypted = "  encrypted" if file.is_encrypted else ""
    return f"{file.first:>12} to {file.end:<12} {size}  {times}{encrypted}"
