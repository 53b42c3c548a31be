"""How fast is a journal verified?"""

import glob
import os
import shutil
import subprocess
import tempfile
import time

from bench.data import LINE_BYTES, fill
from bench.process import child
from bench.report import Report, spread

RECORDS = 2_000_000
PEER_RECORDS = 200_000


def verify():
    report = Report(
        f"How fast is a journal verified? (JSON Lines of {LINE_BYTES} bytes)",
        ("what", "M records/s", "best, × one core", "what it finds out"),
    )
    found = child("verify.rates", "PATH")
    best = {name: max(rates) for name, rates in found.items()}
    one = best["one core"]
    every = "every record, its index, who sealed it"
    for name, rates in found.items():
        what = "whether the bytes are those it had seen" if name == "sha256sum" else every
        cores = "" if name == "sha256sum" else f"treering, {name}"
        report.row(cores or "sha256sum, one core", spread(rates), f"{best[name] / one:.2f}", what)
    try:
        rates = slogverify()
        decrypts = "every record, that none is missing; decrypts them"
        report.row("slogverify, one core", spread(rates, 3), f"{max(rates) / one:.3f}", decrypts)
    except (OSError, subprocess.CalledProcessError) as error:
        reason = f"could not be measured: {error}; Debian has it in syslog-ng-mod-slog"
        report.row("slogverify", reason, "", "")
    report.goal("million records/s on one core", one, 1.5, at_least=True)
    report.goal("two cores against one", best["two cores"] / one, 1.8, at_least=True)
    return report


def rates(path):
    """Millions of records a second, verified on one core, on two, and only read and hashed, in turns."""
    from treering.seal import pin
    from treering.seal import verify as verify_journal

    fill(path, RECORDS)
    trust = pin(path)
    segments = sorted(glob.glob(f"{path}/active/*"))

    def verified(threads):
        verdict = verify_journal(path, trust=trust, threads=threads)
        assert verdict.ok, verdict
        assert verdict.details["sealed"] > RECORDS

    everywhere = os.sched_getaffinity(0)
    one, two = {min(everywhere)}, set(sorted(everywhere)[:2])
    ways = {
        "one core": (one, lambda: verified(1)),
        "two cores": (two, lambda: verified(2)),
        "sha256sum": (
            one,
            lambda: subprocess.run(["sha256sum", *segments], check=True, capture_output=True),
        ),
    }
    found = {name: [] for name in ways}
    for _ in range(7):
        for name, (cores, work) in ways.items():
            os.sched_setaffinity(0, cores)
            begin = time.perf_counter()
            work()
            found[name].append(RECORDS / (time.perf_counter() - begin) / 1e6)
    return found


def slogverify():
    """The same for syslog-ng's secure logging, with its own tools."""
    if not shutil.which("slogverify"):
        raise FileNotFoundError("slogverify is not installed")
    with tempfile.TemporaryDirectory() as place:

        def run(*words, check=True):
            subprocess.run(words, cwd=place, check=check, capture_output=True)

        with open(f"{place}/plain", "w") as file:
            file.writelines(f"{at:0{LINE_BYTES - 1}}\n" for at in range(PEER_RECORDS))
        open(f"{place}/none.mac", "w").close()
        run("slogkey", "-m", "master.key")
        run("slogkey", "-d", "master.key", "02:00:00:00:00:01", "1", "first.key")
        # It complains of the empty MAC that a first log begins with, and does its work.
        keys = ("-k", "first.key", "-m", "none.mac", "last.key", "last.mac")
        run("slogencrypt", *keys, "plain", "log", check=False)
        found = []
        for _ in range(3):
            begin = time.perf_counter()
            run("slogverify", "-k", "first.key", "-m", "last.mac", "log", "verified")
            found.append(PEER_RECORDS / (time.perf_counter() - begin) / 1e6)
        with open(f"{place}/verified") as file:
            assert sum(1 for _ in file) == PEER_RECORDS
    return found
