"""What foreign SQL sees: the view `records`, the same for archived and for active records."""

from __future__ import annotations

from typing import TYPE_CHECKING

from treering.store._active import COLUMNS
from treering.store._engine import ACTIVE

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from treering.store._pinned import ArchiveFile
    from treering.store.query import Kind

_TYPES = {"integer": "BIGINT", "double": "DOUBLE", "string": "VARCHAR", "boolean": "BOOLEAN"}
_OBJECTS = ("context", "metadata", "performance_data")


def views(files: Iterable[ArchiveFile]) -> list[str]:
    """Statements that make the views; the file number `n` is called `{n}`.

    Every promoted field is a column for all records. Where files differ in its type it is text.
    """
    shapes: dict[tuple[tuple[str, Kind, bool], ...], list[int]] = {}
    for at, file in enumerate(files):
        shapes.setdefault(file.shape, []).append(at)
    types = _types(shapes)
    selects = [_select(ACTIVE, {}, types)]
    for shape, alike in shapes.items():
        paths = ", ".join(f"'{{{at}}}'" for at in alike)
        source = f"read_parquet([{paths}])"
        selects.append(_select(source, {name: whole for name, _, whole in shape}, types))
    return [f"CREATE VIEW records AS {' UNION ALL '.join(selects)}"]


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


def _select(source: str, promoted: Mapping[str, bool], types: Mapping[str, str]) -> str:
    listed = [_column(name, promoted) for name in COLUMNS]
    listed.extend(_field(name, kind, promoted) for name, kind in types.items())
    return f"SELECT {', '.join(listed)} FROM {source}"  # noqa: S608 - made of our own names


def _column(name: str, promoted: Mapping[str, bool]) -> str:
    fields = [field for field in promoted if field.startswith(f"{name}.")]
    if name not in _OBJECTS or not fields:
        return _name(name)
    # A merged null takes a key away, which is what a missing value means here. A value of another type
    # than the column's has stayed in the text.
    pairs = ", ".join(
        f"{_text(field[len(name) + 1 :])}, coalesce(to_json({_name(field)}), "
        f"json_extract({_name(name)}, {_pointer(field)}))"
        for field in fields
    )
    whole = f"json_merge_patch(coalesce({_name(name)}, '{{}}'), json_object({pairs}))"
    return f"nullif(CAST({whole} AS VARCHAR), '{{}}') AS {_name(name)}"


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
