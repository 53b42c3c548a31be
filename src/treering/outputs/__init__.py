"""Destinations of records."""

from treering.outputs._batch import Batch, Record
from treering.outputs._cursor import Cursor, stored_cursors
from treering.outputs._output import Formatter, Output

__all__ = ["Batch", "Cursor", "Formatter", "Output", "Record", "stored_cursors"]
