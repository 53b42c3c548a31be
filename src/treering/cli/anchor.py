"""`treering anchor`: have somebody outside confirm what is sealed."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING

from treering.cli import _options
from treering.cli._exit import Exit
from treering.errors import AnchorError

if TYPE_CHECKING:
    import argparse


def add(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Adds the command."""
    parser = commands.add_parser(
        "anchor",
        help="have somebody outside confirm the newest checkpoint",
        description="Brings the newest checkpoint to a C2SP witness, a time-stamping authority"
        " (RFC 3161) or a command of yours. Run it from a timer: cutting off or rewriting what was"
        " confirmed is seen later, whoever has the keys.",
    )
    _options.add_journal(parser)
    parser.add_argument("--witness", metavar="URL", help="a witness's submission prefix")
    parser.add_argument("--key", metavar="VKEY", help="the witness's key")
    parser.add_argument("--time-stamp", metavar="URL", help="a time-stamping authority")
    parser.add_argument(
        "--ca", metavar="FILE", help="certificates the authority must chain to, PEM"
    )
    parser.add_argument(
        "--command", metavar="COMMAND", help="gets the checkpoint on standard input"
    )
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> Exit:
    """Anchors; NO when somebody did not confirm."""
    from treering import seal

    if options.witness is None and options.time_stamp is None and options.command is None:
        raise ValueError("nobody is named: --witness, --time-stamp or --command would be right")
    if (options.witness is None) != (options.key is None):
        raise ValueError("--witness and --key go together")
    if (options.time_stamp is None) != (options.ca is None):
        raise ValueError("--time-stamp and --ca go together")
    try:
        if options.witness is not None:
            size = seal.anchor_with_witness(options.directory, options.witness, options.key)
            print(f"witnessed: {size:,} records")
        if options.time_stamp is not None:
            size = seal.anchor_with_time_stamp(options.directory, options.time_stamp, options.ca)
            print(f"time-stamped: {size:,} records")
        if options.command is not None:
            size = seal.anchor_with_command(options.directory, shlex.split(options.command))
            print(f"given to the command: {size:,} records")
    except AnchorError as error:
        print(_options.visible(f"not confirmed: {error}"))
        return Exit.NO
    return Exit.DONE
