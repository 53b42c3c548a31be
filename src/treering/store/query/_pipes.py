"""From text to the tree: pipes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from treering.store.query._explain import refuse

if TYPE_CHECKING:
    from treering.store.query._ast import Pipe
    from treering.store.query._parse import FilterParser


def parse_pipes(parser: FilterParser) -> tuple[Pipe, ...]:
    """What follows a filter."""
    scanner = parser.scanner
    if scanner.peek():
        refuse(scanner.text, scanner.at, "no pipes here")
    return ()
