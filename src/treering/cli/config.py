"""`treering config`: configurations checked, shown and taken over from other systems."""

from __future__ import annotations

import json
import os
import sys
from typing import TYPE_CHECKING

from treering.cli import _options
from treering.cli._exit import Exit

if TYPE_CHECKING:
    import argparse

    from treering.config import Survey
    from treering.errors import ConfigurationError

_SYSTEMS = ("netlink", "poseidonos", "sensor-hub", "hypervisor")


def add(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Adds the command with its three subcommands."""
    parser = commands.add_parser("config", help="check, show and take over configurations")
    actions = parser.add_subparsers(metavar="ACTION", required=True)
    check = actions.add_parser("check", help="say everything that is wrong with a file")
    check.add_argument("file", metavar="FILE", help="YAML, TOML or JSON")
    check.add_argument("--profile", help="as if it were chosen")
    check.add_argument("--env", action="store_true", help="with the environment, too")
    check.add_argument("--json", action="store_true", help="for programs")
    check.set_defaults(run=run_check)
    show = actions.add_parser("show", help="every setting, its value and where it came from")
    show.add_argument("file", metavar="FILE", nargs="?", help="default: TREERING_CONFIG, if set")
    show.add_argument("--profile", help="as if it were chosen")
    looks = show.add_mutually_exclusive_group()
    looks.add_argument("--json", action="store_true", help="for programs")
    looks.add_argument("--yaml", action="store_true", help="as a file that says the same")
    show.set_defaults(run=run_show)
    take = actions.add_parser("import", help="another system's configuration as ours, in YAML")
    take.add_argument("file", metavar="FILE", help="theirs: YAML, TOML or JSON")
    take.add_argument("--from", dest="system", required=True, choices=_SYSTEMS, help="whose")
    take.set_defaults(run=run_import)


def run_check(options: argparse.Namespace) -> Exit:
    """Shows all mistakes; NO when there are any."""
    from treering.config import survey
    from treering.outputs import problems

    environment = os.environ if options.env else _of_values()
    found = survey(options.profile, {}, environment, options.file)
    mistakes = [*found.problems, *problems(found.config)]
    if options.json:
        print(json.dumps(_report(found, mistakes)))
        return Exit.NO if mistakes else Exit.DONE
    for mistake in mistakes:
        print(f"error: {_options.visible(str(mistake))}")
        if mistake.hint:
            print(f"  hint: {_options.visible(mistake.hint)}")
    for notice in found.config.notices:
        print(f"notice: {_options.visible(notice)}")
    given = sum(source != "default" for source in found.config.sources.values())
    if not mistakes:
        print(f"{_options.visible(options.file)} can be used: {given:,} settings are given")
    return Exit.NO if mistakes else Exit.DONE


def run_show(options: argparse.Namespace) -> Exit:
    """Shows the configuration that a program started here and now would have."""
    from treering.config import resolve
    from treering.config._render import yaml

    config = resolve(options.profile, {}, config_file=options.file)
    if options.json:
        shown = config.to_dict(hide_secrets=True)
        rows = {name: {"value": shown[name], "source": config.sources[name]} for name in shown}
        print(json.dumps(rows))
    elif options.yaml:
        print(yaml(config.to_dict(hide_secrets=True, only_given=True)), end="")
    else:
        for line in config.describe().splitlines():
            print(_options.visible(line))
    for notice in config.notices:
        print(f"notice: {_options.visible(notice)}", file=sys.stderr)
    return Exit.DONE


def run_import(options: argparse.Namespace) -> Exit:
    """Prints YAML; NO when something in the file cannot be used."""
    from treering.config import as_yaml, convert

    found = convert(options.file, options.system)
    for mistake in found.problems:
        print(f"error: {_options.visible(str(mistake))}", file=sys.stderr)
    print(as_yaml(found.config), end="")
    return Exit.NO if found.problems else Exit.DONE


def _of_values() -> dict[str, str]:
    """The environment without our settings: what `${VARIABLE}` in the file means."""
    return {name: text for name, text in os.environ.items() if not name.startswith("TREERING_")}


def _report(found: Survey, mistakes: list[ConfigurationError]) -> dict[str, object]:
    errors = [
        {
            "code": getattr(mistake, "code", None),
            "message": str(mistake),
            "where": getattr(mistake, "field", None),
            "hint": getattr(mistake, "hint", None),
        }
        for mistake in mistakes
    ]
    return {"errors": errors, "notices": list(found.config.notices)}
