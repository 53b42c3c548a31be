"""`treering cat`: the records of a journal, oldest first."""

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
    parser = commands.add_parser("cat", help="show records, oldest first")
    _options.add_journal(parser)
    parser.add_argument("--start", type=int, default=0, metavar="INDEX", help="first index")
    parser.add_argument("--stop", type=int, metavar="INDEX", help="index to stop before")
    _options.add_identity(parser)
    _options.add_filter(parser)
    _options.add_looks(parser)
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> Exit:
    """Shows them; NO when nothing matched."""
    journal = Journal(options.directory, identities=_options.identities_of(options))
    journal.recover()
    look = _options.look_of(options)
    matched = False
    for index, line in journal.records(
        options.start, options.stop, filter=_options.filter_of(options)
    ):
        matched = True
        sys.stdout.buffer.write(look(index, line))
    return Exit.DONE if matched else Exit.NO
