"""`treering verify`: is it what was signed? A journal, a tree of tiles, or one record with its proof."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from treering.cli import _options
from treering.cli._exit import Exit
from treering.errors import VerificationFailed

if TYPE_CHECKING:
    import argparse

    from treering.seal import Proven, Verdict

_BAR = 24


def add(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Adds the command."""
    parser = commands.add_parser(
        "verify",
        help="check a journal, tiles or a proof against pinned keys",
        description="Checks every record of a journal, a tree of tiles, or one record with its proof."
        " Exit code 0: it is what the pinned keys signed; 1: it is not; 2: something a pass needs is"
        " missing (a pinned key, a seal over the last records, freshness).",
    )
    parser.add_argument("path", metavar="PATH", help="journal, tiles, or a .tlog-proof file")
    parser.add_argument(
        "--trust", metavar="LINE|FILE", help="the pinned line, or a file with it or with a policy"
    )
    parser.add_argument(
        "--state", metavar="FILE", help="what this verifier saw last; kept up to date"
    )
    parser.add_argument(
        "--max-age", metavar="TIME", help="older last records are STALE, e.g. 90s, 15m, 2h, 1d"
    )
    parser.add_argument(
        "--tiles", action="store_true", help="PATH is an exported or mirrored tree of tiles"
    )
    parser.add_argument("--record", metavar="FILE", help="the record a proof is about, - for stdin")
    _options.add_identity(parser)
    parser.add_argument("--threads", type=int, default=0, metavar="N", help="default: all cores")
    parser.add_argument("--json", action="store_true", help="for programs")
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> Exit:
    """Verifies what the path is."""
    path = Path(options.path)
    trust = _options.trust_of(options.trust)
    # What is verified is for the caller to say: an attacker decides what lies there.
    if options.tiles or path.is_file():
        if options.state is not None or options.max_age is not None:
            raise ValueError("--state and --max-age are about journals, not about tiles or proofs")
        return _tiles(path, options, trust) if options.tiles else _proof(path, options, trust)
    from treering.archive import identity_files
    from treering.seal import verify

    max_age = None if options.max_age is None else _options.duration_s(options.max_age)
    progress = _Progress() if sys.stderr.isatty() and not options.json else None
    verdict = verify(
        path,
        trust=trust,
        state=options.state,
        max_age_s=max_age,
        threads=options.threads,
        progress=progress,
        identities=identity_files(options.identity),
    )
    if progress is not None:
        progress.clear()
    _show(verdict, as_json=options.json)
    return Exit(verdict.code)


def _show(verdict: Verdict, *, as_json: bool) -> None:
    details = verdict.details
    if as_json:
        print(json.dumps({"code": verdict.code, "words": verdict.words, **details}))
        return
    print(_options.visible(str(verdict)))
    if verdict.code == Exit.NO:
        return
    print(
        f"  {_options.visible(details['origin'])}: {details['sealed']:,} records,"
        f" {details['checkpoints']:,} checkpoints, root {details['root'][:16]}…"
    )
    if details["pinned"]:
        which = "identity and epoch 0" if details["pinned"] > 1 else "identity only"
        whose = "" if details["trust"] == "given" else ", as this host saw them made"
        print(f"  keys pinned: {which}{whose}")
    if verdict.reason:
        print(f"  not proven: {verdict.reason}")
    if not details["pinned"] and details["pin"]:
        print(f"  its own line: {details['pin']}")


def _proof(path: Path, options: argparse.Namespace, trust: str | None) -> Exit:
    from treering.seal import verify_proof

    if options.record is None:
        raise ValueError("a proof is about a record: --record FILE with its line is missing")
    if trust is None:
        raise ValueError("a proof needs a key that is trusted: --trust is missing")
    given = options.record
    line = sys.stdin.buffer.read() if given == "-" else Path(given).read_bytes()
    try:
        # Byte for byte: as text, a carriage return would become a line feed.
        proof = path.read_bytes().decode()
        proven = verify_proof(proof, line.removesuffix(b"\n"), trust=trust)
    except UnicodeDecodeError as error:
        failure = VerificationFailed(f"the proof is not UTF-8: {error}", code="proof_invalid")
        return _failed(failure, as_json=options.json)
    except VerificationFailed as error:
        return _failed(error, as_json=options.json)
    return _proven(proven, f"PROVEN: record {proven.index:,}", as_json=options.json)


def _tiles(path: Path, options: argparse.Namespace, trust: str | None) -> Exit:
    from treering.seal import verify_tiles

    try:
        proven = verify_tiles(path, trust=trust)
    except VerificationFailed as error:
        return _failed(error, as_json=options.json)
    if trust is None:
        word = "CONSISTENT, KEYS NOT PINNED: a tree"
        return _proven(proven, word, as_json=options.json, code=Exit.USAGE)
    return _proven(proven, "SEALED: the tree", as_json=options.json)


def _failed(error: VerificationFailed, *, as_json: bool) -> Exit:
    if as_json:
        print(json.dumps({"code": 1, "reason": str(error)}))
    else:
        print(_options.visible(f"FAIL: {error}"))
    return Exit.NO


def _proven(proven: Proven, word: str, *, as_json: bool, code: Exit = Exit.DONE) -> Exit:
    if as_json:
        fields = {"index": proven.index, "origin": proven.origin, "size": proven.size}
        print(json.dumps({"code": code, **fields, "anchored_s": proven.anchored_s}))
    else:
        origin = _options.visible(proven.origin)
        print(f"{word} of {origin}, under the checkpoint of {proven.size:,} records")
    return code


class _Progress:
    """A bar on standard error."""

    def __init__(self) -> None:
        self._done = 0
        self._shown = -1

    def __call__(self, done: int, total: int) -> None:
        self._done += done
        filled = _BAR if total == 0 else min(_BAR, _BAR * self._done // total)
        if filled != self._shown:
            self._shown = filled
            bar = "█" * filled + "·" * (_BAR - filled)
            print(f"\r{bar} {self._done / 1e6:,.0f} MB", end="", file=sys.stderr, flush=True)

    def clear(self) -> None:
        """Leaves the line empty."""
        print("\r\x1b[K", end="", file=sys.stderr, flush=True)
