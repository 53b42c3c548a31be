"""What does redaction cost?"""

import statistics
import subprocess
import time

from bench.child import lines
from bench.data import FIELDS, MESSAGE
from bench.process import child
from bench.report import Report, spread

RECORDS = 1_000_000
# In one of a hundred records: a key in a message, as accidents have it.
SECRET = "rejected key AKIAIOSFODNN7EXAMPLE"


def redaction():
    report = Report("What does redaction cost?", ("what", "redacted", "not redacted", "ratio"))

    runs = [child("redaction.calls", "PATH") for _ in range(3)]
    kinds = [[took for run in runs for took in run[kind]] for kind in ("on", "off", "by key")]
    with_rules, without, by_key = kinds
    ratio = statistics.median(with_rules) / statistics.median(without)
    row = (spread(with_rules, 0), spread(without, 0), f"{ratio:.2f}")
    report.row("an enabled call, ns", *row)
    report.goal("a call with redaction against one without", ratio, 1.1)
    ratio = statistics.median(by_key) / statistics.median(without)
    report.row("a call with a sensitive key, ns", spread(by_key, 0), "", f"{ratio:.2f}")

    for what, share in (("no secret", 0), ("a secret in every hundredth", 100)):
        pairs = [[throughput_of(kind, share) for kind in (True, False)] for _ in range(5)]
        with_rules, without = zip(*pairs, strict=True)
        ratio = max(with_rules) / max(without)
        row = (spread(with_rules, 0), spread(without, 0), f"{ratio:.2f}")
        report.row(f"records/s until they can be read, {what}", *row)
        if not share:
            report.goal("records/s, redacted against not", ratio, 0.85, at_least=True)

    scanning_alone(report)
    return report


def scanning_alone(report):
    """The search by itself, over batches as the drain has them."""
    command = ["cargo", "run", "--release", "--quiet", "--manifest-path", "rust/Cargo.toml"]
    try:
        done = subprocess.run(
            [*command, "--example", "redaction_rate"], capture_output=True, text=True, check=True
        )
    except (OSError, subprocess.CalledProcessError) as error:
        report.row("scanning alone", f"could not be measured: {error}", "", "")
        return
    rounds = [[float(word) for word in line.split()] for line in done.stdout.splitlines()]
    copied, *kinds = zip(*rounds, strict=True)
    names = ("clean", "clean, one by one", "clean, with a pattern", "with a secret each")
    for name, took in zip(names, kinds, strict=True):
        what = f"scanning alone, ns a record of 250 bytes, {name}; beside it copying it"
        report.row(what, spread(took, 0), spread(copied, 0), "")
    report.goal("ns to scan a clean record of 250 bytes, best round", min(kinds[0]), 100)


def throughput_of(redacts, share):
    found = child("redaction.throughput", "PATH", int(redacts), share)
    assert found["lines"] == RECORDS, found
    return RECORDS / found["seconds"]


def calls(path):
    """Nanoseconds of a call, with redaction, without, and with a field that is redacted, in turns."""
    import treering

    log = treering.get_logger("bench")
    found = {"on": [], "off": [], "by key": []}
    for turn in range(20):
        for name, times in found.items():
            place = f"{path}-{turn}-{name}"
            treering.configure(directory=place, console=False, redaction=name != "off")
            fields = {"token": "abc"} if name == "by key" else {}
            for _ in range(8):
                begin = time.perf_counter_ns()
                for _ in range(2000):
                    log.info(MESSAGE, **FIELDS, **fields)
                times.append((time.perf_counter_ns() - begin) / 2000)
                treering.flush()
            assert lines(place) == 16_000
    treering.shutdown(60)
    return found


def throughput(path, redacts, share):
    """Seconds from the first call until every record can be read and is sealed, as journals are."""
    import treering

    treering.configure(directory=path, console=False, block_timeout_s=60, redaction=redacts == "1")
    info = treering.get_logger("bench").info
    every = int(share) or RECORDS
    text = "x" * 20
    begin = time.perf_counter()
    for at in range(1, RECORDS + 1):
        info(SECRET if at % every == 0 and share != "0" else MESSAGE, number=at, text=text)
    treering.shutdown(60)
    return {"seconds": time.perf_counter() - begin, "lines": lines(path)}
