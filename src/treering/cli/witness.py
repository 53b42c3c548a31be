"""`treering witness serve`: a witness for logs, ours and others'."""

from __future__ import annotations

import signal
import sys
from typing import TYPE_CHECKING

from treering.cli._exit import Exit

if TYPE_CHECKING:
    import argparse

_MAX_PORT = 65535


def add(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Adds the command with its subcommand."""
    parser = commands.add_parser("witness", help="confirm what other journals have sealed")
    actions = parser.add_subparsers(metavar="ACTION", required=True)
    serve = actions.add_parser(
        "serve",
        help="cosign checkpoints over HTTP",
        description="Cosigns checkpoints of logs that only grow, over HTTP (C2SP tlog-witness),"
        " until SIGTERM or SIGINT. Prints its vkey and its address. Run it on a machine that who"
        " administers the logs does not.",
    )
    serve.add_argument(
        "--directory", metavar="DIR", required=True, help="where its key and its memory are"
    )
    serve.add_argument("--name", required=True, help="e.g. witness.example.com, for ever")
    serve.add_argument("--host", default="127.0.0.1", help="address to listen on")
    serve.add_argument("--port", type=_port, default=0, help="0 means one that is free")
    trusted = serve.add_mutually_exclusive_group(required=True)
    trusted.add_argument(
        "--log",
        action="extend",
        nargs="+",
        default=[],
        metavar="VKEY",
        help="key of a log; a journal's identity",
    )
    trusted.add_argument("--policy", metavar="FILE", help="file with lines 'log VKEY'")
    serve.set_defaults(run=run)


def run(options: argparse.Namespace) -> Exit:
    """Serves until told to stop."""
    from treering.witness import Witness, WitnessServer

    stopping = {signal.SIGTERM, signal.SIGINT}
    signal.pthread_sigmask(signal.SIG_BLOCK, stopping)
    witness = Witness(options.directory, options.name, logs=options.log, policy=options.policy)
    with WitnessServer(witness, host=options.host, port=options.port) as server:
        print(f"{witness.vkey}\n{server.url}", flush=True)
        failures = 0
        while signal.sigtimedwait(stopping, 1) is None:
            if server.failures > failures:
                failures = server.failures
                print(f"treering: {server.last_error}", file=sys.stderr, flush=True)
    return Exit.DONE


def _port(text: str) -> int:
    if not text.isdecimal() or int(text) > _MAX_PORT:
        raise ValueError
    return int(text)
