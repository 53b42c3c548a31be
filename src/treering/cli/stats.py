"""`treering stats`: what a journal holds and how it is doing."""

from __future__ import annotations

import json
from collections import Counter
from typing import TYPE_CHECKING, Any

from treering.cli import _options
from treering.cli._exit import Exit
from treering.journal import Journal

if TYPE_CHECKING:
    import argparse

_TOP = 10


def add(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Adds the command."""
    parser = commands.add_parser("stats", help="what a journal holds, and how it is doing")
    _options.add_journal(parser)
    _options.add_identity(parser)
    _options.add_filter(parser)
    parser.add_argument("--json", action="store_true", help="for programs")
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> Exit:
    """Counts and shows."""
    journal = Journal(options.directory, identities=_options.identities_of(options))
    journal.recover()
    found = {**_count(journal, options), **journal.status()}
    if options.json:
        print(json.dumps(found))
    else:
        _show(found)
    return Exit.DONE


def _count(journal: Journal, options: argparse.Namespace) -> dict[str, Any]:
    levels: Counter[str] = Counter()
    components: Counter[str] = Counter()
    records, first, last = 0, "", ""
    for _, line in journal.records(filter=_options.filter_of(options)):
        record = json.loads(line)
        records += 1
        levels[record.get("level", "")] += 1
        components[record.get("component", "")] += 1
        # RFC 3339 in UTC sorts as text; piped records need not come in order of time.
        timestamp = record.get("timestamp", "")
        first, last = min(first or timestamp, timestamp), max(last, timestamp)
    return {
        "records": records,
        "first": first,
        "last": last,
        "levels": dict(levels.most_common()),
        "components": dict(components.most_common()),
    }


def _show(found: dict[str, Any]) -> None:
    print(f"{found['records']:,} records in {found['segments']} segments, {found['bytes']:,} bytes")
    if found["first"]:
        print(f"from    {found['first']}\nto      {found['last']}")
    _bars("level", found["levels"])
    _bars("component", found["components"])
    print(f"durability {found['durability']}, segments of {found['segment_max_bytes']:,} bytes")
    if found["archived_files"]:
        print(
            f"archived {found['archived_records']:,} records of {found['archived_segments']} segments"
            f" in {found['archived_files']} files, {found['archived_bytes']:,} bytes"
        )
    if found["seal"]:
        print(_seal(found["seal"]))
    for output in found["outputs"]:
        print(_output(output))
    if found["leader"]:
        print(f"led by process {found['leader']}")
    domain = found["domain"]
    if domain:
        print(
            f"{domain['rings']} rings with {domain['waiting_bytes']:,} bytes waiting;"
            f" since the first process: {domain['records']:,} records, {domain['dropped']:,} dropped,"
            f" {domain['truncated']:,} cut, {domain['takeovers']} takeovers,"
            f" {domain['recoveries']} recoveries, {domain['write_errors']} write errors,"
            f" {domain['archive_errors']} archive errors,"
            f" {domain['redactions']:,} secrets redacted in {domain['redacted']:,} records"
        )


def _seal(seal: dict[str, Any]) -> str:
    anchored = seal["anchor_age_s"]
    parts = [
        f"sealed to {seal['sealed']:,} records, {seal['checkpoint_age_s']:,.0f} s ago",
        "never anchored" if anchored is None else f"anchored {anchored:,.0f} s ago",
    ]
    if seal["ended_generations"]:
        parts.append(f"generations in ended/: {seal['ended_generations']}")
    return ", ".join(parts)


def _output(output: dict[str, Any]) -> str:
    behind = f"{output['behind']:,} behind" if output["behind"] else "up to date"
    error = f", cannot write: {_options.visible(output['error'])}" if output["error"] else ""
    return f"output {output['name']} ({output['kind']}): {output['written']:,} delivered, {behind}{error}"


def _bars(title: str, counts: dict[str, int]) -> None:
    most = max(counts.values(), default=0)
    for name, count in list(counts.items())[:_TOP]:
        shown = name.encode("unicode_escape").decode() or "(none)"
        bar = "█" * max(1, round(24 * count / most))
        print(f"{title:9} {shown:24.24} {count:>12,} {bar}")
    if len(counts) > _TOP:
        print(f"{title:9} and {len(counts) - _TOP} more")
