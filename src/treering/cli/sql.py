"""`treering sql`: what one SELECT about the records gives."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from treering.cli import _options, _tables
from treering.cli._exit import Exit
from treering.cli._options import add_journal, duration_s
from treering.cli._waiting import Waiting

if TYPE_CHECKING:
    import argparse


def add(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Adds the command."""
    parser = commands.add_parser("sql", help="ask a journal in SQL, read-only")
    add_journal(parser)
    parser.add_argument(
        "statement", help="one SELECT about the view records; - reads it from stdin"
    )
    _tables.add_form(parser)
    _options.add_identity(parser)
    parser.add_argument("--limit", type=int, default=1000, help="rows at most (%(default)s)")
    parser.add_argument(
        "--timeout", type=duration_s, default=60, metavar="TIME", help="e.g. 30s, 5m (60s)"
    )
    parser.add_argument(
        "--parameter",
        action="append",
        default=[],
        metavar="VALUE",
        help="the value of the next ? in the statement; may be given again",
    )
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> Exit:
    """Shows the rows; NO when there are none."""
    from treering.store import open_store

    statement = sys.stdin.read() if options.statement == "-" else options.statement
    identities = options.identity
    with Waiting() as waiting, open_store(options.directory, identities=identities) as store:
        found = store.sql(
            statement, options.parameter, limit=options.limit, timeout_s=options.timeout
        )
        shown = _tables.show(found, options.form, waiting)
        waiting.end()
        if found.is_cut:
            print(f"treering: only the first {options.limit} rows, see --limit", file=sys.stderr)
    return Exit.DONE if shown else Exit.NO
