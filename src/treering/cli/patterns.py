"""`treering patterns`: which messages there are, and how many of each."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from treering.cli import _analysis, _options
from treering.cli._exit import Exit

if TYPE_CHECKING:
    import argparse
    from collections.abc import Sequence

    from treering.analysis import Pattern, Patterns


def add(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Adds the command."""
    parser = commands.add_parser(
        "patterns",
        help="show which messages there are, and how many of each",
        description="Finds what messages have in common: <*> stands where they differ. Exit code 1 when"
        " there is none.",
    )
    _analysis.add_records(parser)
    parser.add_argument(
        "--new-since",
        type=_options.time_ns,
        metavar="TIME",
        help="only patterns that were not seen before; looks at all records before, too",
    )
    parser.add_argument("--limit", type=int, default=30, metavar="N", help="default: 30; 0: all")
    parser.add_argument("--examples", action="store_true", help="show a message of each")
    parser.add_argument("--json", action="store_true", help="one pattern a line")
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> Exit:
    """Shows them; NO when there is none."""
    from treering.analysis import patterns

    with _analysis.open_records(options) as store:
        found = patterns(
            store,
            query=options.query,
            start=options.since,
            end=options.until,
            new_since=options.new_since,
        )
    wanted = [one for one in found if options.new_since is None or one.is_new]
    shown = wanted[: options.limit] if options.limit > 0 else wanted
    if options.json:
        for one in shown:
            print(json.dumps(one.to_dict()))
    elif shown:
        _show(found, shown, len(wanted), with_examples=options.examples)
    return Exit.DONE if shown else Exit.NO


def _show(found: Patterns, shown: Sequence[Pattern], wanted: int, *, with_examples: bool) -> None:
    from treering.analysis._text import aligned, visible
    from treering.analysis._time import clock

    head = ("count>", "share>", "trend", "first seen", "last seen", "component", "pattern")
    rows = [
        (
            f"{one.count:,}",
            f"{one.share:.1%}",
            one.sparkline,
            clock(one.first_seen),
            clock(one.last_seen),
            one.component,
            one.template,
        )
        for one in shown
    ]
    lines = aligned(head, rows, _analysis.width())
    print(lines[0])
    for line, one in zip(lines[1:], shown, strict=True):
        print(line)
        if with_examples and one.examples:
            print(f"      e.g. {visible(one.examples[0])[: _analysis.width() - 11]}")
    more = f", {wanted - len(shown):,} more patterns" if wanted > len(shown) else ""
    print(f"{found.records:,} records, {len(found):,} patterns{more}")
