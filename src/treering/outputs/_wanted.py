"""Which of the records that are there an output gets."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from treering import _core
from treering.outputs._batch import split

if TYPE_CHECKING:
    from collections.abc import Sequence

    from treering.outputs._output import Output

OWN = "treering.output"
"""The context of what is logged while an output works; its value is the output's name."""

Piece = tuple[bytes, "Sequence[int]"]
"""Canonical lines, each ended by a line feed, and their indexes."""

_OWN_KEY = f'"{OWN}":'.encode()


class Wanted:
    """What an output asks for, and never what outputs said themselves while they were writing.

    Otherwise one that logs, or whose HTTP library does, would write that and log again, for ever; and
    two would do so to each other. The journal and the console have those records.

    Attributes:
        own: How many of those were left out.
    """

    def __init__(self, output: Output) -> None:
        self.own = 0
        self._filters = _filters(output)

    def chosen(self, first: int, lines: bytes, count: int) -> Piece:
        """What it gets of `count` canonical lines, the first of which has the index `first`."""
        piece = _chosen(self._filters, first, lines, count)
        return self._without_own(piece) if _OWN_KEY in piece[0] else piece

    def _without_own(self, piece: Piece) -> Piece:
        lines, indexes = piece
        records = zip(split(lines), indexes, strict=True)
        kept = [(line, index) for line, index in records if not _is_own(line)]
        self.own += len(indexes) - len(kept)
        return b"".join(line + b"\n" for line, _ in kept), [index for _, index in kept]


def _is_own(line: bytes) -> bool:
    if _OWN_KEY not in line:
        return False
    try:
        return OWN in json.loads(line)["context"]
    except (ValueError, TypeError, KeyError):
        return False


def _filters(output: Output) -> list[_core.Filter] | None:
    """Native filters of which a record must match one; `None` when the output wants everything."""
    if not (output.level or output.categories or output.components) and output.journal:
        return None
    return [
        _core.Filter(
            level=output.level or None,
            component=component,
            category=category,
            journal=output.journal,
        )
        for component in output.components or (None,)
        for category in output.categories or (None,)
    ]


def _chosen(wanted: list[_core.Filter] | None, first: int, lines: bytes, count: int) -> Piece:
    everything = range(first, first + count)
    # Erased records have left empty lines, which nobody wants.
    if wanted is None and not (lines.startswith(b"\n") or b"\n\n" in lines):
        return lines, everything
    indexes, picked = _core.pick(wanted or [_core.Filter(journal=True)], first, lines)
    return picked, everything if indexes is None else indexes
