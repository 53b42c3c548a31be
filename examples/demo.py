"""The main job on real input: many processes, one of them killed, nothing lost, all of it sealed.

Run by `make demo`; `INPUT="file…"` pipes other logs in. Exits with 1 when the proof fails.
"""

from __future__ import annotations

import glob
import json
import mmap
import multiprocessing
import os
import random
import signal
import struct
import subprocess
import sys
import tempfile
import time

import treering
from treering.journal import Journal

WORKERS = 6
ORDERS = 4000
PRODUCTS = ("kettle", "lamp", "chair", "desk", "mug", "clock")


def shop(directory: str, counters: str, worker: int) -> None:
    """Takes orders, and counts every log call after it has returned."""
    treering.configure(
        "production",
        directory=directory,
        level="DEBUG",
        block_timeout_s=60,
        segment_max_bytes="1MB",
    )
    log = treering.get_logger(f"shop.till{worker}")
    chance = random.Random(worker)
    file = open(counters, "r+b")
    counter = mmap.mmap(file.fileno(), 8 * WORKERS)
    returned = 0
    for order in range(ORDERS):
        with treering.context(order=f"{worker}-{order}"):
            product, price = chance.choice(PRODUCTS), chance.randint(5, 500)
            log.debug("Order received", product=product)
            if chance.random() < 0.02:
                log.warning("Card refused", product=product, price=price, attempt=1)
            elif chance.random() < 0.005:
                try:
                    raise ConnectionError("payment service did not answer")
                except ConnectionError:
                    log.exception("Payment failed", product=product, price=price)
            else:
                log.info("Order paid", product=product, price=price)
        returned += 2
        counter[8 * worker : 8 * worker + 8] = struct.pack("<q", returned)


def title(text: str) -> None:
    print(f"\n── {text} " + "─" * max(0, 76 - len(text)), flush=True)


def command(*words: str, expected: int = 0) -> bool:
    print(f"$ treering {' '.join(words)}", flush=True)
    code = subprocess.run([sys.executable, "-m", "treering", *words], check=False).returncode
    if code != expected:
        print(f"exit code {code}; {expected} would be right")
    return code == expected


def main() -> int:
    with tempfile.TemporaryDirectory(prefix="treering-demo-") as directory:
        return show(f"{directory}/logs", f"{directory}/counters")


def show(logs: str, counters: str) -> int:
    with open(counters, "wb") as file:
        file.write(bytes(8 * WORKERS))
    title(f"{WORKERS} processes log into one journal; one is killed with SIGKILL in mid-flight")
    workers = [
        multiprocessing.get_context("fork" if at % 2 else "spawn").Process(
            target=shop, args=(logs, counters, at)
        )
        for at in range(WORKERS)
    ]
    begin = time.monotonic()
    for worker in workers:
        worker.start()
    victim = 1
    while returned(counters)[victim] < ORDERS // 2:
        time.sleep(0.001)
    os.kill(workers[victim].pid or 0, signal.SIGKILL)
    for worker in workers:
        worker.join()
    codes = [worker.exitcode for worker in workers]
    print(f"done in {time.monotonic() - begin:.2f} s; exit codes {codes}")
    expected = [-signal.SIGKILL if at == victim else 0 for at in range(WORKERS)]
    if codes != expected:
        print(f"THE PROOF FAILED: exit codes {expected} would be right")
        return 1

    title("real logs are piped into the same journal")
    inputs = sys.argv[1:] or [
        path
        for path in ["/var/log/dpkg.log", "/var/log/alternatives.log", *glob.glob("/var/log/*.log")]
        if os.path.isfile(path) and os.access(path, os.R_OK)
    ]
    command("pipe", "--to", logs, "--component", "machine", *dict.fromkeys(inputs))

    title("the newest records, and a search")
    command("tail", "-n", "4", logs)
    print()
    command("tail", "-n", "1", "--level", "ERROR", "--component", "shop", "--grep", "payment", logs)

    title("statistics")
    command("stats", logs)

    title("the proof: every call that returned is in the journal, exactly once")
    complete = proof(logs, counters)

    title("the seal: verified, tampered with, found out")
    return 0 if sealing(logs) and complete else 1


def sealing(logs: str) -> bool:
    pin = f"{logs}.pin"
    with open(pin, "w") as file:
        subprocess.run(
            [sys.executable, "-m", "treering", "keys", "show", logs], stdout=file, check=True
        )
    command("verify", logs, "--trust", pin)
    paid = next(index for index, line in Journal(logs).records() if b"Order paid" in line)
    proof_file, record = f"{logs}.tlog-proof", f"{logs}.record"
    print(f"$ treering prove {logs} {paid} --record {record} > {proof_file}")
    with open(proof_file, "w") as file:
        subprocess.run(
            [sys.executable, "-m", "treering", "prove", logs, str(paid), "--record", record],
            stdout=file,
            check=True,
        )
    segment = min(glob.glob(f"{logs}/active/*.jsonl"))
    print(f"$ sed -i '{paid + 1}s/Order paid/Order free/' {segment}")
    with open(segment, "rb") as file:
        lines = file.readlines()
    lines[paid] = lines[paid].replace(b"Order paid", b"Order free")
    with open(segment, "wb") as file:
        file.writelines(lines)
    found_out = command("verify", logs, "--trust", pin, expected=1)
    proven = command("verify", proof_file, "--record", record, "--trust", pin)
    good = found_out and proven
    print("found out, and the proof taken before still holds" if good else "THE PROOF FAILED")
    return good


def returned(counters: str) -> list[int]:
    with open(counters, "rb") as file:
        return list(struct.unpack(f"<{WORKERS}q", file.read()))


def proof(logs: str, counters: str) -> bool:
    found: dict[str, list[str]] = {}
    for _, line in Journal(logs).records():
        record = json.loads(line)
        if record["component"].startswith("shop."):
            found.setdefault(record["component"], []).append(record["context"]["order"])
    good = True
    for worker, count in enumerate(returned(counters)):
        orders = found.get(f"shop.till{worker}", [])
        # Two records an order; a killed process may have logged one more than it could count.
        expected = [f"{worker}-{at // 2}" for at in range(len(orders))]
        complete = orders == expected and 0 <= len(orders) - count <= 2
        good &= complete
        killed = "  (killed)" if count < 2 * ORDERS else ""
        print(
            f"till{worker}: {count:6,} calls returned, {len(orders):6,} records in order"
            f"  {'ok' if complete else 'WRONG'}{killed}"
        )
    print("nothing lost, nothing twice" if good else "THE PROOF FAILED")
    return good


if __name__ == "__main__":
    sys.exit(main())
