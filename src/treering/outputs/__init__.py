"""Destinations of records."""

from treering.outputs._batch import Batch, Record
from treering.outputs._build import KINDS, build, build_all, problems
from treering.outputs._cursor import Cursor, stored_cursors
from treering.outputs._output import Formatter, Output

__all__ = [
    "KINDS",
    "Batch",
    "Cursor",
    "Formatter",
    "Output",
    "Record",
    "build",
    "build_all",
    "problems",
    "stored_cursors",
]
