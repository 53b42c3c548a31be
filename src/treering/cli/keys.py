"""`treering keys`: the public keys of a journal, the next signing key, and who reads the archive."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from treering.cli import _options
from treering.cli._exit import Exit

if TYPE_CHECKING:
    import argparse


def add(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Adds the command with its actions."""
    parser = commands.add_parser("keys", help="the keys of a journal")
    actions = parser.add_subparsers(metavar="ACTION", required=True)
    show = actions.add_parser("show", help="print the line to pin")
    _options.add_journal(show)
    show.add_argument("--json", action="store_true", help="for programs")
    show.set_defaults(run=run_show)
    rotate = actions.add_parser(
        "rotate", help="end the running epoch: its key is destroyed, the next one signs"
    )
    _options.add_journal(rotate)
    rotate.set_defaults(run=run_rotate)
    export = actions.add_parser("export", help="print the public keys as a C2SP tlog-policy")
    _options.add_journal(export)
    export.set_defaults(run=run_export)
    rewrap = actions.add_parser(
        "rewrap", help="encrypt the encrypted files of the archive anew, for other recipients"
    )
    _options.add_journal(rewrap)
    _options.add_identity(rewrap)
    rewrap.add_argument(
        "--recipient",
        action="append",
        required=True,
        metavar="AGE1…",
        help="who can read the files from then on; may be given again",
    )
    rewrap.set_defaults(run=run_rewrap)


def run_show(options: argparse.Namespace) -> Exit:
    """Shows the keys as record 0 names them."""
    from treering.seal import keys

    found = keys(options.directory)
    if options.json:
        fields = {"origin": found.origin, "identity": found.identity, "epoch_0": found.epoch_0}
        print(json.dumps({**fields, "pin": found.pin}))
    else:
        print(found.pin)
    return Exit.DONE


def run_rotate(options: argparse.Namespace) -> Exit:
    """Ends the epoch."""
    from treering.seal import rotate_key

    print(f"epoch {rotate_key(options.directory):,} has begun; the key before it is destroyed")
    return Exit.DONE


def run_export(options: argparse.Namespace) -> Exit:
    """Prints a policy without witnesses."""
    from treering.seal import keys

    print(keys(options.directory).policy, end="")
    return Exit.DONE


def run_rewrap(options: argparse.Namespace) -> Exit:
    """Encrypts anew; says what is left to do, since new files follow the settings."""
    from treering.archive import rewrap

    identities = _options.identities_of(options)
    if identities is None:
        raise ValueError("--identity FILE is needed to open the files as they are now")
    done = rewrap(options.directory, options.recipient, identities=identities)
    print(f"{done.files:,} files ({done.bytes:,} bytes) are encrypted anew", end="")
    print(f", {done.others:,} were for these recipients already" if done.others else "")
    return Exit.DONE
