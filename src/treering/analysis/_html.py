"""Reports as one HTML page: styles and plots inside, nothing loaded, no script."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING

from treering.analysis._svg import bars, stacked
from treering.analysis._text import summary, tables, visible
from treering.analysis._time import duration

if TYPE_CHECKING:
    from treering.analysis._performance import Performance
    from treering.analysis._report import Report
    from treering.analysis._text import Table

_STYLE = """
:root { color-scheme: light dark; --bg: #fff; --fg: #1c1f23; --soft: #667; --line: #dde1e6;
  --alarm: #c0272d; --s0: #8fb3d9; --s1: #e0a526; --s2: #c0272d; }
@media (prefers-color-scheme: dark) { :root { --bg: #15181c; --fg: #e4e7eb; --soft: #98a2ad;
  --line: #333a42; --alarm: #ff6b6b; --s0: #4a7aab; --s1: #c99a2e; --s2: #e5484d; } }
body { margin: 2rem auto; max-width: 68rem; padding: 0 1rem; background: var(--bg); color: var(--fg);
  font: 15px/1.45 system-ui, sans-serif; }
h1 { font-size: 1.5rem; margin-bottom: .2rem; } h2 { font-size: 1.1rem; margin: 2rem 0 .4rem; }
h2.alarm { color: var(--alarm); } p { color: var(--soft); margin: .2rem 0; }
.wide { overflow-x: auto; } table { border-collapse: collapse; width: 100%; font-size: 13px; }
th, td { text-align: left; padding: .25rem .6rem; border-bottom: 1px solid var(--line);
  vertical-align: top; white-space: nowrap; }
th { color: var(--soft); font-weight: 600; } .n { text-align: right; font-variant-numeric: tabular-nums; }
td:last-child:not(.n) { white-space: normal; overflow-wrap: anywhere; min-width: 14rem; }
.code { font-family: ui-monospace, monospace; } svg { width: 100%; height: auto; }
svg text { fill: var(--soft); font: 12px system-ui, sans-serif; } .grid { stroke: var(--line); }
.s0, .q0, .q1, .q2 { fill: var(--s0); } .s1 { fill: var(--s1); } .s2 { fill: var(--s2); }
.q1 { opacity: .6; } .q2 { opacity: .3; } .trend { white-space: pre !important; }
.key { display: inline-block; width: .8em; height: .8em; margin: 0 .3em 0 1em; }
"""
_CODE = frozenset({"pattern", "message"})
_WARNING = ("WARN", "WARNING")


def page(report: Report) -> str:
    """The report as a page."""
    title = escape(visible(report.title))
    parts = [
        '<!doctype html><html lang="en"><head><meta charset="utf-8">',
        '<meta name="viewport" content="width=device-width, initial-scale=1">',
        # Should a record ever find a way to become markup, it could still load and run nothing.
        "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">",
        f"<title>{title}</title><style>{_STYLE}</style></head><body>",
        f"<h1>{title}</h1><p>{escape(summary(report))}</p>",
        _volume(report.performance),
    ]
    for table in tables(report):
        parts.append(_table(table))
        if table.head[:1] == (report.performance.by,) and "p99>" in table.head:
            parts.append(_percentiles(report.performance))
    if report.forgotten:
        parts.append(
            f"<p>{report.forgotten:,} records have patterns that were too many to be kept.</p>"
        )
    return "\n".join([*parts, "</body></html>", ""])


def _volume(speed: Performance) -> str:
    labels = [f"{rate.begin:%m-%d %H:%M:%S}" for rate in speed.rates]
    warnings = [sum(rate.levels.get(name, 0) for name in _WARNING) for rate in speed.rates]
    errors = [rate.errors for rate in speed.rates]
    others = [
        rate.count - warned - failed
        for rate, warned, failed in zip(speed.rates, warnings, errors, strict=True)
    ]
    series = {"other": others, "warnings": warnings, "errors": errors}
    plot = stacked(labels, series, "Records over time")
    if not plot:
        return ""
    keys = "".join(
        f'<svg class="key" viewBox="0 0 1 1"><rect class="s{at}" width="1" height="1"/></svg>{name}'
        for at, name in enumerate(series)
    )
    return f"<h2>Records per {escape(duration(speed.interval_s))}</h2><p>{keys}</p>{plot}"


def _percentiles(speed: Performance) -> str:
    rows = [
        (visible(group.name) or "(none)", (group.p50 or 0.0, group.p95 or 0.0, group.p99 or 0.0))
        for group in speed.groups
        if group.measured
    ]
    plot = bars(rows, ("p50", "p95", "p99"), f"{speed.field} by {speed.by}")
    return plot and f"<p>p50, p95 and p99 of {escape(visible(speed.field))}</p>{plot}"


def _table(table: Table) -> str:
    alarm = ' class="alarm"' if table.is_alarming and table.rows else ""
    head = f"<h2{alarm}>{escape(visible(table.title))}</h2>"
    if not table.rows:
        return f"{head}<p>{escape(visible(table.empty))}</p>"
    names = "".join(
        f"<th{_class(name)}>{escape(visible(name.rstrip('>')))}</th>" for name in table.head
    )
    rows = "".join(
        "<tr>"
        + "".join(
            f"<td{_class(name)}>{escape(visible(cell))}</td>"
            for name, cell in zip(table.head, row, strict=True)
        )
        + "</tr>"
        for row in table.rows
    )
    return f'{head}<div class="wide"><table><tr>{names}</tr>{rows}</table></div>'


def _class(name: str) -> str:
    if name.endswith(">"):
        return ' class="n"'
    if name == "trend" or name.startswith("per "):
        return ' class="code trend"'
    return ' class="code"' if name in _CODE else ""
