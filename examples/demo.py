"""The main job on real input: many processes, one of them killed, nothing lost, all of it sealed.

The journal is shipped meanwhile, to a text file and to an HTTP destination that dies and comes back;
in the end it is archived, searched and exported.

Run by `make demo`; `INPUT="file…"` pipes other logs in. Exits with 1 when the proof fails.
"""

from __future__ import annotations

import glob
import gzip
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
from pathlib import Path

from receiver import Receiver

import treering
from treering.journal import Journal
from treering.store import open_store

WORKERS = 6
ORDERS = 4000
PRODUCTS = ("kettle", "lamp", "chair", "desk", "mug", "clock")
CARD, PASSWORD = "4111 1111 1111 1111", "tr33-hugger"
SETTINGS = """\
profile = "production"
directory = "{logs}"
level = "DEBUG"
block_timeout_s = 60
segment_max_bytes = "1MB"

[outputs.text]
type = "file"
path = "{logs}.txt"
format = "%s %t %l %c: %m %{{fields}} %{{exception}}"
max_bytes = "1MB"
backup_count = 100
compression = "gzip"

[outputs.central]
type = "http"
url = "http://127.0.0.1:{port}/ingest"
"""


def shop(settings: str, counters: str, worker: int) -> None:
    """Takes orders, and counts every log call after it has returned."""
    treering.configure(config_file=settings)
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
                    raise ConnectionError(f"https://till:{PASSWORD}@pay.example did not answer")
                except ConnectionError:
                    log.exception("Payment failed", product=product, price=price)
            else:
                log.info("Order paid", product=product, price=price, note=f"by card {CARD}")
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
    receiver = Receiver()
    settings = f"{logs}.toml"
    Path(settings).write_text(SETTINGS.format(logs=logs, port=receiver.port))
    title("a configuration with a text file and an HTTP destination")
    if not command("config", "check", settings) or not work(settings, counters, receiver):
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

    title("the destination had died; it comes back and gets what it missed")
    shipped = shipping(logs, settings, receiver)

    title("the proof: every call that returned is in the journal, exactly once")
    complete = proof(logs, counters)

    title("the password and the card number that were logged are nowhere")
    covered = redaction(logs, receiver)

    title("the seal: verified, tampered with, found out")
    sealed = sealing(logs)

    title("archived as Parquet, searched, summed up")
    asked = archive_and_ask(logs)

    title("exported with proofs, which are checked without the journal")
    exported = exporting(logs)
    return 0 if complete and shipped and covered and sealed and asked and exported else 1


def work(settings: str, counters: str, receiver: Receiver) -> bool:
    with open(counters, "wb") as file:
        file.write(bytes(8 * WORKERS))
    title(f"{WORKERS} processes log into one journal; one is killed with SIGKILL in mid-flight")
    workers = [
        multiprocessing.get_context("fork" if at % 2 else "spawn").Process(
            target=shop, args=(settings, counters, at)
        )
        for at in range(WORKERS)
    ]
    begin = time.monotonic()
    for worker in workers:
        worker.start()
    # Only now, so that no forked worker holds its socket open when it dies.
    receiver.start()
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
    return codes == expected


def shipping(logs: str, settings: str, receiver: Receiver) -> bool:
    treering.configure(config_file=settings)
    receiver.died.wait(20)
    print(f"it had stored {len(receiver.lines):,} records when it died, the last without an answer")
    command("stats", logs)
    receiver.start()
    deadline = time.monotonic() + 20
    while not treering.flush() and time.monotonic() < deadline:
        time.sleep(0.1)
    treering.shutdown()
    receiver.stop()
    journal = {index: line.rstrip() for index, line in Journal(logs).records() if is_input(line)}
    arrived = {index: line for index, line in receiver.lines.items() if is_input(line)}
    there = receiver.in_order and arrived == journal
    print(
        f"journal {len(journal):,} records, destination {len(arrived):,} in order"
        f" ({receiver.repeated:,} came again and were known by their index)"
        f"  {'ok' if there else 'WRONG'}"
    )
    files = [*sorted(glob.glob(f"{logs}.2*"), key=os.path.getmtime), f"{logs}.txt"]
    lines = [line for path in files for line in text_of(path).splitlines()]
    # A killed process may have left its last lines to be written again.
    words = [line.split(" ", 4) for line in lines]
    indexes = list(dict.fromkeys(int(w[0]) for w in words if not w[3].startswith("treering.")))
    written = indexes == list(journal)
    print(
        f"{len(files)} text files, all but the newest compressed: {len(indexes):,} records in order"
        f"  {'ok' if written else 'WRONG'}"
    )
    return there and written


def is_input(line: bytes) -> bool:
    """Whether it is not from Treering itself, which also tells of outputs before they are there."""
    return b'"component":"treering.' not in line


def text_of(path: str) -> str:
    data = Path(path).read_bytes()
    return (gzip.decompress(data) if path.endswith(".gz") else data).decode()


def redaction(logs: str, receiver: Receiver) -> bool:
    command("tail", "-n", "1", "--component", "shop", "--grep", "by card", logs)
    texts = [text_of(path) for path in glob.glob(f"{logs}.*") if not path.endswith(".toml")]
    texts += [path.read_text() for path in Path(logs).glob("active/*.jsonl")]
    texts.append(b"".join(receiver.lines.values()).decode())
    good = not any(CARD in text or PASSWORD in text for text in texts)
    print(f"{len(texts)} files and messages searched: {'ok' if good else 'THE PROOF FAILED'}")
    return good


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
    before = Path(segment).read_bytes()
    lines = before.splitlines(keepends=True)
    lines[paid] = lines[paid].replace(b"Order paid", b"Order free")
    with open(segment, "wb") as file:
        file.writelines(lines)
    found_out = command("verify", logs, "--trust", pin, expected=1)
    proven = command("verify", proof_file, "--record", record, "--trust", pin)
    Path(segment).write_bytes(before)
    good = found_out and proven
    print("found out, and the proof taken before still holds" if good else "THE PROOF FAILED")
    return good


def archive_and_ask(logs: str) -> bool:
    before = list(Journal(logs).records())
    good = command("archive", logs, "--all")
    good &= command("verify", logs, "--trust", f"{logs}.pin")
    after = list(Journal(logs).records())
    same = after[: len(before)] == before
    print(f"{len(before):,} records read as before: {'ok' if same else 'THE PROOF FAILED'}\n")
    question = "level>=WARNING component:shop attempt:1"
    good &= command("search", logs, question, "--limit", "3")
    good &= command("search", logs, "component:shop | stats count(), p95(price) by level")
    good &= command("patterns", logs, "component:shop", "--limit", "4")
    expected = sum(b'"message":"Card refused"' in line for _, line in before)
    with open_store(logs) as store:
        found = store.count(question)
    counted = found == expected > 0
    print(f"found {found:,} of {expected:,}: {'ok' if counted else 'THE PROOF FAILED'}")
    return good and same and counted


def exporting(logs: str) -> bool:
    out, pin = f"{logs}.errors.jsonl", f"{logs}.pin"
    check = ("export", "--check", f"{out}.manifest.json", "--trust", pin)
    good = command("export", logs, "level:ERROR component:shop", "-o", out, "--proofs")
    good &= command(*check)
    text = Path(out).read_bytes()
    print(f"$ sed -i 's/Payment failed/Payment done/' {out}")
    Path(out).write_bytes(text.replace(b"Payment failed", b"Payment done"))
    good &= command(*check, expected=1)
    print("as it was sealed, and a change is found out" if good else "THE PROOF FAILED")
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
