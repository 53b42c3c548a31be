"""`treering retain`: what goes by the journal's rules, legal holds, copies in a second place."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import TYPE_CHECKING

from treering.cli import _options
from treering.cli._exit import Exit

if TYPE_CHECKING:
    import argparse

    from treering.archive import RetentionPlan

_WHY = {
    "age": "older than retention_max_age_s",
    "size": "more than retention_max_bytes",
    "files": "more than retention_max_files",
    "free_space": "less free than retention_min_free",
}
_BECAUSE = {
    "held": "under the legal hold '{}'",
    "too_young": "younger than retention_min_age_s",
    "undelivered": "not yet delivered to output '{}'",
    "not_copied": "not yet in the second place",
}


def add(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Adds the command."""
    parser = commands.add_parser(
        "retain",
        help="remove what the journal's rules of retention take, or show it",
        description="Removes what the settings retention_… of a journal take; a journal in use does so"
        " itself, about once a minute. Also places and releases legal holds.",
    )
    _options.add_journal(parser)
    what = parser.add_mutually_exclusive_group()
    what.add_argument("--dry-run", action="store_true", help="show what would go, change nothing")
    what.add_argument("--hold", metavar="NAME", help="place a legal hold")
    what.add_argument("--release", metavar="NAME", help="release a legal hold")
    what.add_argument("--holds", action="store_true", help="list the legal holds")
    what.add_argument("--copy", action="store_true", help="copy to the second place now")
    parser.add_argument("--reason", help="why, for the journal; --hold needs it")
    parser.add_argument(
        "--from", dest="begin", type=_options.time_ns, metavar="TIME", help="first that is held"
    )
    parser.add_argument(
        "--to", dest="end", type=_options.time_ns, metavar="TIME", help="held before this time"
    )
    parser.add_argument("--json", action="store_true", help="for programs")
    parser.set_defaults(run=run, parser=parser)


def run(options: argparse.Namespace) -> Exit:
    """Does what was asked; NO when there was nothing to do."""
    from treering.archive import hold, release

    if options.hold is not None:
        if not options.reason:
            options.parser.error("--hold needs --reason")
        begin, end = options.begin, options.end
        hold(options.directory, options.hold, reason=options.reason, begin_ns=begin, end_ns=end)
        print(f"held: {_options.visible(options.hold)}")
        return Exit.DONE
    if options.release is not None:
        release(options.directory, options.release, reason=options.reason)
        print(f"released: {_options.visible(options.release)}")
        return Exit.DONE
    if options.holds:
        return _list(options)
    return _copy(options) if options.copy else _retain(options)


def _list(options: argparse.Namespace) -> Exit:
    from treering.archive import holds

    found = holds(options.directory)
    for one in found:
        if options.json:
            print(json.dumps(asdict(one)))
        else:
            times = f"{one.begin or 'the beginning'} to {one.end or 'ever'}"
            text = f"{one.name}: {times}, since {one.since}: {one.reason}"
            print(_options.visible(text))
    return Exit.DONE if found else Exit.NO


def _copy(options: argparse.Namespace) -> Exit:
    from treering.archive import copy

    copied = copy(options.directory)
    if options.json:
        print(json.dumps(asdict(copied)))
    else:
        print(f"{copied.files:,} files copied, {copied.bytes:,} bytes, to {copied.to}")
        if copied.waiting:
            print(f"another process is copying {copied.waiting:,} files")
    return Exit.DONE


def _retain(options: argparse.Namespace) -> Exit:
    from treering.archive import retain

    plan = retain(options.directory, dry_run=options.dry_run)
    if options.json:
        print(json.dumps({**asdict(plan), "records": plan.records, "bytes": plan.bytes}))
    else:
        _show(plan, is_dry=options.dry_run)
    return Exit.DONE if plan.steps else Exit.NO


def _show(plan: RetentionPlan, *, is_dry: bool) -> None:
    if plan.free is not None:
        print(f"emergency: {plan.free:,} bytes are free, {plan.wanted:,} are wanted")
    for step in plan.steps:
        kept = f", {step.kept:,} records are kept" if step.kept else ""
        about = "about " if step.kept else ""
        print(
            f"{step.file}: {step.records:,} records from {step.oldest or '-'} to"
            f" {step.newest or '-'}, {about}{step.bytes:,} bytes: {_WHY[step.why]}{kept}"
        )
    for one in plan.spared:
        because = _BECAUSE[one.because].format(_options.visible(one.name or ""))
        print(f"{one.file} stays: {because} ({_WHY[one.why]})")
    for why in plan.missed:
        print(f"not enough: {_WHY[why]}, even so")
    verb = "would go" if is_dry else "went"
    files = len(plan.steps)
    print(f"{plan.records:,} records {verb} from {files:,} files, about {plan.bytes:,} bytes")
