"""What does archiving cost a core, and how small does it get?"""

import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from bench import corpus
from bench.queries import size_of
from bench.report import Report, spread

RECORDS = int(os.environ.get("TREERING_BENCH_RECORDS", 1_000_000))
ROUNDS = 3
NAMES = {
    "write": "treering, written and compared with the lines",
    "tokens": "treering, index of words",
    "road": "treering archive: read, written, compared with the seal, indexed, announced",
    "duckdb": "duckdb, COPY … (FORMAT parquet, COMPRESSION zstd)",
}


def archive():
    report = Report(
        f"What does archiving cost a core? ({RECORDS:,} records)",
        ("what", "records/s of processor time", "of wall time", "MB", "× zstd -3", "peak MB"),
    )
    with tempfile.TemporaryDirectory(dir=os.environ.get("TREERING_BENCH_DIRECTORY")) as place:
        text = f"{place}/corpus.jsonl"
        lines = corpus.write(text, RECORDS)
        packed = _zstd(text)
        report.row("JSON Lines", "", "", f"{lines / 1e6:.0f}", f"{lines / packed:.2f}", "")
        report.row("zstd -3", "", "", f"{packed / 1e6:.1f}", "1.00", "")
        found = {}
        for name, words in NAMES.items():
            try:
                found[name] = runs = _runs(name, place)
            except RuntimeError as error:
                report.row(words, f"could not be measured: {error}", "", "", "", "")
                continue
            rates = [spread([RECORDS / run[of] for run in runs], 0) for of in ("cpu", "wall")]
            size = runs[0]["bytes"]
            peak = max(run["peak"] for run in runs)
            share = f"{size / packed:.3f}"
            report.row(words, *rates, f"{size / 1e6:.1f}", share, f"{peak / 1e6:.0f}")
        _goals(report, found, packed)
    return report


def _goals(report, found, packed):
    written = found["write"]
    rate = statistics.median(RECORDS / run["cpu"] for run in written)
    report.goal("thousand records/s, written and compared", rate / 1e3, 400, at_least=True)
    report.goal("the archive against zstd -3", written[0]["bytes"] / packed, 0.65)
    peak = max(run["peak"] for name in ("write", "road") for run in found[name])
    report.goal("peak memory, MB", peak / 1e6, 150)


def _zstd(text):
    packed = f"{text}.zst"
    subprocess.run(["zstd", "-3", "-q", "-f", text, "-o", packed], check=True)
    return os.path.getsize(packed)


def _runs(name, place):
    return [_run(name, place) for _ in range(ROUNDS)]


def _run(name, place):
    """One run in a process of its own, on one core."""
    if name == "road":
        with tempfile.TemporaryDirectory(dir=place) as fresh:
            journal = f"{fresh}/log"
            corpus.journal(journal, f"{place}/corpus.jsonl")
            return _child(name, journal)
    return _child(name, place)


def _child(name, place):
    done = subprocess.run(
        [sys.executable, "-m", "bench.archive", name, place],
        capture_output=True,
        text=True,
        timeout=1800,
        check=False,
    )
    if done.returncode:
        raise RuntimeError(done.stderr.strip().splitlines()[-1])
    return json.loads(done.stdout.splitlines()[-1])


def write(place):
    from treering import _core

    file = f"{place}/archive.parquet"
    yield
    _core.archive_write([(0, f"{place}/corpus.jsonl")], file)
    yield size_of(file)


def tokens(place):
    from treering import _core

    file = f"{place}/archive.parquet"
    yield
    _core.token_build(file)
    yield size_of(f"{place}/archive.tokens")


def road(journal):
    from treering.archive import archive

    yield
    archived = archive(journal, all=True)
    assert archived.records >= RECORDS, archived
    yield size_of(*Path(journal, "archive").rglob("*.parquet"))


def duckdb(place):
    import duckdb

    file = f"{place}/naive.parquet"
    connection = duckdb.connect(config={"threads": 1})
    yield
    connection.execute(
        f"COPY (SELECT * FROM read_json('{place}/corpus.jsonl', format='newline_delimited'))"
        f" TO '{file}' (FORMAT parquet, COMPRESSION zstd)"
    )
    yield size_of(file)


def main(name, place):
    os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    steps = {step.__name__: step for step in (write, tokens, road, duckdb)}
    work = steps[name](place)
    next(work)
    wall, cpu = time.perf_counter(), time.process_time()
    size = next(work)
    wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    # What getrusage says counts the parent, too.
    status = dict(line.split(":", 1) for line in Path("/proc/self/status").read_text().splitlines())
    peak = int(status["VmHWM"].split()[0]) * 1024
    return {"wall": wall, "cpu": cpu, "peak": peak, "bytes": size}


if __name__ == "__main__":
    print(json.dumps(main(*sys.argv[1:])))
