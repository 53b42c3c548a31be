"""`treering erase`, `prune` and `forget`: taking content away so that the rest still verifies."""

from __future__ import annotations

from typing import TYPE_CHECKING

from treering.cli import _options
from treering.cli._exit import Exit

if TYPE_CHECKING:
    import argparse


def add(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Adds the three commands."""
    parser = commands.add_parser(
        "erase",
        help="erase single records",
        description="Erases records: their lines and salts. The journal says which and why.",
    )
    _options.add_journal(parser)
    parser.add_argument("indices", type=int, nargs="+", metavar="INDEX", help="records to erase")
    parser.add_argument("--reason", required=True, help="why, for the journal")
    parser.add_argument("--request", help="who asked for it, e.g. a ticket number")
    parser.set_defaults(run=run)
    parser = commands.add_parser(
        "prune",
        help="remove old records",
        description="Removes the files whose records all lie below an index, or all of them but those"
        " that are to be kept.",
    )
    _options.add_journal(parser)
    parser.add_argument("--before", type=int, required=True, metavar="INDEX", help="first to keep")
    parser.add_argument("--keep-level", metavar="LEVEL", help="keep this level and above")
    parser.add_argument(
        "--keep-category", action="append", default=[], metavar="NAME", help="keep this, too"
    )
    parser.set_defaults(run=run_prune)
    parser = commands.add_parser(
        "forget",
        help="make a subject's personal data unreadable",
        description="Destroys the key under which treering.personal() encrypted a subject's data.",
    )
    _options.add_journal(parser)
    parser.add_argument("subject", metavar="SUBJECT", help="as it was given to personal()")
    parser.set_defaults(run=run_forget)


def run(options: argparse.Namespace) -> Exit:
    """Erases."""
    from treering.seal import erase

    erase(options.directory, options.indices, reason=options.reason, request=options.request)
    print(f"{len(set(options.indices)):,} records erased")
    return Exit.DONE


def run_prune(options: argparse.Namespace) -> Exit:
    """Prunes; NO when there was nothing to prune."""
    from treering.seal import prune

    pruned = prune(
        options.directory,
        options.before,
        keep_level=options.keep_level,
        keep_categories=options.keep_category,
    )
    print(f"{pruned.segments:,} segments pruned; all records are there from {pruned.min_index:,}")
    if pruned.thinned:
        print(f"{pruned.records:,} records of {pruned.thinned:,} more; {pruned.kept:,} were kept")
    return Exit.DONE if pruned.segments or pruned.thinned else Exit.NO


def run_forget(options: argparse.Namespace) -> Exit:
    """Forgets; NO when there was nothing to forget."""
    from treering._personal import forget

    if forget(options.subject, directory=options.directory):
        print("forgotten")
        return Exit.DONE
    print("there is no key of this subject")
    return Exit.NO
