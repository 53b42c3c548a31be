"""The command line: `treering COMMAND …`."""

from __future__ import annotations

import argparse
import os
import sys
from typing import TYPE_CHECKING

from treering.cli import (
    anchor,
    archive,
    cat,
    config,
    diff,
    drain,
    erase,
    events,
    export,
    keys,
    level,
    patterns,
    pipe,
    prove,
    redact,
    report,
    retain,
    search,
    sql,
    stats,
    tail,
    verify,
    witness,
)
from treering.cli._exit import Exit
from treering.errors import TreeringError

if TYPE_CHECKING:
    from collections.abc import Sequence

_COMMANDS = (
    cat,
    tail,
    search,
    sql,
    pipe,
    stats,
    patterns,
    diff,
    report,
    export,
    verify,
    prove,
    keys,
    anchor,
    archive,
    erase,
    level,
    config,
    events,
    redact,
    retain,
    drain,
    witness,
)


def parser() -> argparse.ArgumentParser:
    """The parser of the whole command line."""
    from treering import __version__

    top = argparse.ArgumentParser(
        prog="treering", description="Look at Treering journals, and put records into them."
    )
    top.add_argument("--version", action="version", version=f"treering {__version__}")
    commands = top.add_subparsers(title="commands", metavar="COMMAND", required=True)
    for module in _COMMANDS:
        module.add(commands)
    return top


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs one command and gives its exit code; prints errors as one line, never a traceback."""
    options = parser().parse_args(arguments)
    try:
        code = int(options.run(options))
        sys.stdout.flush()
    except BrokenPipeError:
        # The reader has seen enough (`| head`). Nothing may be written on the way out either.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return Exit.DONE
    except KeyboardInterrupt:
        return Exit.INTERRUPTED
    except (TreeringError, ValueError, OSError) as error:
        print(f"treering: {error}", file=sys.stderr)
        excerpt = getattr(error, "excerpt", None)
        if excerpt:
            print(excerpt, file=sys.stderr)
        hint = getattr(error, "hint", None)
        if hint:
            print(f"hint: {hint}", file=sys.stderr)
        return Exit.USAGE
    return code


def run() -> None:
    """The entry point."""
    sys.exit(main())
