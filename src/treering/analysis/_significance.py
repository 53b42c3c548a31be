"""Is a difference more than chance? Tests in plain Python.

Counts of logs come in bursts, so that what is "significant" here is so under the assumption of independent
records: effect sizes stand beside every p-value, and small ones are not worth a look however sure they are.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence


def likelihood_ratio(before: int, of_before: int, after: int, of_after: int) -> float:
    """G² of a 2 by 2 table: `before` of `of_before` against `after` of `of_after`.

    Dunning, "Accurate Methods for the Statistics of Surprise and Coincidence" (1993): right for rare
    events, where Pearson's chi-square is not.
    """
    total = of_before + of_after
    if total == 0:
        return 0.0
    share = (before + after) / total
    cells = (
        (before, of_before * share),
        (of_before - before, of_before * (1 - share)),
        (after, of_after * share),
        (of_after - after, of_after * (1 - share)),
    )
    return max(0.0, 2 * sum(seen * math.log(seen / due) for seen, due in cells if seen > 0))


def p_value(likelihood: float) -> float:
    """Of a G² with one degree of freedom."""
    return math.erfc(math.sqrt(likelihood / 2))


def adjusted(p_values: Sequence[float]) -> list[float]:
    """False discovery rates: Benjamini and Hochberg (1995), in the order given."""
    order = sorted(range(len(p_values)), key=p_values.__getitem__, reverse=True)
    found = [1.0] * len(p_values)
    least = 1.0
    for rank, at in zip(range(len(p_values), 0, -1), order, strict=True):
        least = min(least, p_values[at] * len(p_values) / rank)
        found[at] = least
    return found


def log2_ratio(before: int, of_before: int, after: int, of_after: int) -> float:
    """How many times twice as often: 1.0 is double, -1.0 is half; half a record is added to each."""
    return math.log2(((after + 0.5) / (of_after + 1)) / ((before + 0.5) / (of_before + 1)))


def silence_p(gap: float, scale: float, gaps: int) -> float:
    """How likely the longest of `gaps` waiting times of this scale is at least `gap`."""
    if scale <= 0:
        return 1.0
    return min(1.0, gaps * math.exp(-min(gap / scale, 700.0)))
