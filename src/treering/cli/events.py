"""`treering events`: check a catalog of events, document it, generate Python from it."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from treering.cli import _options
from treering.cli._exit import Exit

if TYPE_CHECKING:
    import argparse


def add(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Adds the command with its actions."""
    parser = commands.add_parser(
        "events", help="check, document and generate from an event catalog"
    )
    actions = parser.add_subparsers(metavar="ACTION", required=True)
    check = actions.add_parser("check", help="report what is wrong with a catalog, by line")
    _add_file(check)
    check.add_argument("--json", action="store_true", help="for programs")
    check.add_argument(
        "--ignore",
        action="append",
        default=[],
        metavar="CODE",
        help="not this code; again for more",
    )
    check.set_defaults(run=run_check)
    docs = actions.add_parser("docs", help="write a page of Markdown")
    _add_file(docs)
    _add_output(docs)
    docs.set_defaults(run=run_docs)
    codegen = actions.add_parser("codegen", help="write a Python module of typed functions")
    _add_file(codegen)
    _add_output(codegen)
    codegen.set_defaults(run=run_codegen)


def run_check(options: argparse.Namespace) -> Exit:
    """Shows the findings; NO when there are errors."""
    from treering.catalog import Catalog

    catalog = Catalog.load(options.file)
    findings = [finding for finding in catalog.findings if finding.code not in options.ignore]
    errors = sum(finding.severity == "error" for finding in findings)
    if options.json:
        found = [{"path": options.file, **finding._asdict()} for finding in findings]
        print(json.dumps({"events": len(catalog.events), "errors": errors, "findings": found}))
    else:
        for line, code, severity, message in findings:
            print(_options.visible(f"{options.file}:{line}: {severity} {code} {message}"))
        warnings = len(findings) - errors
        print(
            f"{len(catalog.events):,} events, {errors:,} errors, {warnings:,} warnings",
            file=sys.stderr,
        )
    return Exit.NO if errors else Exit.DONE


def run_docs(options: argparse.Namespace) -> Exit:
    """Writes the page."""
    from treering.catalog import Catalog, page_of

    return _write(page_of(Catalog.load(options.file)), options)


def run_codegen(options: argparse.Namespace) -> Exit:
    """Writes the module."""
    from treering.catalog import Catalog, module_of

    return _write(module_of(Catalog.load(options.file)), options)


def _add_file(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("file", metavar="FILE", help="the catalog (YAML)")


def _add_output(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("-o", "--output", metavar="FILE", help="default: standard output")
    parser.add_argument(
        "--check", action="store_true", help="write nothing; exit code 1 unless FILE is current"
    )


def _write(text: str, options: argparse.Namespace) -> Exit:
    if options.output is None:
        if options.check:
            raise ValueError("--check compares with a file: name it with --output")
        sys.stdout.buffer.write(text.encode())
        return Exit.DONE
    target = Path(options.output)
    if options.check:
        is_current = target.is_file() and target.read_bytes() == text.encode()
        if not is_current:
            print(f"{target} is not current", file=sys.stderr)
        return Exit.DONE if is_current else Exit.NO
    target.write_bytes(text.encode())
    return Exit.DONE
