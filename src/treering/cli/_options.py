"""Options that several commands share: the journal, the filter, the looks."""

from __future__ import annotations

import os
import re
import sys
import time
from contextlib import suppress
from typing import TYPE_CHECKING

from treering import _core
from treering._levels import level_number

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable, Sequence

    Ranges = Sequence[tuple[int, int]]

_RELATIVE = re.compile(r"(\d+(?:\.\d+)?)\s*(ms|s|m|h|d|w)")
_SECONDS = {"ms": 0.001, "s": 1, "m": 60, "h": 3600, "d": 86400, "w": 604800}


def add_journal(parser: argparse.ArgumentParser) -> None:
    """Adds the journal's directory."""
    parser.add_argument("directory", metavar="DIR", help="directory of the journal")


def add_identity(parser: argparse.ArgumentParser) -> None:
    """Adds the keys of encrypted files."""
    parser.add_argument(
        "--identity",
        action="append",
        metavar="FILE",
        help="identity file of age that opens encrypted files; may be given again"
        " (default: those that TREERING_IDENTITY names)",
    )


def identities_of(options: argparse.Namespace) -> _core.Identities | None:
    """The keys that the options or the environment name; None without any."""
    from treering.archive import identities

    return identities(options.identity)


def add_filter(parser: argparse.ArgumentParser) -> None:
    """Adds the conditions on records."""
    group = parser.add_argument_group("conditions", "all that are given must hold")
    group.add_argument("--level", type=_level, help="least level, e.g. WARNING")
    group.add_argument("--component", help="component and what is below it; auth* for a prefix")
    group.add_argument("--category", help="category, e.g. api")
    group.add_argument("--since", type=time_ns, metavar="TIME", help="RFC 3339, or 10m, 2h, 3d ago")
    group.add_argument("--until", type=time_ns, metavar="TIME", help="before this time")
    group.add_argument("--grep", metavar="TEXT", help="text anywhere in the record, in any case")
    group.add_argument(
        "--field",
        action="append",
        type=_pair,
        default=[],
        metavar="KEY=VALUE",
        help="a field's value; dotted for nested ones; may be given again",
    )
    group.add_argument(
        "--event-filter",
        metavar="FILE",
        help="event ids to include or exclude, as in PoseidonOS's filter policy files",
    )
    group.add_argument(
        "--journal", action="store_true", help="show what the journal says about itself, too"
    )


def filter_of(options: argparse.Namespace) -> _core.Filter:
    """The filter that the options describe."""
    return _core.Filter(
        level=options.level,
        component=options.component,
        category=options.category,
        since_ns=options.since,
        until_ns=options.until,
        grep=options.grep,
        fields=options.field,
        journal=options.journal,
        events=_events(options.event_filter),
    )


def _events(path: str | None) -> tuple[Ranges, Ranges] | None:
    if path is None:
        return None
    from treering.catalog import EventFilter

    chosen = EventFilter.load(path)
    return chosen.included, chosen.excluded


def add_looks(parser: argparse.ArgumentParser) -> None:
    """Adds how records are shown."""
    group = parser.add_mutually_exclusive_group()
    group.add_argument("--json", action="store_true", help="records as they are, one JSON a line")
    group.add_argument(
        "--format",
        metavar="FORMAT",
        help="a preset (STANDARD), a shape (ecs, logfmt), or a template ('%%t %%l %%m')",
    )
    parser.add_argument("--date-format", metavar="FORMAT", help="times of --format, as strftime")
    parser.add_argument("--utc", action="store_true", help="times of --format in UTC")
    parser.add_argument(
        "--color", choices=("auto", "always", "never"), default="auto", help="colour by level"
    )


def is_coloured(options: argparse.Namespace) -> bool:
    """Whether to colour: asked for, or a terminal that was not told otherwise."""
    if options.color != "auto":
        return bool(options.color == "always")
    plain = os.environ.get("NO_COLOR") or os.environ.get("TERM") == "dumb"
    return sys.stdout.isatty() and not plain


def look_of(options: argparse.Namespace) -> Callable[[int, bytes], bytes]:
    """What shows a record, given its index and line, as asked for and with its line feed.

    Raises:
        ConfigurationError: The format is none.
    """
    if options.json:
        return lambda _, line: line + b"\n"
    colour = is_coloured(options)
    if options.format is None and not options.date_format and not options.utc:
        return lambda _, line: _core.render(line, colour, sources=colour)
    from treering.outputs import formatter

    made = formatter(
        options.format or "CONSOLE",
        date_format=options.date_format,
        utc=options.utc,
        options={"colour": "true"} if colour else None,
    )
    return lambda index, line: made.text(line + b"\n", range(index, index + 1))


def _level(text: str) -> int:
    return level_number(text)


def _pair(text: str) -> tuple[str, str]:
    key, equals, value = text.partition("=")
    if not equals:
        raise ValueError
    return key, value


def time_ns(text: str) -> int:
    """Nanoseconds since the epoch of RFC 3339, of a local time, or of so long ago (`10m`, `2h`).

    Raises:
        ValueError: It is none of these.
    """
    relative = _RELATIVE.fullmatch(text.strip())
    if relative:
        return int((time.time() - float(relative[1]) * _SECONDS[relative[2]]) * 1e9)
    if re.fullmatch(r"\d{4}-\d\d-\d\d", text):
        text += "T00:00:00"
    elif re.fullmatch(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d", text):
        text += ":00"
    if re.fullmatch(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(\.\d+)?", text):
        from datetime import datetime

        # Without a zone people mean their own.
        return int(datetime.fromisoformat(text).astimezone().timestamp() * 1e9)
    found = _core.parse_time(text)
    if found is None:
        raise ValueError
    return found


def moment(text: str) -> str:
    """A time as the query language has it, with the zone that people mean; also so long ago (`2h`)."""
    from datetime import UTC, datetime

    relative = _RELATIVE.fullmatch(text.strip())
    is_local = re.fullmatch(r"\d{4}-\d\d-\d\d([T ]\d\d:\d\d(:\d\d(\.\d+)?)?)?", text)
    with suppress(ValueError, OverflowError, OSError):
        if relative:
            at = time.time() - float(relative[1]) * _SECONDS[relative[2]]
            return datetime.fromtimestamp(at, UTC).isoformat()
        if is_local:
            return datetime.fromisoformat(text).astimezone().isoformat()
    return text


def trust_of(value: str | None) -> str | None:
    """The text of a pin or a policy: what was given, or the content of the file that it names."""
    if value is None or "+" in value.partition(" ")[0]:
        return value
    from pathlib import Path

    try:
        return Path(value).read_text(encoding="utf-8").strip()
    except OSError as error:
        raise ValueError(
            f"--trust '{value}' is neither a pinned line nor a file that can be read: {error.strerror}"
        ) from None


def duration_s(text: str) -> float:
    """Seconds of `90s`, `15m`, `2h` or `1d`.

    Raises:
        ValueError: It is none of these.
    """
    units = {"s": 1, "m": 60, "h": 3600, "d": 86_400}
    number, unit = (text[:-1], text[-1]) if text[-1:] in units else (text, "s")
    try:
        seconds = float(number) * units[unit]
    except ValueError:
        seconds = -1.0
    if not 0 <= seconds < float("inf"):
        raise ValueError(f"time '{text}' is not a number with s, m, h or d, e.g. 15m")
    return seconds


def visible(text: str) -> str:
    """Foreign text for a terminal: control characters become visible."""
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)
