"""How many records a second does each format make, on one core?"""

import statistics
import time

from bench.data import LINE_BYTES, fill
from bench.process import child
from bench.report import Report, spread

RECORDS = 20_000
AT_ONCE = 4_000
"""Lines given at a time: about a megabyte, as outputs get them."""

STDLIB = "%(asctime)s [%(levelname)-8s] %(name)s:%(lineno)d %(funcName)s() - %(message)s"
GOALS = {
    "STANDARD": 1.0,
    "rfc5424": 1.0,
    **dict.fromkeys(("netlink", "poseidonos", "poseidonos-flat", "ecs", "otel", "gelf"), 0.5),
}


def formatters():
    report = Report(
        f"How many records of {LINE_BYTES} bytes does each format make on one core?",
        ("format", "million records/s", "× the canonical line"),
    )
    rates = child("formatters.rates", "PATH")
    raw = statistics.median(rates["json"])
    for name, found in rates.items():
        report.row(f"`{name}`", spread(found), f"{statistics.median(found) / raw:.2f}")
        if name in GOALS:
            report.goal(f"million records/s, {name}", max(found), GOALS[name], at_least=True)
    return report


def rates(path):
    """Millions of records a second by processor time, in turns."""
    from treering.journal import Journal
    from treering.outputs import PRESETS, SHAPES, formatter

    fill(path, RECORDS)
    lines = [line + b"\n" for _, line in Journal(path).records()][1 : RECORDS + 1]
    batches = [b"".join(lines[at : at + AT_ONCE]) for at in range(0, len(lines), AT_ONCE)]
    names = ["json", *PRESETS, STDLIB, *(shape for shape in SHAPES if shape != "treering")]
    made = {name: formatter(name) for name in names}
    found = {name: [] for name in names}
    for _ in range(15):
        for name, times in found.items():
            begin = time.process_time()
            count = sum(made[name].text(batch, 0).count(b"\n") for batch in batches)
            took = time.process_time() - begin
            assert count == len(lines), (name, count)
            times.append(count / took / 1e6)
    return found
