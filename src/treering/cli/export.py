"""`treering export`: records for other people, with a manifest and proofs."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

from treering.cli import _options
from treering.cli._exit import Exit

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable


def add(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Adds the command."""
    parser = commands.add_parser(
        "export",
        help="take records out, with a manifest and proofs",
        description="Writes the records that a query finds to FILE, oldest first, and FILE.manifest.json:"
        " who, when, what, how many, digest, checkpoint. The journal says that it was done."
        " `treering export --check MANIFEST` checks it without the journal.",
    )
    parser.add_argument("directory", nargs="?", metavar="DIR", help="directory of the journal")
    parser.add_argument("query", nargs="?", default="", help="as of `treering search`")
    parser.add_argument("-o", "--output", metavar="FILE", help="the file to make")
    parser.add_argument(
        "--format",
        choices=("jsonl", "json", "csv", "txt", "parquet"),
        help="default: by the file's ending",
    )
    parser.add_argument("--style", default="STANDARD", help="of txt: preset, shape or template")
    parser.add_argument(
        "--proofs", action="store_true", help="FILE.proofs: a proof for each record"
    )
    parser.add_argument("--reason", help="why, for the manifest and the journal")
    group = parser.add_argument_group("conditions", "all that are given must hold")
    group.add_argument("--level", help="least level, e.g. WARNING")
    group.add_argument("--component", help="component and what is below it")
    group.add_argument("--category", help="category, e.g. api")
    group.add_argument(
        "--since",
        type=_options.moment,
        metavar="TIME",
        help="RFC 3339, or 10m, 2h, 3d ago, or now/d",
    )
    group.add_argument("--until", type=_options.moment, metavar="TIME", help="before this time")
    group.add_argument(
        "--journal", action="store_true", help="what the journal says of itself, too"
    )
    _options.add_identity(parser)
    parser.add_argument("--check", metavar="MANIFEST", help="check an export; nothing is exported")
    parser.add_argument("--trust", help="with --check: the pinned line, a policy, or a file of one")
    parser.add_argument("--json", action="store_true", help="the manifest on standard output")
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> Exit:
    """Exports; NO when nothing matched, or what is checked is not what was exported."""
    if options.check is not None:
        return _check(options)
    if options.directory is None or options.output is None:
        raise ValueError("export needs DIR and --output FILE, or --check MANIFEST")
    from treering.export import export

    made = export(
        options.directory,
        options.output,
        options.query,
        form=options.format,
        style=options.style,
        proofs=options.proofs,
        reason=options.reason,
        identities=options.identity,
        progress=_progress(),
        **_conditions(options),
    )
    if sys.stderr.isatty():
        print("\r\x1b[K", end="", file=sys.stderr)
    if options.json:
        print(made.text(), end="")
    else:
        proofs = f", proofs in {made.proofs}" if made.proofs else ""
        print(f"{made.count:,} records in {options.output} ({made.bytes:,} bytes{proofs})")
    return Exit.DONE if made.count else Exit.NO


def _conditions(options: argparse.Namespace) -> dict[str, Any]:
    return {
        "level": options.level,
        "component": options.component,
        "category": options.category,
        "start": options.since,
        "end": options.until,
        "journal": options.journal,
    }


def _progress() -> Callable[[int], object] | None:
    if not sys.stderr.isatty():
        return None
    return lambda count: print(f"\r{count:,} records", end="", file=sys.stderr, flush=True)


def _check(options: argparse.Namespace) -> Exit:
    from treering.errors import VerificationFailed
    from treering.export import check

    try:
        said = check(options.check, trust=_options.trust_of(options.trust))
    except VerificationFailed as error:
        print(f"FAIL: {error}")
        return Exit.NO
    proven = said.proofs is not None and options.trust is not None
    what = "every record proven" if proven else "proofs were not looked at"
    print(f"AS EXPORTED: {said.count:,} records of {said.journal} ({what})")
    return Exit.DONE
