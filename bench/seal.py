"""What does the seal cost?"""

import os
import statistics
import subprocess
import time

from bench.child import lines
from bench.data import FIELDS, LINE_BYTES, MESSAGE, fill
from bench.process import child
from bench.report import Report, spread

RECORDS = 2_000_000


def seal():
    report = Report("What does the seal cost?", ("what", "sealed", "not sealed", "ratio"))

    runs = [child("seal.calls", "PATH") for _ in range(3)]
    with_seal = [took for run in runs for took in run["sealed"]]
    without = [took for run in runs for took in run["unsealed"]]
    ratio = statistics.median(with_seal) / statistics.median(without)
    row = (spread(with_seal, 0), spread(without, 0), f"{ratio:.2f}")
    report.row("an enabled call, ns", *row)
    report.goal("a call into a sealed journal against one that is not", ratio, 1.05)

    pairs = [[throughput_of(sealed) for sealed in (True, False)] for _ in range(7)]
    with_seal, without = zip(*pairs, strict=True)
    # Three busy threads on two cores: whatever else runs takes from the sealed side, so the best rounds count.
    ratio = max(with_seal) / max(without)
    row = (spread(with_seal, 0), spread(without, 0), f"{ratio:.2f}")
    report.row("records/s, until they can be read and are sealed; ratio of the best", *row)
    report.goal("records/s, sealed against not", ratio, 0.6, at_least=True)

    hashing_alone(report)

    sizes = child("seal.sizes", "PATH")
    for name, found in sizes.items():
        report.row(
            f"bytes a record, {name}",
            f"{found['sealed']:.1f}",
            f"{found['unsealed']:.1f}",
            f"{found['sealed'] / found['unsealed']:.2f}",
        )
    return report


def hashing_alone(report):
    """The seal's own code without drain and files, against the SHA-256 that the formats ask for."""
    command = ["cargo", "run", "--release", "--quiet", "--manifest-path", "rust/Cargo.toml"]
    what = f"hashing alone, ns a record of {LINE_BYTES} bytes; beside it its SHA-256 alone"
    try:
        done = subprocess.run(
            [*command, "--example", "seal_rate"], capture_output=True, text=True, check=True
        )
    except (OSError, subprocess.CalledProcessError) as error:
        report.row(what, f"could not be measured: {error}", "", "")
        return
    rounds = [[float(word) for word in line.split()] for line in done.stdout.splitlines()]
    bare, sealed = zip(*rounds, strict=True)
    rate = min(bare) / min(sealed)
    report.row(what, spread(sealed, 0), spread(bare, 0), f"{min(sealed) / min(bare):.2f}")
    report.goal("sealing alone, records/s against bare SHA-256", rate, 0.6, at_least=True)


def throughput_of(sealed):
    found = child("seal.throughput", "PATH", int(sealed))
    assert found["lines"] == RECORDS, found
    return RECORDS / found["seconds"]


def calls(path):
    """Nanoseconds of a call, into sealed journals and others in turns: the last records are still hashed."""
    import treering

    info = treering.get_logger("bench").info
    found = {"sealed": [], "unsealed": []}
    for turn in range(30):
        for name, times in found.items():
            place = f"{path}-{turn}-{name}"
            treering.configure(directory=place, console=False, seal=name == "sealed")
            for _ in range(8):
                begin = time.perf_counter_ns()
                for _ in range(2000):
                    info(MESSAGE, **FIELDS)
                times.append((time.perf_counter_ns() - begin) / 2000)
                treering.flush()
            assert lines(place) == 16_000
    treering.shutdown(60)
    return found


def throughput(path, sealed):
    """Seconds from the first call until every record can be read, and is sealed if it is to be."""
    import treering

    treering.configure(directory=path, console=False, block_timeout_s=60, seal=sealed == "1")
    info = treering.get_logger("bench").info
    text = "x" * 20
    begin = time.perf_counter()
    for at in range(RECORDS):
        info(MESSAGE, number=at, text=text)
    treering.shutdown(60)
    return {"seconds": time.perf_counter() - begin, "lines": lines(path)}


def sizes(path):
    """Bytes of everything that a journal keeps, for each record."""
    number = 100_000
    found = {"before rotation": {}, "after rotation": {}}
    for name, kinds in found.items():
        segment = "64MB" if name == "before rotation" else "1MB"
        for kind in ("sealed", "unsealed"):
            place = f"{path}-{name}-{kind}"
            fill(place, number, segment_max_bytes=segment, seal=kind == "sealed")
            assert lines(place) == number
            files = (os.path.join(at, file) for at, _, files in os.walk(place) for file in files)
            kinds[kind] = sum(map(os.path.getsize, files)) / number
    return found
