"""Plots as SVG: stacked bars over time, and bars side by side. No script, no fonts, no other file."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_WIDTH, _HEIGHT = 900, 220
_LEFT, _BOTTOM, _TOP = 64, 28, 12
_ROW, _NAME = 24, 220
_TICKS = 5


def stacked(labels: Sequence[str], series: Mapping[str, Sequence[int]], title: str) -> str:
    """Bars over time, one colour class (`s0`, `s1`, …) for each series, the first one at the bottom."""
    totals = [sum(counts) for counts in zip(*series.values(), strict=True)]
    if not totals or max(totals) == 0:
        return ""
    top = nice(max(totals))
    height = _HEIGHT - _BOTTOM - _TOP
    step = (_WIDTH - _LEFT - 4) / len(totals)
    out = [_open(_WIDTH, _HEIGHT, title), *_grid(top, height)]
    below = [0.0] * len(totals)
    for place, (name, counts) in enumerate(series.items()):
        for at, count in enumerate(counts):
            if count == 0:
                continue
            tall = count / top * height
            y = _TOP + height - below[at] - tall
            below[at] += tall
            hint = escape(f"{labels[at]} {name}: {count:,}")
            out.append(
                f'<rect class="s{place}" x="{_LEFT + at * step:.1f}" y="{y:.1f}"'
                f' width="{max(step - 1, 1):.1f}" height="{tall:.1f}"><title>{hint}</title></rect>'
            )
    out += _times(labels, step)
    return "".join([*out, "</svg>"])


def bars(rows: Sequence[tuple[str, Sequence[float]]], names: Sequence[str], title: str) -> str:
    """One row for each name, its values as bars over each other, longest first."""
    most = max((max(values, default=0) for _, values in rows), default=0)
    if most <= 0:
        return ""
    out = [_open(_WIDTH, _ROW * len(rows) + 8, title)]
    room = _WIDTH - _NAME - 90
    for at, (name, values) in enumerate(rows):
        y = at * _ROW + 4
        out.append(
            f'<text x="{_NAME - 8}" y="{y + 15}" text-anchor="end">{escape(_short(name))}</text>'
        )
        for place in range(len(values) - 1, -1, -1):
            hint = escape(f"{name} {names[place]}: {values[place]:,.4g}")
            out.append(
                f'<rect class="q{place}" x="{_NAME}" y="{y}" width="{max(values[place] / most * room, 1):.1f}"'
                f' height="{_ROW - 6}"><title>{hint}</title></rect>'
            )
        x = _NAME + max(values) / most * room + 6
        out.append(f'<text x="{x:.1f}" y="{y + 15}">{max(values):,.4g}</text>')
    return "".join([*out, "</svg>"])


def nice(value: float) -> float:
    """The next of 1, 2, 5, 10, 20, 50, … that is not below the value."""
    size = 1.0
    while size * 10 <= value:
        size *= 10
    return next(size * part for part in (1, 2, 5, 10) if size * part >= value)


def _open(width: int, height: int, title: str) -> str:
    text = escape(title)
    return (
        f'<svg role="img" viewBox="0 0 {width} {height}" xmlns="http://www.w3.org/2000/svg">'
        f"<title>{text}</title>"
    )


def _grid(top: float, height: int) -> list[str]:
    out = []
    for at in range(_TICKS):
        value = top * at / (_TICKS - 1)
        y = _TOP + height - at / (_TICKS - 1) * height
        out.append(f'<line class="grid" x1="{_LEFT}" x2="{_WIDTH - 4}" y1="{y:.1f}" y2="{y:.1f}"/>')
        out.append(f'<text x="{_LEFT - 8}" y="{y + 4:.1f}" text-anchor="end">{value:,.4g}</text>')
    return out


def _times(labels: Sequence[str], step: float) -> list[str]:
    every = max(1, len(labels) // _TICKS)
    return [
        f'<text x="{_LEFT + at * step:.1f}" y="{_HEIGHT - 8}">{escape(labels[at])}</text>'
        for at in range(0, len(labels) - every // 2, every)
    ]


def _short(name: str, size: int = 30) -> str:
    return name if len(name) <= size else name[: size - 1] + "…"
