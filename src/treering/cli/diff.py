"""`treering diff`: what differs between two times, or between two queries."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from treering.cli import _analysis, _options
from treering.cli._exit import Exit

if TYPE_CHECKING:
    import argparse

    from treering.analysis import Change, Difference

    Range = tuple[int | None, int | None]


def add(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Adds the command."""
    parser = commands.add_parser(
        "diff",
        help="compare two times or two queries: which patterns and fields differ",
        description="BEFORE and AFTER are each a range of time (2h..1h, 2026-11-21T10:00Z.., ..10m) or a"
        " query. Exit code 1 when nothing differs.",
    )
    parser.add_argument("directory", metavar="DIR", help="directory of the journal")
    parser.add_argument("query", nargs="?", metavar="QUERY", help="which records of both")
    parser.add_argument(
        "--before", required=True, metavar="RANGE|QUERY", help="what is compared with"
    )
    parser.add_argument("--after", metavar="RANGE|QUERY", help="default: what follows --before")
    parser.add_argument(
        "--rate",
        type=float,
        default=0.05,
        metavar="R",
        help="false discoveries accepted (default: 0.05)",
    )
    parser.add_argument(
        "--limit", type=int, default=20, metavar="N", help="of each table (default: 20)"
    )
    parser.add_argument("--json", action="store_true", help="one change a line")
    _options.add_identity(parser)
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> Exit:
    """Shows what differs; NO when nothing does."""
    from treering.analysis import diff

    after = options.after
    if after is None:
        if not _analysis.is_range(options.before) or options.before.rstrip().endswith(".."):
            raise ValueError(
                "--after is missing: only a range of time with an end is followed by one"
            )
        after = options.before.rpartition("..")[2] + ".."
    with _analysis.open_records(options) as store:
        sides = [_side(chosen) for chosen in (options.before, after)]
        found = diff(store, *sides, query=options.query, rate=options.rate)
    if options.json:
        for change in (*found.patterns, *found.fields):
            print(json.dumps(change.to_dict()))
    else:
        _show(found, options.limit)
    return Exit.DONE if found.patterns or found.fields else Exit.NO


def _side(chosen: str) -> str | Range:
    return _analysis.range_of(chosen) if _analysis.is_range(chosen) else chosen


def _show(found: Difference, limit: int) -> None:
    from treering.analysis._text import aligned, visible

    print(
        f"{found.before:,} records before, {found.after:,} after; {found.compared:,} things compared"
    )
    for title, changes, head in (
        ("Patterns", found.patterns, "pattern"),
        ("Fields", found.fields, "field"),
    ):
        if not changes:
            print(f"\n{title}: nothing differs")
            continue
        print(f"\n{title}")
        rows = [_row(change) for change in changes[:limit]]
        heads = ("before>", "after>", "share>", "", "change>", "q>", "component", head)
        print("\n".join(aligned(heads, rows, _analysis.width())))
        if len(changes) > limit:
            print(f"  and {len(changes) - limit:,} more")
    if found.not_compared:
        print(f"\nnot compared, too many values: {visible(', '.join(found.not_compared))}")


def _row(change: Change) -> tuple[str, ...]:
    what = change.name if change.value is None else f"{change.name} = {change.value}"
    grown = f"{2.0**change.log2_ratio:.3g} x"
    state = "new" if change.is_new else "gone" if change.is_gone else grown
    return (
        f"{change.before:,}",
        f"{change.after:,}",
        f"{change.share_before:.2%}",
        f"→ {change.share_after:.2%}",
        state,
        f"{change.q_value:.1g}",
        change.component,
        what,
    )
