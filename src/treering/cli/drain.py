"""`treering drain`: a separate process that leads a journal."""

from __future__ import annotations

import signal
import sys
from typing import TYPE_CHECKING

from treering import _core
from treering.cli import _options
from treering.cli._exit import Exit

if TYPE_CHECKING:
    import argparse


def add(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Adds the command."""
    parser = commands.add_parser(
        "drain",
        help="lead a journal from a process of its own",
        description="Takes the lead from whoever has it and keeps it until SIGTERM or SIGINT; may"
        " run as another user, so that applications cannot rewrite what they have said.",
    )
    _options.add_journal(parser)
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> Exit:
    """Leads until told to stop."""
    stopping = {signal.SIGTERM, signal.SIGINT}
    signal.pthread_sigmask(signal.SIG_BLOCK, stopping)
    drain = _core.Drain(options.directory)
    told = False
    while not told:
        told = signal.sigtimedwait(stopping, 0.2) is not None
        if drain.leads:
            print(f"leading {options.directory}", file=sys.stderr, flush=True)
            break
        if drain.last_error:
            print(f"treering: {drain.last_error}", file=sys.stderr, flush=True)
    while not told:
        told = signal.sigwait(stopping) is not None
    drain.stop()
    return Exit.DONE
