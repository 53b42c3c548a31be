"""`treering redact`: text as redaction leaves it, to try rules before they matter."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from treering import _core
from treering.cli._exit import Exit

if TYPE_CHECKING:
    import argparse


def add(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Adds the command."""
    parser = commands.add_parser(
        "redact",
        help="show what redaction leaves of a text",
        description="Prints each text, or each line of standard input, without its secrets."
        " A text that is a JSON object is redacted by key as well.",
    )
    parser.add_argument("texts", nargs="*", metavar="TEXT", help="default: standard input")
    parser.add_argument(
        "--journal", metavar="DIRECTORY", help="by the rules of this journal; default: built-in"
    )
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> Exit:
    """Prints; NO when there was nothing to redact."""
    found = False
    for line in options.texts or sys.stdin:
        text = line.rstrip("\n")
        redacted = _core.redact(text, options.journal)
        found |= redacted != text
        print(redacted)
    return Exit.DONE if found else Exit.NO
