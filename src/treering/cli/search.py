"""`treering search`: the records that a query finds, or what its pipes make of them."""

from __future__ import annotations

import argparse
import sys
from typing import TYPE_CHECKING, Any

from treering.cli import _options, _tables
from treering.cli._exit import Exit
from treering.cli._waiting import Waiting

if TYPE_CHECKING:
    from collections.abc import Iterable

    from treering.store import Record, Result, Store


def add(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Adds the command."""
    parser = commands.add_parser(
        "search",
        help="find records: fields, words, times, pipes",
        description="Find records. docs/reference/query.md has the query language.",
    )
    _options.add_journal(parser)
    parser.add_argument("query", nargs="?", default="", help="e.g. 'level>=ERROR \"timed out\"'")
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
    group.add_argument("--field", action="append", default=[], type=_pair, metavar="KEY=VALUE")
    group.add_argument(
        "--journal", action="store_true", help="what the journal says of itself, too"
    )
    _add_page(parser)
    _options.add_looks(parser)
    _options.add_identity(parser)
    parser.set_defaults(run=run)


def _add_page(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("answer")
    group.add_argument("--limit", type=int, default=100, help="records at most (%(default)s)")
    group.add_argument("--all", action="store_true", help="every record, without a limit")
    group.add_argument("--order", choices=("newest", "oldest"), default="newest")
    group.add_argument("--cursor", help="go on where another page ended")
    group.add_argument("--context", type=int, default=0, metavar="N", help="records around each")
    group.add_argument(
        "--same",
        choices=("process", "component", "trace", "none"),
        default="none",
        help="what those around have in common with it",
    )
    group.add_argument("--fields", metavar="A,B", help="only these fields, as a table")
    group.add_argument("--csv", action="store_true", help="tables as comma-separated values")
    group.add_argument("--count", action="store_true", help="only how many there are")
    group.add_argument("--histogram", action="store_true", help="how many there are, over time")
    group.add_argument("--span", metavar="TIME", help="length of the histogram's pieces, e.g. 5m")
    group.add_argument("--timeout", type=_options.duration_s, metavar="TIME", help="e.g. 30s")


def run(options: argparse.Namespace) -> Exit:
    """Shows what was found; NO when it is nothing."""
    from treering.store import open_store

    identities = options.identity
    with Waiting() as waiting, open_store(options.directory, identities=identities) as store:
        if options.count:
            return _count(store, options, waiting)
        if options.histogram:
            return _histogram(store, options, waiting)
        query = options.query
        if options.fields:
            sort = "sort -index | " if options.order == "newest" else ""
            query = f"{query} | {sort}limit {options.limit} | fields {options.fields}"
        found = store.search(query, **_conditions(options), **_page(options))
        if found.is_table:
            form = "csv" if options.csv else "json" if options.json else "table"
            shown = _tables.show(found, form, waiting)
        else:
            shown = _records(store, found, options, waiting)
    return Exit.DONE if shown else Exit.NO


def _conditions(options: argparse.Namespace) -> dict[str, Any]:
    return {
        "level": options.level,
        "component": options.component,
        "category": options.category,
        "start": options.since,
        "end": options.until,
        "fields": dict(options.field),
        "journal": options.journal,
        "timeout_s": options.timeout,
    }


def _page(options: argparse.Namespace) -> dict[str, Any]:
    limit = None if options.all else options.limit
    return {"limit": limit, "cursor": options.cursor, "order": options.order}


def _count(store: Store, options: argparse.Namespace, waiting: Waiting) -> Exit:
    found = store.search(f"{options.query} | stats count()", **_conditions(options))
    count = next(iter(next(iter(found)).values()))
    waiting.end()
    print(count)
    return Exit.DONE if count else Exit.NO


def _histogram(store: Store, options: argparse.Namespace, waiting: Waiting) -> Exit:
    span = f" span={options.span}" if options.span else ""
    found = store.search(
        f"{options.query} | timechart{span} count() as count by level", **_conditions(options)
    )
    if options.json or options.csv:
        form = "csv" if options.csv else "json"
        return Exit.DONE if _tables.show(found, form, waiting) else Exit.NO
    shown = _tables.histogram(found, waiting, is_coloured=_options.is_coloured(options))
    return Exit.DONE if shown else Exit.NO


def _records(store: Store, found: Result, options: argparse.Namespace, waiting: Waiting) -> int:
    look = _options.look_of(options)
    count = 0
    for count, record in enumerate(found.records(), 1):  # type: ignore[attr-defined]
        waiting.came()
        if options.context and count > 1:
            sys.stdout.buffer.write(b"--\n")
        for shown in _around(store, record, options):
            sys.stdout.buffer.write(look(shown.index, shown.line))
    following = getattr(found, "next_cursor", None)
    if following:
        sys.stdout.flush()
        waiting.end()
        print(f"treering: there are more, --cursor {following}", file=sys.stderr)
    return count


def _around(store: Store, record: Record, options: argparse.Namespace) -> Iterable[Record]:
    if not options.context:
        return [record]
    count = options.context
    return store.context(record.index, before=count, after=count, same=options.same)


def _pair(text: str) -> tuple[str, str]:
    key, equals, value = text.partition("=")
    if not equals:
        raise argparse.ArgumentTypeError(f"'{text}' is not KEY=VALUE")
    return key, value
