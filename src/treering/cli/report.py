"""`treering report`: performance and errors of a journal, on one page."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from treering.cli import _analysis, _options
from treering.cli._exit import Exit
from treering.journal import Journal

if TYPE_CHECKING:
    import argparse

_ENDINGS = {".html": "html", ".htm": "html", ".md": "markdown"}


def add(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Adds the command."""
    parser = commands.add_parser(
        "report",
        help="performance and errors on one page: terminal, Markdown or HTML",
        description="Volume, top errors, new patterns, percentiles, slowest records, silences, bursts, and"
        " the health of the journal. Exit code 1 when there is no record.",
    )
    _analysis.add_records(parser)
    parser.add_argument(
        "--format",
        choices=("terminal", "markdown", "html"),
        help="default: by the ending of -o, else terminal",
    )
    parser.add_argument("-o", "--output", metavar="FILE", help="default: standard output")
    parser.add_argument(
        "--measure", default="duration_ms", metavar="FIELD", help="default: duration_ms"
    )
    parser.add_argument("--by", default="component", metavar="FIELD", help="default: component")
    parser.add_argument(
        "--limit", type=int, default=10, metavar="N", help="rows of a table (default: 10)"
    )
    parser.add_argument("--title", help="default: the journal's directory")
    parser.add_argument(
        "--color", choices=("auto", "always", "never"), default="auto", help="for the terminal"
    )
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> Exit:
    """Writes the report; NO when there is no record."""
    from treering.analysis import report

    journal = Journal(options.directory)
    with _analysis.open_records(options) as store:
        found = report(
            store,
            query=options.query,
            start=options.since,
            end=options.until,
            field=options.measure,
            by=options.by,
            limit=max(1, options.limit),
            title=options.title or f"Report of {journal.directory.absolute().name}",
            status={**journal.status(), "end": journal.end},
        )
    ending = Path(options.output or "").suffix.lower()
    form = options.format or _ENDINGS.get(ending, "terminal")
    if form == "terminal":
        is_coloured = options.output is None and _options.is_coloured(options)
        text = found.text(colour=is_coloured, width=_analysis.width())
    else:
        text = found.html() if form == "html" else found.markdown()
    if options.output is None:
        sys.stdout.write(text)
    else:
        # Records are in it: for nobody else's eyes, unless the file was there and is for others.
        with open(options.output, "w", encoding="utf-8", opener=_private) as file:
            file.write(text)
    return Exit.DONE if found.performance.records else Exit.NO


def _private(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)
