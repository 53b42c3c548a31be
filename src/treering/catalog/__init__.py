"""Events: declared in a catalog, checked, generated as typed Python, logged, filtered.

What an event id means stands in a catalog (YAML), not in the code that logs it. A catalog is read by
`Catalog.load`, which reports what is wrong with it instead of failing; `treering events` shows that,
and writes the documentation and a Python module with one typed function per event.
"""

from treering.catalog._burst import BurstFilter
from treering.catalog._catalog import Catalog, Category, Finding
from treering.catalog._code import module_of
from treering.catalog._event import Event, EventOptions, Variable, declare, event
from treering.catalog._filter import EventFilter
from treering.catalog._page import page_of

__all__ = [
    "BurstFilter",
    "Catalog",
    "Category",
    "Event",
    "EventFilter",
    "EventOptions",
    "Finding",
    "Variable",
    "declare",
    "event",
    "module_of",
    "page_of",
]
