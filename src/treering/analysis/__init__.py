"""What many records say together: patterns, differences, performance, reports; and reading logs of others."""

from treering.analysis._diff import Change, Difference, diff
from treering.analysis._parse import Format, detect_format, parse_canonical, parse_lines, parse_many
from treering.analysis._patterns import Pattern, Patterns, patterns
from treering.analysis._performance import Burst, Group, Performance, Rate, Slow, performance
from treering.analysis._report import Report, report
from treering.analysis._silence import Silence
from treering.analysis._template import LinePattern, compile_pattern, parse_template

__all__ = [
    "Burst",
    "Change",
    "Difference",
    "Format",
    "Group",
    "LinePattern",
    "Pattern",
    "Patterns",
    "Performance",
    "Rate",
    "Report",
    "Silence",
    "Slow",
    "compile_pattern",
    "detect_format",
    "diff",
    "parse_canonical",
    "parse_lines",
    "parse_many",
    "parse_template",
    "patterns",
    "performance",
    "report",
]
