"""Rows on a terminal and in pipes: aligned, JSON Lines or CSV; histograms as blocks."""

from __future__ import annotations

import json
import shutil
import sys
import unicodedata
from typing import TYPE_CHECKING, Any

from treering.cli._options import visible

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterator

    from treering.cli._waiting import Waiting
    from treering.store import Result

_LOOKED_AT = 200
"""Rows that say how wide columns are."""

_WIDEST = 60
_COLOURS = {
    "TRACE": "90",
    "DEBUG": "36",
    "INFO": "32",
    "NOTICE": "34",
    "WARNING": "33",
    "ERROR": "31",
    "CRITICAL": "1;31",
    "SECURITY": "1;35",
    "AUDIT": "35",
}


def add_form(parser: argparse.ArgumentParser) -> None:
    """Adds in which form rows are shown."""
    group = parser.add_mutually_exclusive_group()
    for form, what in (("json", "one JSON object a line"), ("csv", "comma-separated values")):
        group.add_argument(
            f"--{form}", action="store_const", const=form, dest="form", help=f"rows as {what}"
        )
    parser.set_defaults(form="table")


def show(rows: Result, form: str, waiting: Waiting) -> int:
    """Writes the rows to stdout; how many there were."""
    came = _awaited(rows, waiting)
    match form:
        case "json":
            return _json(came)
        case "csv":
            return _csv(came, rows.columns)
    return _aligned(came, rows.columns)


def _awaited(rows: Result, waiting: Waiting) -> Iterator[dict[str, Any]]:
    for row in rows:
        waiting.came()
        yield row


def _json(rows: Iterator[dict[str, Any]]) -> int:
    count = 0
    for row in rows:
        count += 1
        sys.stdout.write(json.dumps(row, ensure_ascii=False, default=str) + "\n")
    return count


def _csv(rows: Iterator[dict[str, Any]], columns: tuple[str, ...]) -> int:
    import csv

    from treering.export import cell

    writer = csv.writer(sys.stdout, lineterminator="\n")
    writer.writerow([cell(name) for name in columns])
    count = 0
    for row in rows:
        count += 1
        writer.writerow([cell(value) for value in row.values()])
    return count


def _aligned(rows: Iterator[dict[str, Any]], columns: tuple[str, ...]) -> int:
    from itertools import chain, islice

    texts = ([_text(value) for value in row.values()] for row in rows)
    first = list(islice(texts, _LOOKED_AT))
    names = [visible(name) for name in columns]
    widths = [
        min(_WIDEST, max(_width(row[at]) for row in [names, *first])) for at in range(len(names))
    ]
    rights = [_is_number(first, at) for at in range(len(names))]
    if first:
        _write(names, widths, rights)
        _write(["─" * width for width in widths], widths, rights)
    count = 0
    for row in chain(first, texts):
        count += 1
        _write(row, widths, rights)
    return count


def _write(row: list[str], widths: list[int], rights: list[bool]) -> None:
    cells = []
    for text, width, is_right in zip(row, widths, rights, strict=True):
        padding = " " * (width - _width(text))
        cells.append(padding + text if is_right else text + padding)
    sys.stdout.write("  ".join(cells).rstrip() + "\n")


def _is_number(rows: list[list[str]], at: int) -> bool:
    texts = [row[at] for row in rows if row[at]]
    return bool(texts) and all(text.lstrip("-").replace(".", "", 1).isdigit() for text in texts)


def _text(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, float):
        return f"{value:.6g}" if abs(value) < 1e15 else repr(value)  # noqa: PLR2004 - digits of a double
    if isinstance(value, str):
        return visible(value)
    if isinstance(value, bool):
        return "true" if value else "false"
    return visible(json.dumps(value, ensure_ascii=False, default=str))


def _width(text: str) -> int:
    return sum(2 if unicodedata.east_asian_width(char) in "WF" else 1 for char in text)


def histogram(rows: Result, waiting: Waiting, *, is_coloured: bool) -> int:
    """Draws records per time as a column of bars, one line for each piece of time with a total.

    Args:
        rows: `timestamp`, `level`, `count`.
        waiting: Ends with the first of them.
        is_coloured: Colours each part of a bar as its level.
    """
    times: dict[str, dict[str, int]] = {}
    for row in _awaited(rows, waiting):
        times.setdefault(row["timestamp"], {})[row.get("level") or ""] = row["count"]
    highest = max((sum(levels.values()) for levels in times.values()), default=0)
    if not highest:
        return 0
    room = max(10, min(shutil.get_terminal_size().columns, 120) - 40)
    for time, levels in times.items():
        total = sum(levels.values())
        bar = "".join(_bar(levels, room / highest, is_coloured=is_coloured))
        sys.stdout.write(f"{_short(time)}  {total:>9,}  {bar}\n")
    return sum(sum(levels.values()) for levels in times.values())


def _short(time: str) -> str:
    return time[:19].replace("T", " ")


def _bar(levels: dict[str, int], scale: float, *, is_coloured: bool) -> Iterator[str]:
    order = {name: at for at, name in enumerate(_COLOURS)}
    begin = 0.0
    for name in sorted(levels, key=lambda name: -order.get(name, -1)):
        end = begin + levels[name] * scale
        blocks = "█" * (round(end) - round(begin))
        begin = end
        colour = _COLOURS.get(name)
        yield f"\x1b[{colour}m{blocks}\x1b[0m" if is_coloured and colour and blocks else blocks
    if round(begin) == 0:
        yield "▏"
