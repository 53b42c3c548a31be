"""Destinations of records."""

from treering.outputs._batch import Batch, Record
from treering.outputs._output import Formatter, Output

__all__ = ["Batch", "Formatter", "Output", "Record"]
