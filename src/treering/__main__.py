"""`python -m treering`."""

from treering.cli import run

run()
