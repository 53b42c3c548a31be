"""`treering prove` and `treering export-tiles`: what can be shown without showing the journal."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

from treering.cli import _options
from treering.cli._exit import Exit

if TYPE_CHECKING:
    import argparse


def add(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Adds both commands."""
    parser = commands.add_parser(
        "prove",
        help="make the proof of one record",
        description="Writes a C2SP tlog-proof to standard output, and the record's line to --record."
        " Both together are what `treering verify PROOF --record FILE --trust LINE` needs.",
    )
    _options.add_journal(parser)
    parser.add_argument("index", type=int, metavar="INDEX", help="index of the record")
    parser.add_argument("--record", metavar="FILE", help="where to write the record's line")
    _options.add_identity(parser)
    parser.set_defaults(run=run)
    parser = commands.add_parser(
        "export-tiles",
        help="write the tree of a journal for mirrors",
        description="Writes the static tree of C2SP tlog-tiles: hashes and commitments, no content.",
    )
    _options.add_journal(parser)
    parser.add_argument("target", metavar="TARGET", help="directory to write to")
    parser.set_defaults(run=run_export)


def run(options: argparse.Namespace) -> Exit:
    """Proves one record."""
    from treering.archive import identity_files
    from treering.seal import prove

    identities = identity_files(options.identity)
    proof, line = prove(options.directory, options.index, identities=identities)
    if options.record is not None:
        Path(options.record).write_bytes(line + b"\n")
    sys.stdout.write(proof)
    return Exit.DONE


def run_export(options: argparse.Namespace) -> Exit:
    """Exports the tree."""
    from treering.seal import export_tiles

    size = export_tiles(options.directory, options.target)
    print(f"the tree of {size:,} records is in {options.target}")
    return Exit.DONE
