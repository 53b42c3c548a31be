"""What the commands of the analysis share: records of a directory, ranges of time, where output goes."""

from __future__ import annotations

import shutil
import sys
from typing import TYPE_CHECKING

from treering.cli import _options
from treering.journal import Journal

if TYPE_CHECKING:
    import argparse

    from treering.store import Store

_WIDE = 160


def add_records(parser: argparse.ArgumentParser) -> None:
    """Adds the journal and which of its records."""
    _options.add_journal(parser)
    parser.add_argument("query", nargs="?", metavar="QUERY", help="which records, as in search")
    parser.add_argument(
        "--since", type=_options.time_ns, metavar="TIME", help="RFC 3339, or 10m, 2h, 3d ago"
    )
    parser.add_argument("--until", type=_options.time_ns, metavar="TIME", help="before this time")
    _options.add_identity(parser)


def open_records(options: argparse.Namespace) -> Store:
    """The store of a journal, with what dead processes left in their rings."""
    from treering.store import open_store

    Journal(options.directory).recover()
    return open_store(options.directory, identities=options.identity)


def range_of(text: str) -> tuple[int | None, int | None]:
    """`2h..1h`, `2026-11-21..`, `..10m`: two times, either of which may be missing.

    Raises:
        ValueError: It is not two times with `..` between.
    """
    begin, dots, end = text.partition("..")
    if not dots:
        raise ValueError
    return (
        _options.time_ns(begin) if begin.strip() else None,
        _options.time_ns(end) if end.strip() else None,
    )


def is_range(text: str) -> bool:
    """Whether this is a range of time and not a query."""
    try:
        range_of(text)
    except ValueError:
        return False
    return True


def width() -> int:
    """Columns of the terminal; wide when the output goes elsewhere."""
    return shutil.get_terminal_size().columns if sys.stdout.isatty() else _WIDE
