"""Which fields records have, for those who type queries."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from treering.store._store import FieldUse

if TYPE_CHECKING:
    from collections.abc import Iterable

    from treering.store._pinned import ArchiveFile
    from treering.store._result import Result

_OBJECTS = ("context", "metadata", "performance_data")
_JSON_TYPES = {
    bool: "boolean",
    int: "integer",
    float: "number",
    str: "string",
    dict: "object",
    list: "list",
    type(None): "null",
}
_COLUMN_TYPES = {"double": "number"}


def fields_of(files: Iterable[ArchiveFile], newest: Result) -> dict[str, FieldUse]:
    """The fields in promoted columns and in records, most used first."""
    types: dict[str, set[str]] = {}
    counts: dict[str, int] = {}
    for file in files:
        for name, kind, _ in file.shape:
            types.setdefault(name, set()).add(_COLUMN_TYPES.get(kind, kind))
            counts.setdefault(name, 0)
    for record in newest:
        for name, value in _paths(record):
            types.setdefault(name, set()).add(_JSON_TYPES[type(value)])
            counts[name] = counts.get(name, 0) + 1
    ordered = sorted(types, key=lambda name: (-counts[name], name))
    return {name: FieldUse(tuple(sorted(types[name])), counts[name]) for name in ordered}


def _paths(record: dict[str, Any]) -> Iterable[tuple[str, Any]]:
    for key, value in record.items():
        if key in _OBJECTS and isinstance(value, dict):
            yield from ((f"{key}.{name}", inner) for name, inner in value.items())
        else:
            yield key, value
