"""Times as people write them: `2026-11-21T10:30Z`, `-15m`, `now-1d/d`.

Every one means a piece of time, from its start up to its end, exclusive: a day means the whole day,
a minute the whole minute. Nanoseconds since 1970, UTC. A time without a zone is UTC.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta, timezone

_NS = 1_000_000_000
UNITS_NS = {
    "ns": 1,
    "us": 1_000,
    "ms": 1_000_000,
    "s": _NS,
    "m": 60 * _NS,
    "h": 3_600 * _NS,
    "d": 86_400 * _NS,
    "w": 604_800 * _NS,
}
"""Lengths; months `M` and years `y` have none of their own."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_LOWEST, _HIGHEST = -(2**63), 2**63 - 1

_OFFSET = re.compile(r"([+-]?)(\d{1,9})(ns|us|ms|[smhdwMy])", re.ASCII)
_RELATIVE = re.compile(
    r"(now)?((?:[+-]\d{1,9}(?:ns|us|ms|[smhdwMy])(?:\d{1,9}(?:ns|us|ms|[smhdwMy]))*)*)(?:/([smhdwMy]))?",
    re.ASCII,
)
_ISO = re.compile(
    r"(?P<year>\d{4})(?:-(?P<month>\d\d)(?:-(?P<day>\d\d)"
    r"(?:[Tt ](?P<hour>\d\d)(?::(?P<minute>\d\d)(?::(?P<second>\d\d)(?:[.,](?P<fraction>\d{1,9}))?)?)?"
    r"(?P<zone>[Zz]|[+-]\d\d:?\d\d)?)?)?)?",
    re.ASCII,
)
_WORDS = {"today": "now/d", "yesterday": "now-1d/d"}


def parse_time(text: str, now_ns: int) -> tuple[int, int]:
    """Start and end, exclusive, of the time that a text means.

    Raises:
        ValueError: It means none, or one that nanoseconds in 64 bits cannot tell.
    """
    text = text.strip()
    text = _WORDS.get(text.lower(), text)
    found = _ISO.fullmatch(text)
    try:
        start, end = _absolute(found.groupdict()) if found else _relative(text, now_ns)
    except (ValueError, OverflowError) as error:
        raise ValueError(str(error) if "time" in str(error) else f"no time: {error}") from None
    if not _LOWEST <= start < end <= _HIGHEST:
        raise ValueError("no time between the years 1678 and 2261")
    return start, end


def parse_span(text: str) -> int:
    """Nanoseconds of a length such as `5m` or `1h30m`.

    Raises:
        ValueError: It is none, or not more than nothing.
    """
    found = re.fullmatch(r"(?:\d{1,9}(?:ns|us|ms|[smhdw]))+", text, re.ASCII)
    total = sum(
        int(count) * UNITS_NS[unit] for _, count, unit in _OFFSET.findall(text if found else "")
    )
    if not 0 < total <= _HIGHEST:
        raise ValueError("no length of time")
    return total


def _relative(text: str, now_ns: int) -> tuple[int, int]:
    found = _RELATIVE.fullmatch(text)
    if not found or not (found[1] or found[2]):
        raise ValueError("no time")
    at, sign = now_ns, 1
    for spelled, count, unit in _OFFSET.findall(found[2]):
        sign = {"+": 1, "-": -1}.get(spelled, sign)
        at = _moved(at, sign * int(count), unit)
    if not found[3]:
        return at, at + 1
    start = _floor(at, found[3])
    return start, _moved(start, 1, found[3])


def _moved(at: int, count: int, unit: str) -> int:
    if unit in UNITS_NS:
        return at + count * UNITS_NS[unit]
    moment, rest = _moment(at)
    months = moment.year * 12 + moment.month - 1 + count * (12 if unit == "y" else 1)
    year, month = divmod(months, 12)
    first_after = datetime(year + (month == 11), (month + 1) % 12 + 1, 1, tzinfo=UTC)  # noqa: PLR2004 - December
    longest = (first_after - timedelta(days=1)).day
    return _ns(moment.replace(year=year, month=month + 1, day=min(moment.day, longest))) + rest


def _floor(at: int, unit: str) -> int:
    moment, _ = _moment(at)
    day = moment.replace(hour=0, minute=0, second=0)
    if unit == "w":
        return _ns(day - timedelta(days=day.weekday()))
    if unit in UNITS_NS:
        return at - at % UNITS_NS[unit]
    return _ns(day.replace(day=1) if unit == "M" else day.replace(month=1, day=1))


def _moment(at: int) -> tuple[datetime, int]:
    seconds, rest = divmod(at, _NS)
    return _EPOCH + timedelta(seconds=seconds), rest


def _ns(moment: datetime) -> int:
    since = moment - _EPOCH
    return (since.days * 86_400 + since.seconds) * _NS


def _absolute(parts: dict[str, str | None]) -> tuple[int, int]:
    given = {name: int(parts[name] or 0) for name in ("hour", "minute", "second")}
    # A leap second reads as the second after it.
    leap = given["second"] == 60  # noqa: PLR2004 - seconds of a minute
    given["second"] -= leap
    moment = datetime(
        int(parts["year"] or 0),
        int(parts["month"] or 1),
        int(parts["day"] or 1),
        **given,
        tzinfo=_zone(parts["zone"]),
    )
    start = _ns(moment) + leap * _NS + int((parts["fraction"] or "").ljust(9, "0"))
    units = {"year": "y", "month": "M", "day": "d", "hour": "h", "minute": "m", "second": "s"}
    finest = [name for name in units if parts[name]][-1]
    if parts["fraction"]:
        return start, start + 10 ** (9 - len(parts["fraction"]))
    return start, _moved(start, 1, units[finest])


def _zone(text: str | None) -> timezone:
    if text is None or text in "Zz":
        return UTC
    sign = -1 if text[0] == "-" else 1
    return timezone(sign * timedelta(hours=int(text[1:3]), minutes=int(text[-2:])))
