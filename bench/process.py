"""Measurements in processes of their own."""

import json
import subprocess
import sys


def child(*words):
    """What `python -m bench.child WHAT ARGS…` found; `PATH` stands for a fresh place."""
    done = subprocess.run(
        [sys.executable, "-m", "bench.child", *map(str, words)],
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    if done.returncode:
        raise RuntimeError(done.stderr.strip().splitlines()[-1])
    return json.loads(done.stdout.splitlines()[-1])
