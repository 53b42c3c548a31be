"""Times and numbers as people read them."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

_BARS = "▁▂▃▄▅▆▇█"
_NICE_S = (
    *(0.001, 0.01, 0.1, 1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200),
    *(14_400, 21_600, 43_200, 86_400, 172_800, 604_800, 2_592_000),
)


def moment(time_ns: int | None) -> datetime | None:
    """Nanoseconds since the epoch as a time in UTC, to the microsecond."""
    if time_ns is None:
        return None
    seconds, rest = divmod(time_ns, 1_000_000_000)
    return datetime.fromtimestamp(seconds, UTC).replace(microsecond=rest // 1000)


def sparkline(counts: Sequence[float]) -> str:
    """One bar for each count; a space for none."""
    most = max(counts, default=0)
    if most <= 0:
        return " " * len(counts)
    top = len(_BARS) - 1
    return "".join(_BARS[round(top * count / most)] if count > 0 else " " for count in counts)


def nice_interval(span_s: float, parts: int = 60) -> float:
    """Seconds of an interval that people use, about `parts` of which make up the span."""
    return next(
        (nice for nice in _NICE_S if span_s / nice <= parts), max(span_s / parts, _NICE_S[-1])
    )


def duration(seconds: float) -> str:
    """`350 ms`, `12.0 s`, `4 m 10 s`, `3 h 20 m`, `2 d 4 h`."""
    if seconds < 1:
        return f"{seconds * 1000:.0f} ms"
    if seconds < 60:  # noqa: PLR2004 - a minute
        return f"{seconds:.1f} s" if seconds % 1 else f"{seconds:.0f} s"
    for large, small, size, part in (
        ("m", "s", 60, 1),
        ("h", "m", 3600, 60),
        ("d", "h", 86_400, 3600),
    ):
        if seconds < size * (60 if large == "m" else 24) or large == "d":
            whole, rest = divmod(seconds, size)
            less = f" {rest // part:.0f} {small}" if rest >= part else ""
            return f"{whole:.0f} {large}{less}"
    return f"{seconds:.0f} s"


def clock(time: datetime | None) -> str:
    """A time without what nobody reads."""
    return "-" if time is None else f"{time:%Y-%m-%d %H:%M:%S}"
