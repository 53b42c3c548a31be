"""How fast is a text file that is rotated?"""

import glob
import importlib
import os
import statistics
import time

from bench.data import MESSAGE
from bench.process import child
from bench.report import Report, spread

NAMES = ("treering_rotating", "treering_journal_rotating", "stdlib_rotating", "loguru_rotating")
MAX_BYTES = 1 << 20
"""Small, so that there is a rotation every few thousand records."""

BACKUPS = 5


def text_file():
    report = Report(
        f"How many records a second go into a text file of {MAX_BYTES >> 20} MiB with {BACKUPS} backups?",
        ("logger", "records/s", "× standard library", "rotations", "bytes a record"),
    )
    rates, rows = {}, []
    for name in NAMES:
        number = 400_000 if name.startswith("treering") else 40_000
        runs = [child("text_file.rotating", name, "PATH", number) for _ in range(5)]
        each = [number / run["seconds"] for run in runs]
        rates[name] = statistics.median(each)
        rows.append((name, spread(each, 0), runs[0]["rotations"], f"{runs[0]['bytes']:.0f}"))
    for name, rate, rotations, size in rows:
        ratio = rates[name] / rates["stdlib_rotating"]
        report.row(name, rate, f"{ratio:.1f}", rotations, size)
    for peer in ("stdlib_rotating", "loguru_rotating"):
        ratio = rates["treering_rotating"] / rates[peer]
        report.goal(f"records/s against {peer}", ratio, 5, at_least=True)
    return report


def rotating(name, path, number):
    """Seconds from the first call until the last record is in the file, and what is there then."""
    module = importlib.import_module(f"bench.peers.{name}")
    os.makedirs(path)
    info = module.open_log(f"{path}/app.log", MAX_BYTES, BACKUPS)
    number = int(number)
    begin = time.perf_counter()
    for at in range(number):
        info(MESSAGE, number=at, method="password")
    module.close()
    seconds = time.perf_counter() - begin
    lines = kept(path)
    numbers = [
        int(line.split(b"number")[1].strip(b"\"': =").split(b",")[0].split()[0]) for line in lines
    ]
    assert numbers == list(range(number - len(numbers), number)), "the newest, once and in order"
    size = sum(len(line) for line in lines) / len(lines)
    return {"seconds": seconds, "rotations": int(number * size) // MAX_BYTES, "bytes": size}


def kept(path):
    """The lines of all files, oldest first."""
    files = sorted(glob.glob(f"{path}/*"), key=os.path.getmtime)
    assert len(files) == BACKUPS + 1, files
    lines = []
    for file in files:
        with open(file, "rb") as text:
            lines += text.readlines()
    return [line for line in lines if MESSAGE.encode() in line]
