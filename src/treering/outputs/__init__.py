"""Destinations of records, and how records look there."""

from treering.outputs._batch import Batch, Record
from treering.outputs._build import KINDS, build, build_all, problems
from treering.outputs._cursor import Cursor, stored_cursors
from treering.outputs._format import PRESETS, SHAPES, formatter
from treering.outputs._output import Formatter, Output

__all__ = [
    "KINDS",
    "PRESETS",
    "SHAPES",
    "Batch",
    "Cursor",
    "Formatter",
    "Output",
    "Record",
    "build",
    "build_all",
    "formatter",
    "problems",
    "stored_cursors",
]
