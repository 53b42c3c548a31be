"""Running small programs of real users in processes of their own."""

import json
import os
import subprocess
import sys
import textwrap
import time
from pathlib import Path

OWN = ("treering.journal", "treering.config", "treering.outputs")
"""Components whose records are about the logging itself."""


def start(source, *args, env=None, **options):
    """Starts `source` as a program; its standard output is text."""
    return subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(source), *map(str, args)],
        env={**os.environ, **(env or {})},
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        **options,
    )


def run(source, *args, env=None, timeout=60, check=True):
    """Runs `source` to its end; gives exit code, standard output and standard error."""
    process = start(source, *args, env=env)
    out, err = process.communicate(timeout=timeout)
    if check:
        assert process.returncode == 0, err
    return process.returncode, out, err


def command(*words, env=None, timeout=60):
    """`treering WORDS…`; its output is text."""
    return subprocess.run(
        [sys.executable, "-m", "treering", *map(str, words)],
        env={**os.environ, **(env or {})},
        text=True,
        capture_output=True,
        timeout=timeout,
        check=False,
    )


def records(directory, *, journal=False):
    """The records of a journal as dicts, after bringing in what dead processes left."""
    from treering.journal import Journal

    opened = Journal(directory)
    deadline = time.monotonic() + 10
    while not opened.recover():
        # A leader that is just leaving: wait until it has, or until it has drained everything.
        domain = opened.status()["domain"]
        if domain is None or (domain["waiting_bytes"] == 0 and domain["rings"] == 0):
            break
        assert time.monotonic() < deadline, opened.status()
        time.sleep(0.02)
    found = []
    for index, line in opened.records():
        assert index == len(found), "indexes without gaps"
        found.append(json.loads(line))
    return found if journal else [r for r in found if r["component"] not in OWN]


def wait_for(condition, what, timeout=20.0):
    """Waits until `condition()` is true."""
    deadline = time.monotonic() + timeout
    while not (value := condition()):
        assert time.monotonic() < deadline, f"waited for {what}"
        time.sleep(0.01)
    return value


def segments(directory):
    """The active segments of a journal."""
    return sorted(Path(directory, "active").glob("*.jsonl"))
