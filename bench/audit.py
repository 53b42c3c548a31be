"""How long does `audit()` take?"""

import os
import threading
import time

from bench.data import LINE_BYTES
from bench.process import child
from bench.report import Report

THREADS = 64


def audit():
    report = Report(
        "How long does audit() take, until a signed checkpoint covers the record on the device?",
        ("what", "p50 µs", "p99 µs", "p50, × write + fdatasync", "p99"),
    )
    for threads, number in ((1, 100), (THREADS, 10)):
        found = child("audit.latencies", "PATH", threads, number)
        bare = found["write + fdatasync"]
        who = "one thread" if threads == 1 else f"{threads} threads"
        for name, times in found.items():
            ratios = [f"{times[p] / bare[p]:.1f}" for p in ("p50", "p99")]
            row = [f"{times[p] / 1000:.0f}" for p in ("p50", "p99")]
            report.row(f"{name}, {who}", *row, *ratios)
    return report


def latencies(path, threads, number):
    """Nanoseconds of each call, in turns: sealed, not sealed, and a bare write that waits for the device."""
    import treering

    threads, number = int(threads), int(number)
    log = treering.get_logger("bench")
    line = b"x" * (LINE_BYTES - 1) + b"\n"
    file = os.open(f"{path}.bare", os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)

    def write():
        os.write(file, line)
        os.fdatasync(file)

    def call():
        assert log.audit("order paid", order=7, text="x" * 20).durable

    found = {"audit()": [], "audit(), not sealed": [], "write + fdatasync": []}
    for _ in range(5):
        for name, times in found.items():
            work = write
            if name != "write + fdatasync":
                work = call
                sealed = name == "audit()"
                treering.configure(directory=f"{path}-{sealed}", console=False, seal=sealed)
                call()
            times += run(work, threads, number)
    treering.shutdown(60)
    os.close(file)
    return {
        name: {f"p{p}": sorted(times)[len(times) * p // 100] for p in (50, 99)}
        for name, times in found.items()
    }


def run(work, threads, number):
    """Nanoseconds of `number` calls on each of so many threads at once."""
    times = []
    start = threading.Barrier(threads)

    def body():
        start.wait()
        for _ in range(number):
            begin = time.perf_counter_ns()
            work()
            times.append(time.perf_counter_ns() - begin)

    running = [threading.Thread(target=body) for _ in range(threads)]
    for thread in running:
        thread.start()
    for thread in running:
        thread.join()
    assert len(times) == threads * number
    return times
