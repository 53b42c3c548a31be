"""What foreign SQL sees: the view `records`, the same for archived and for active records."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from treering.store._active import COLUMNS
from treering.store._engine import ACTIVE

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from treering.store._pinned import ArchiveFile
    from treering.store.query import Kind

_TYPES = {"integer": "BIGINT", "double": "DOUBLE", "string": "VARCHAR", "boolean": "BOOLEAN"}
_OBJECTS = ("context", "metadata", "performance_data")


def views(files: Iterable[ArchiveFile]) -> list[list[str | int]]:
    """Statements that make the views, each in parts: SQL, and numbers of files whose names stand there.

    Every promoted field is a column for all records. Where files differ in its type it is text.
    """
    shapes: dict[tuple[tuple[str, Kind, bool], ...], list[int]] = {}
    for at, file in enumerate(files):
        shapes.setdefault(file.shape, []).append(at)
    types = _types(shapes)
    # In parts, since no text for a file's name is one that a field's name could not hold.
    parts: list[str | int] = [f"CREATE VIEW records AS {_select({}, types)} {ACTIVE}"]
    for shape, alike in shapes.items():
        select = _select({name: whole for name, _, whole in shape}, types)
        parts.append(f" UNION ALL {select} read_parquet([")
        for at in alike:
            parts.extend((at, ", "))
        parts[-1] = "])"
    return [parts]


def _types(shapes: Iterable[tuple[tuple[str, Kind, bool], ...]]) -> dict[str, str]:
    types: dict[str, str] = {}
    for shape in shapes:
        for name, kind, _ in shape:
            found = _TYPES[kind]
            known = types.setdefault(name, found)
            if known != found:
                is_number = {known, found} == {"BIGINT", "DOUBLE"}
                types[name] = "DOUBLE" if is_number else "VARCHAR"
    # SQL does not tell names apart that differ in case only: the first one is the column.
    unique: dict[str, str] = {}
    for name in sorted(types):
        unique.setdefault(name.lower(), name)
    return {name: types[name] for name in unique.values()}


def _select(promoted: Mapping[str, bool], types: Mapping[str, str]) -> str:
    listed = [_column(name, promoted) for name in COLUMNS]
    listed.extend(_field(name, kind, promoted) for name, kind in types.items())
    return f"SELECT {', '.join(listed)} FROM"


def _column(name: str, promoted: Mapping[str, bool]) -> str:
    fields = [field for field in promoted if field.startswith(f"{name}.")]
    if name not in _OBJECTS or not fields:
        return _name(name)
    # Promoted members first, as in the record; a value of another type than the column's, also a null,
    # has stayed in the text.
    members = ", ".join(
        f"CASE WHEN {_name(field)} IS NOT NULL THEN"
        f" {_text(json.dumps(field[len(name) + 1 :], ensure_ascii=False) + ':')}"
        f" || CAST(to_json({_name(field)}) AS VARCHAR) END"
        for field in fields
    )
    whole = _name(name)
    none = " AND ".join(f"{_name(field)} IS NULL" for field in fields)
    rest = f"nullif(substr({whole}, 2, length({whole}) - 2), '')"
    return (
        f"CASE WHEN {none} THEN {whole}"
        f" ELSE '{{' || concat_ws(',', {members}, {rest}) || '}}' END AS {whole}"
    )


def _field(name: str, kind: str, promoted: Mapping[str, bool]) -> str:
    group = name.partition(".")[0]
    in_json = f"TRY_CAST(json_extract_string({_name(group)}, {_pointer(name)}) AS {kind})"
    found = in_json
    if name in promoted:
        column = f"TRY_CAST({_name(name)} AS {kind})"
        found = column if promoted[name] else f"coalesce({column}, {in_json})"
    return f"{found} AS {_name(name)}"


def _pointer(name: str) -> str:
    """Where a field is in the JSON text of its object, as SQL."""
    key = name.partition(".")[2]
    return _text("/" + key.replace("~", "~0").replace("/", "~1"))


def _name(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _text(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"
