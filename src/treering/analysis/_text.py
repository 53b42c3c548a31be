"""Reports for terminals and as Markdown: the same tables, drawn in two ways."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from treering.analysis._time import clock, duration, sparkline

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from treering.analysis._patterns import Patterns
    from treering.analysis._performance import Performance
    from treering.analysis._report import Report

_BOLD, _RED, _DIM, _PLAIN = "\x1b[1m", "\x1b[31m", "\x1b[2m", "\x1b[0m"
_MARKDOWN = str.maketrans({sign: "\\" + sign for sign in "\\`*_{}[]<>()#+!|~"})
_LEAST_WIDTH = 20


@dataclass(frozen=True)
class Table:
    """A titled table; columns whose head ends in `>` are numbers and stand right."""

    title: str
    head: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    empty: str
    is_alarming: bool = False


def visible(text: str) -> str:
    """Text of records without what a terminal would obey."""
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)


def tables(report: Report) -> list[Table]:
    """Everything of the report that is a table."""
    speed = report.performance
    since = (
        f"New patterns, first seen since {report.new_since}" if report.new_since else "New patterns"
    )
    return [
        _volume(report),
        _patterns("Top errors", report.errors, "no record at ERROR or above", is_alarming=True),
        _patterns(since, report.new, "none"),
        _patterns("Most frequent patterns", report.patterns, "no records"),
        _groups(speed),
        Table(
            f"Slowest by {speed.field}",
            (f"{speed.field}>", "time", "component", "message"),
            tuple(
                (number(slow.value), clock(slow.time), slow.component, slow.message)
                for slow in speed.slowest
            ),
            f"no record has a number as {speed.field}",
        ),
        _silences(speed),
        Table(
            "Bursts",
            ("begin", "what", "count>", "usual>", "deviations>"),
            tuple(
                (
                    clock(burst.begin),
                    burst.what,
                    f"{burst.count:,}",
                    number(burst.usual),
                    number(burst.deviations),
                )
                for burst in speed.bursts
            ),
            "no interval stands out",
        ),
        *_health(report),
    ]


def summary(report: Report) -> str:
    """The report in one line."""
    speed = report.performance
    if not speed.records:
        return "No records."
    share = speed.errors / speed.records
    span = f"{clock(speed.begin)} to {clock(speed.end)} UTC"
    return f"{speed.records:,} records, {speed.errors:,} errors ({share:.2%}), {span}"


def number(value: float | None) -> str:
    """A number with as many digits as people read."""
    if value is None:
        return "-"
    return f"{value:,.0f}" if abs(value) >= 100 or value == int(value) else f"{value:.3g}"  # noqa: PLR2004


def _volume(report: Report) -> Table:
    speed = report.performance
    names = list(report.levels)
    rows = [("all", f"{speed.records:,}", "100 %", sparkline([rate.count for rate in speed.rates]))]
    rows += [
        (
            name or "(none)",
            f"{report.levels[name]:,}",
            f"{report.levels[name] / max(speed.records, 1):.1%}",
            sparkline([rate.levels.get(name, 0) for rate in speed.rates]),
        )
        for name in names
    ]
    head = ("level", "records>", "share>", f"per {duration(speed.interval_s)}")
    return Table("Volume", head, tuple(rows), "no records")


def _patterns(title: str, found: Patterns, empty: str, *, is_alarming: bool = False) -> Table:
    rows = tuple(
        (
            f"{one.count:,}",
            f"{one.share:.1%}",
            one.sparkline,
            clock(one.first_seen),
            one.component,
            one.template,
        )
        for one in found
    )
    head = ("count>", "share>", "trend", "first seen", "component", "pattern")
    return Table(title, head, rows, empty, is_alarming)


def _groups(speed: Performance) -> Table:
    rows = tuple(
        (
            group.name or "(none)",
            f"{group.count:,}",
            f"{group.error_rate:.1%}",
            *(number(value) for value in (group.p50, group.p90, group.p95, group.p99, group.max)),
        )
        for group in speed.groups
    )
    head = (speed.by, "records>", "errors>", "p50>", "p90>", "p95>", "p99>", "max>")
    return Table(f"{speed.field} by {speed.by}", head, rows, "no records")


def _silences(speed: Performance) -> Table:
    rows = tuple(
        (
            silence.component or "(none)",
            clock(silence.begin),
            duration(silence.duration_s),
            duration(silence.expected_s),
            "came back" if silence.has_ended else "still silent",
        )
        for silence in speed.silences
    )
    head = ("component", "since", "silent for>", "usual pause>", "")
    return Table("Silences", head, rows, "no component was silent for unusually long")


def _health(report: Report) -> list[Table]:
    if not report.health:
        return []
    rows = tuple((fact.what, fact.state, "" if fact.is_good else "look") for fact in report.health)
    is_alarming = not all(fact.is_good for fact in report.health)
    return [Table("Health of the journal", ("what", "state", ""), rows, "", is_alarming)]


def terminal(report: Report, *, colour: bool = False, width: int = 100) -> str:
    """The report as aligned text."""
    paint = _painter(colour)
    out = [paint(visible(report.title), _BOLD), summary(report), ""]
    for table in tables(report):
        alarm = _RED if table.is_alarming and table.rows else ""
        out.append(paint(table.title, _BOLD + alarm))
        out += aligned(table.head, table.rows, width, paint) if table.rows else [f"  {table.empty}"]
        out.append("")
    if report.forgotten:
        out.append(f"{report.forgotten:,} records have patterns that were too many to be kept")
    return "\n".join(out).rstrip() + "\n"


def _painter(colour: bool) -> Callable[[str, str], str]:  # noqa: FBT001 - a setting
    return (lambda text, codes: codes + text + _PLAIN) if colour else (lambda text, _: text)


def aligned(
    head: Sequence[str],
    rows: Sequence[Sequence[str]],
    width: int,
    paint: Callable[[str, str], str] = lambda text, _: text,
) -> list[str]:
    """A table in lines of at most `width`; the last column is cut to fit."""
    shown = [[visible(cell) for cell in row] for row in rows]
    names = [name.rstrip(">") for name in head]
    sizes = [max(map(len, cells)) for cells in zip(names, *shown, strict=True)]
    sizes = [
        min(size, 40) if at < len(sizes) - 1 and "trend" not in head[at] else size
        for at, size in enumerate(sizes)
    ]
    room = width - 2 - sum(size + 2 for size in sizes[:-1])
    sizes[-1] = min(sizes[-1], max(room, _LEAST_WIDTH))

    def line(cells: Sequence[str]) -> str:
        made = [
            _cut(cell, size).rjust(size) if name.endswith(">") else _cut(cell, size).ljust(size)
            for cell, size, name in zip(cells, sizes, head, strict=True)
        ]
        return ("  " + "  ".join(made)).rstrip()

    return [paint(line(names), _DIM), *(line(row) for row in shown)]


def _cut(text: str, size: int) -> str:
    return text if len(text) <= size else text[: size - 1] + "…"


def markdown(report: Report) -> str:
    """The report as Markdown; nothing in a record can become markup."""
    out = [f"# {_escaped(report.title)}", "", _escaped(summary(report)), ""]
    for table in tables(report):
        out += [f"## {_escaped(table.title)}", ""]
        if not table.rows:
            out += [_escaped(table.empty), ""]
            continue
        out.append("| " + " | ".join(_escaped(name.rstrip(">")) for name in table.head) + " |")
        out.append(
            "|" + "|".join("---:" if name.endswith(">") else "---" for name in table.head) + "|"
        )
        out += ["| " + " | ".join(_escaped(cell) for cell in row) + " |" for row in table.rows]
        out.append("")
    if report.forgotten:
        out += [f"{report.forgotten:,} records have patterns that were too many to be kept.", ""]
    return "\n".join(out)


def _escaped(text: str) -> str:
    return visible(text).translate(_MARKDOWN).replace("&", "&amp;").replace("://", ":&#47;/")
