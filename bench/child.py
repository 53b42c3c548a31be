"""One measurement in a process of its own: `python -m bench.child WHAT ARGS…`, JSON on standard output.

`WHAT` is a function here, or one of another question's file: `verify.rates`.
"""

import glob
import importlib
import itertools
import json
import os
import sys
import tempfile
import threading
import time

from bench.data import FIELDS, MESSAGE, TEN


def peer(name):
    return importlib.import_module(f"bench.peers.{name}")


def lines(path):
    """Whole records that can be read at `path`, a file or a journal."""
    files = glob.glob(f"{path}/active/*.jsonl") if os.path.isdir(path) else glob.glob(path)
    count = 0
    for name in files:
        with open(name, "rb") as file:
            for line in file:
                count += b"treering.journal" not in line and line.endswith(b"\n")
    return count


def timed(call, number):
    begin = time.perf_counter_ns()
    for _ in range(number):
        call()
    return (time.perf_counter_ns() - begin) / number


def call(name, path):
    """Nanoseconds of one enabled call, and of an empty function called alike, in turns."""
    module = peer(name)
    info = module.open_log(path)

    def empty(message, **fields):
        pass

    batch = 2000 if name == "treering" else 500
    rounds = 60 if name == "treering" else 12
    logged, nothing = [], []
    for _ in range(rounds):
        begin = time.perf_counter_ns()
        for _ in range(batch):
            info("User authenticated", user_id=7, method="password", ok=True)
        logged.append((time.perf_counter_ns() - begin) / batch)
        if name == "treering":
            import treering

            treering.flush()
        begin = time.perf_counter_ns()
        for _ in range(batch):
            empty("User authenticated", user_id=7, method="password", ok=True)
        nothing.append((time.perf_counter_ns() - begin) / batch)
    module.close()
    assert lines(path) == batch * rounds, (lines(path), batch * rounds)
    return {"logged": logged, "empty": nothing, "durability": module.DURABILITY}


def variants(path):
    """Our call in other shapes, each against the empty function called alike."""
    import treering

    peer("treering").open_log(path)
    log = treering.get_logger("bench")
    bound = log.bind(request_id="r-1", tenant="acme")

    def empty(message, **fields):
        pass

    def failing():
        try:
            raise ValueError("no")
        except ValueError:
            log.exception("failed", order=7)

    def failing_empty():
        try:
            raise ValueError("no")
        except ValueError:
            empty("failed", order=7)

    def ambient():
        with treering.context(request_id="r"):
            log.info("m", a=1)

    def ambient_empty():
        empty("m", a=1)

    changing = "User " + str(len(path))
    shapes = {
        "message + 3 fields": (
            lambda: log.info(MESSAGE, user_id=7, method="password", ok=True),
            lambda: empty(MESSAGE, user_id=7, method="password", ok=True),
        ),
        "with bound context": (
            lambda: bound.info(MESSAGE, user_id=7, method="password", ok=True),
            lambda: empty(MESSAGE, user_id=7, method="password", ok=True),
        ),
        "10 fields": (lambda: log.info(MESSAGE, **TEN), lambda: empty(MESSAGE, **TEN)),
        "a message that changes": (
            lambda: log.info(f"{changing} in", user_id=7),
            lambda: empty(f"{changing} in", user_id=7),
        ),
        "% arguments": (lambda: log.info("took %s ms", 3), lambda: empty("took %s ms", x=3)),
        "a nested value": (
            lambda: log.info(MESSAGE, user={"id": 7, "tags": [1, 2]}),
            lambda: empty(MESSAGE, user={"id": 7, "tags": [1, 2]}),
        ),
        "entering a context": (ambient, ambient_empty),
        "an exception": (failing, failing_empty),
    }
    found = {}
    for name, (logs, nothing) in shapes.items():
        ratios, times = [], []
        for _ in range(15):
            took = timed(logs, 500)
            treering.flush()
            times.append(took)
            ratios.append(took / timed(nothing, 500))
        found[name] = {"ratios": ratios, "ns": times}
    treering.shutdown()
    return found


def disabled(path):
    """A disabled call against a native method that does nothing."""
    import treering

    class Noop(treering.Logger):
        debug = treering._core.noop

    treering.configure(directory=path, console=False, level="INFO")
    log, noop = treering.get_logger("bench"), Noop("bench")
    found = []
    for _ in range(60):
        begin = time.perf_counter_ns()
        for _ in range(5000):
            log.debug("User authenticated", user_id=7, method="password", ok=True)
        middle = time.perf_counter_ns()
        for _ in range(5000):
            noop.debug("User authenticated", user_id=7, method="password", ok=True)
        found.append((middle - begin) / (time.perf_counter_ns() - middle))
    treering.shutdown()
    return {"ratios": found}


def disabled_stdlib(_):
    """The same for the standard library, against an empty function."""
    import logging

    log = logging.getLogger("bench")
    log.setLevel(logging.INFO)
    found = [timed(lambda: log.debug(MESSAGE), 5000) for _ in range(20)]
    return {"ns": found}


def sustained(name, path, number, text_bytes):
    """Seconds from the first call until every record can be read."""
    module = peer(name)
    info = module.open_log(path)
    number = int(number)
    text = "x" * int(text_bytes)
    begin = time.perf_counter()
    for at in range(number):
        info(MESSAGE, number=at, text=text)
    called = time.perf_counter() - begin
    module.close()
    took = time.perf_counter() - begin
    counted = lines(path)
    size = sum(
        os.path.getsize(p)
        for p in (glob.glob(f"{path}/active/*") if os.path.isdir(path) else [path])
    )
    return {
        "seconds": took,
        "called": called,
        "lines": counted,
        "record_bytes": size / max(counted, 1),
        "durability": module.DURABILITY,
    }


def produce(path, number):
    """One of several producers into one journal."""
    import treering

    peer("treering").open_log(path)
    log = treering.get_logger("bench")
    print("ready", flush=True)
    sys.stdin.readline()
    for at in range(int(number)):
        log.info(MESSAGE, number=at, text="x")
    treering.flush(60)
    return {}


def latency(name, path):
    """Each call's nanoseconds, from four threads at full load; no more than our ring takes at once."""
    module = peer(name)
    info = module.open_log(path)
    if name == "treering":
        import treering

        treering.configure(directory=path, console=False, ring_bytes="16MB")
    found = [[] for _ in range(4)]

    def work(mine):
        clock = time.perf_counter_ns
        for _ in range(8000):
            begin = clock()
            info("User authenticated", user_id=7, method="password", ok=True)
            mine.append(clock() - begin)

    threads = [threading.Thread(target=work, args=(mine,)) for mine in found]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    blocked = treering.statistics()["blocked"] if name == "treering" else 0
    module.close()
    everything = sorted(itertools.chain.from_iterable(found))
    assert lines(path) == len(everything)
    assert blocked == 0, "the block policy was engaged"
    return {f"p{p}": everything[int(len(everything) * p / 100)] for p in (50, 99, 99.9)}


def idle(path):
    """CPU seconds of a process that has a journal open and says nothing, per second."""
    import treering

    treering.configure(directory=path, console=False)
    treering.get_logger("bench").info("begin")
    treering.flush()
    time.sleep(0.5)
    before = time.process_time()
    time.sleep(5)
    return {"share": (time.process_time() - before) / 5}


def memory(path):
    """Resident bytes that importing, configuring and 1,000 records add."""

    def resident():
        with open("/proc/self/statm") as file:
            return int(file.read().split()[1]) * os.sysconf("SC_PAGESIZE")

    before = resident()
    import treering

    treering.configure(directory=path, console=False)
    log = treering.get_logger("bench")
    for _ in range(1000):
        log.info(MESSAGE, **FIELDS)
    treering.flush()
    return {"bytes": resident() - before}


if __name__ == "__main__":
    what, *arguments = sys.argv[1:]
    with tempfile.TemporaryDirectory() as place:
        arguments = [f"{place}/log" if word == "PATH" else word for word in arguments]
        module, _, name = what.rpartition(".")
        where = vars(importlib.import_module(f"bench.{module}")) if module else globals()
        print(json.dumps(where[name](*arguments)))
