"""Destinations of records, and how records look there."""

from treering.outputs._batch import Batch, Record
from treering.outputs._cursor import Cursor, stored_cursors
from treering.outputs._format import PRESETS, SHAPES, formatter
from treering.outputs._output import Formatter, Output

__all__ = [
    "PRESETS",
    "SHAPES",
    "Batch",
    "Cursor",
    "Formatter",
    "Output",
    "Record",
    "formatter",
    "stored_cursors",
]
