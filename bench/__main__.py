"""`python -m bench [QUESTION…] [--assert]`: measure, print, write `bench/reports/latest.md`."""

import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from bench.archive import archive
from bench.audit import audit
from bench.formatters import formatters
from bench.local_sinks import local_sinks
from bench.network import network
from bench.patterns import patterns
from bench.peers import NAMES
from bench.process import child
from bench.prove import prove
from bench.redaction import redaction
from bench.report import Report, machine, spread
from bench.seal import seal
from bench.text_file import text_file
from bench.verify import verify


def hot_path():
    report = Report(
        "What does an enabled call cost? (message, 3 fields, location, timestamp)",
        ("logger", "× an empty Python function", "× treering", "when the call returns"),
    )
    medians = {}
    for name in NAMES:
        try:
            runs = [child("call", name, "PATH") for _ in range(3)]
        except (RuntimeError, subprocess.TimeoutExpired) as error:
            report.row(name, f"could not be measured: {error}", "", "")
            continue
        ratios = [
            logged / empty
            for run in runs
            for logged, empty in zip(run["logged"], run["empty"], strict=True)
        ]
        medians[name] = statistics.median(ratios)
        report.row(
            name,
            spread(ratios),
            f"{medians[name] / medians['treering']:.0f}",
            runs[0]["durability"],
        )
    report.goal("an enabled call against an empty Python function", medians["treering"], 0.9)
    return report


def shapes():
    report = Report(
        "What do other calls cost?", ("call", "× an empty Python function called alike", "ns")
    )
    for name, found in child("variants", "PATH").items():
        report.row(name, spread(found["ratios"]), spread(found["ns"], 0))
    return report


def disabled_call():
    report = Report("What does a disabled call cost?", ("logger", "× a native no-op"))
    ratios = [ratio for _ in range(3) for ratio in child("disabled", "PATH")["ratios"]]
    report.row("treering", spread(ratios))
    report.goal("a disabled call against a native no-op", statistics.median(ratios), 1.2)
    return report


def sustained():
    report = Report(
        "How many records a second, until they can be read from the file?",
        ("logger", "records/s", "bytes a record", "when the call returns"),
    )
    rates = {}
    for name in NAMES:
        number = 1_000_000 if name == "treering" else 30_000
        try:
            runs = [child("sustained", name, "PATH", number, 20) for _ in range(3)]
        except (RuntimeError, subprocess.TimeoutExpired) as error:
            report.row(name, f"could not be measured: {error}", "", "")
            continue
        assert all(run["lines"] == number for run in runs), (name, runs)
        each = [number / run["seconds"] for run in runs]
        rates[name] = statistics.median(each)
        size = f"{runs[0]['record_bytes']:.0f}"
        report.row(name, spread(each, 0), size, runs[0]["durability"])
    rates["two processes"] = statistics.median([two_processes() for _ in range(3)])
    report.row("treering, two processes", f"{rates['two processes']:.0f}", "", "")
    best = max(rates["treering"], rates["two processes"])
    report.goal("million records/s on two cores", best / 1e6, 1.5, at_least=True)
    if "picologging_json" in rates:
        report.goal(
            "against picologging's file", best / rates["picologging_json"], 20, at_least=True
        )
    return report


def two_processes(number=500_000):
    with tempfile.TemporaryDirectory() as place:
        command = [sys.executable, "-m", "bench.child", "produce", f"{place}/log", str(number)]
        running = [
            subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
            for _ in range(2)
        ]
        for one in running:
            assert one.stdout.readline() == "ready\n"
        begin = time.perf_counter()
        for one in running:
            one.stdin.write("\n")
            one.stdin.flush()
        for one in running:
            assert one.wait() == 0
        took = time.perf_counter() - begin
        from bench.child import lines

        assert lines(f"{place}/log") == 2 * number
        return 2 * number / took


def latency_under_load():
    report = Report(
        "How long can a call take, with four threads?",
        ("logger", "p50 ns", "p99", "p99.9", "p99.9 / p50"),
    )
    for name in ("treering", "stdlib_queue", "loguru_enqueue"):
        found = child("latency", name, "PATH")
        ratio = found["p99.9"] / found["p50"]
        report.row(name, found["p50"], found["p99"], found["p99.9"], f"{ratio:.1f}")
        if name == "treering":
            report.goal("p99.9 against the median", ratio, 20)
    return report


def import_time():
    report = Report("What does importing cost?", ("import", "ms over an empty program"))
    programs = {"empty": "pass", "logging": "import logging", "treering": "import treering"}
    took = {name: [] for name in programs}
    for _ in range(15):
        for name, program in programs.items():
            begin = time.perf_counter()
            subprocess.run([sys.executable, "-c", program], check=True)
            took[name].append((time.perf_counter() - begin) * 1000)
    base = statistics.median(took["empty"])
    over = {name: statistics.median(times) - base for name, times in took.items()}
    for name in ("logging", "treering"):
        report.row(name, f"{over[name]:.1f}")
    report.goal("import treering against import logging", over["treering"] / over["logging"], 2)
    return report


def resources():
    report = Report("What does it cost when nothing happens?", ("what", "how much"))
    share = child("idle", "PATH")["share"]
    memory = child("memory", "PATH")["bytes"] / 1e6
    report.row("an idle process with an open journal", f"{share:.4%} of a core")
    report.row("resident memory added", f"{memory:.1f} MB")
    report.goal("idle, % of a core", share * 100, 0.1)
    report.goal("resident memory, MB", memory, 10)
    return report


QUESTIONS = {
    question.__name__: question
    for question in (
        hot_path,
        shapes,
        disabled_call,
        sustained,
        latency_under_load,
        import_time,
        resources,
        seal,
        verify,
        audit,
        prove,
        local_sinks,
        text_file,
        network,
        formatters,
        redaction,
        patterns,
        archive,
    )
}


def main():
    asked = [word for word in sys.argv[1:] if not word.startswith("--")] or list(QUESTIONS)
    text = [f"# Benchmarks\n\n{machine()}\n"]
    missed = False
    for name in asked:
        report = QUESTIONS[name]()
        missed |= not all(met for met, _ in report.goals)
        text.append(report.markdown())
        print(text[-1], flush=True)
    if len(asked) == len(QUESTIONS):
        Path("bench/reports/latest.md").write_text("\n".join(text))
    return 1 if missed and "--assert" in sys.argv else 0


if __name__ == "__main__":
    sys.exit(main())
