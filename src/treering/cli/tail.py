"""`treering tail`: the newest records, and those to come."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from treering.cli import _options
from treering.cli._exit import Exit
from treering.journal import Journal

if TYPE_CHECKING:
    import argparse


def add(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Adds the command."""
    parser = commands.add_parser("tail", help="show the newest records, and follow with -f")
    _options.add_journal(parser)
    parser.add_argument("-n", type=int, default=10, metavar="N", help="how many (default: 10)")
    parser.add_argument("-f", "--follow", action="store_true", help="wait for more")
    _options.add_identity(parser)
    _options.add_filter(parser)
    _options.add_looks(parser)
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> Exit:
    """Shows them; with `-f` until interrupted."""
    journal = Journal(options.directory, identities=_options.identities_of(options))
    journal.recover()
    wanted = _options.filter_of(options)
    look = _options.look_of(options)
    end = journal.end
    newest = journal.tail(options.n, filter=wanted)
    for index, line in newest:
        sys.stdout.buffer.write(look(index, line))
    if options.follow:
        sys.stdout.flush()
        after = newest[-1][0] + 1 if newest else 0
        for index, line in journal.records(max(end, after), filter=wanted, follow=True):
            sys.stdout.buffer.write(look(index, line))
            sys.stdout.flush()
    return Exit.DONE
