"""`treering level`: levels of a journal's processes, shown and changed while they run."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING

from treering._levels import level_name, level_number
from treering.cli import _options
from treering.cli._exit import Exit
from treering.journal import Journal

if TYPE_CHECKING:
    import argparse


def add(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Adds the command with its two subcommands."""
    parser = commands.add_parser("level", help="show and change levels in running processes")
    actions = parser.add_subparsers(metavar="ACTION", required=True)
    show = actions.add_parser("show", help="levels by component")
    _options.add_journal(show)
    show.add_argument("--json", action="store_true", help="for programs")
    show.set_defaults(run=run_show)
    change = actions.add_parser("set", help="change a level in all processes at once")
    _options.add_journal(change)
    change.add_argument("component", metavar="COMPONENT", help='"" for the root')
    change.add_argument("level", metavar="LEVEL", help="a level, or inherit")
    change.add_argument("--persist", action="store_true", help="also for processes to come")
    change.set_defaults(run=run_set)


def run_show(options: argparse.Namespace) -> Exit:
    """Shows the levels that are set."""
    levels = Journal(options.directory).levels()
    if options.json:
        print(json.dumps({name: level_name(level) for name, level in levels.items()}))
    for name, level in () if options.json else levels.items():
        print(f"{level_name(level):8} {name.encode('unicode_escape').decode() or '(root)'}")
    return Exit.DONE


def run_set(options: argparse.Namespace) -> Exit:
    """Changes one; NO when no process is running and nothing was stored."""
    level = None if options.level.lower() == "inherit" else level_number(options.level)
    took = Journal(options.directory).set_level(options.component, level, persist=options.persist)
    if not took and not options.persist:
        print(
            "treering: no process has this journal open; --persist stores the level for later ones",
            file=sys.stderr,
        )
        return Exit.NO
    return Exit.DONE
