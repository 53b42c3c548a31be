"""What a benchmark says, and whether a goal was met."""

import platform
import statistics
import subprocess
import sys
from dataclasses import dataclass, field


@dataclass
class Report:
    """Rows of one question."""

    question: str
    columns: tuple
    rows: list = field(default_factory=list)
    goals: list = field(default_factory=list)

    def row(self, *cells):
        self.rows.append(tuple(str(cell) for cell in cells))

    def goal(self, name, value, limit, *, at_least=False):
        """Remembers a ratio and what it should be."""
        met = value >= limit if at_least else value <= limit
        sign = "≥" if at_least else "≤"
        self.goals.append((met, f"{name}: {value:.2f} (goal {sign} {limit})"))

    def markdown(self):
        lines = [f"## {self.question}", "", "| " + " | ".join(self.columns) + " |"]
        lines.append("|" + "---|" * len(self.columns))
        lines += ["| " + " | ".join(row) + " |" for row in self.rows]
        lines.append("")
        lines += [f"- {'met' if met else 'MISSED'} — {text}" for met, text in self.goals]
        return "\n".join(lines) + "\n"


def spread(numbers, digits=2):
    """Median and range."""
    return f"{statistics.median(numbers):.{digits}f} ({min(numbers):.{digits}f}–{max(numbers):.{digits}f})"


def machine():
    """The conditions, in one line."""
    commit = subprocess.run(
        ["git", "rev-parse", "--short", "HEAD"], capture_output=True, text=True, check=False
    ).stdout.strip()
    with open("/proc/cpuinfo") as file:
        model = next((line.split(":")[1].strip() for line in file if "model name" in line), "?")
    import os

    return (
        f"{model}, {os.cpu_count()} cores, Linux {platform.release()}, "
        f"CPython {sys.version.split()[0]}, commit {commit}"
    )
