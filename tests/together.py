"""Writers, archiver, retention and readers on one journal at once, killed at random points.

A journal of tiny segments that are archived at once and soon go. Every writer notes each call that has
returned; every reader notes what it saw and what it did not see; `account` holds all of it together.
"""

import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

from noted import COUNT, Account, Notes

WRITERS = 3
READERS = ("follow", "reopen", "pages", "sql")
LAST = "the last one"
SETTINGS = {
    "console": False,
    "segment_max_bytes": "16KB",
    "archive_after_s": 0,
    "archive_cpu": 1,
    "retention_max_bytes": "200KB",
    "retention_keep": "ERROR=3x",
    "block_timeout_s": 60,
    "checkpoint_interval_s": 0,
}


def role(base, *words):
    """Starts a part of the play as a process of its own."""
    errors = (Path(base) / "errors").open("a")
    with errors:
        command = [sys.executable, __file__, str(base), *map(str, words)]
        return subprocess.Popen(command, stderr=errors)


def write(base, name, seed):
    """Logs numbered records until it is killed; the file of its name says how many calls returned."""
    import treering

    treering.configure(directory=base / "logs", **SETTINGS)
    log, chance = treering.get_logger("numbered"), random.Random(seed)
    with (base / "returned" / name).open("wb", buffering=0) as returned:
        number = 0
        while True:
            say = log.error if chance.random() < 0.03 else log.info
            say("step of %s", name, writer=name, number=number, text="x" * chance.randrange(60))
            number += 1
            os.pwrite(returned.fileno(), COUNT.pack(number), 0)
            if chance.random() < 0.1:
                time.sleep(chance.random() * 0.06)


def keep_rules(base, seed):
    """Applies the rules of retention, far more often than a leader does by itself."""
    from treering.archive import archive, retain
    from treering.errors import JournalUnavailable

    chance = random.Random(seed)
    while True:
        time.sleep(chance.random() * 1.5)
        try:
            (archive if chance.random() < 0.1 else retain)(base / "logs")
        except JournalUnavailable:
            time.sleep(0.1)  # The leader was killed just now, or is busy.


def follow(notes, _chance):
    """Follows from the first record to the last."""
    from treering.journal import Journal

    last = None
    for index, line in Journal(notes.base / "logs").records(follow=True, poll_s=0.02):
        notes.record(index, line)
        if last is not None and index != last + 1:
            notes.look(0, [last, index], is_held=True)
        last = index
        if LAST.encode() in line:
            return


def reopen(notes, chance):
    """Reads from somewhere to the end, again and again."""
    from treering.journal import Journal

    while not notes.is_over:
        began, journal = time.time(), Journal(notes.base / "logs")
        start = chance.choice([0, chance.randint(journal.begin, max(journal.begin, journal.end))])
        seen = []
        for index, line in journal.records(start, follow=False):
            assert index >= start, f"{index} is before {start}"
            notes.record(index, line)
            seen.append(index)
            if chance.random() < 0.0005:
                time.sleep(0.2)
        notes.look(began, seen)
        time.sleep(chance.random() * 0.1)


def pages(notes, chance):
    """Pages through all records, in either order, and some of the way back."""
    from treering.store import open_store

    with open_store(notes.base / "logs", threads=1) as store:
        while not notes.is_over:
            page_through(notes, chance, store)


def page_through(notes, chance, store):
    began, order = time.time(), chance.choice(["newest", "oldest"])
    asked = {"journal": True, "order": order, "limit": chance.choice([40, 150, 700])}
    found, cursor, first = [], None, None
    for turn in range(10_000):
        page = store.search(cursor=cursor, **asked)
        records = list(page.records())
        for record in records:
            notes.record(record.index, record.line)
        found += [record.index for record in records]
        first, cursor = first or page.previous_cursor, page.next_cursor
        if cursor is None or (turn > 3 and chance.random() < 0.03):
            break
    notes.look(began, found if order == "oldest" else found[::-1])
    if order == "newest" and found:
        newer_ones(notes, store, asked, first, found[0])


def newer_ones(notes, store, asked, cursor, newest):
    """What came since the first page, by paging back from it."""
    began, found = time.time(), [newest]
    for _ in range(3):
        page = store.search(cursor=cursor, **asked)
        records = list(page.records())[::-1]
        for record in records:
            notes.record(record.index, record.line)
        found += [record.index for record in records]
        cursor = page.previous_cursor or cursor
    notes.look(began, found, is_held=True)


def sql(notes, chance):
    """Counts, and lists indexes, by SQL and by query."""
    from treering.store import open_store

    with open_store(notes.base / "logs", threads=1) as store:
        while not notes.is_over:
            began = time.time()
            rows = store.sql('SELECT "index" AS n FROM records ORDER BY 1').arrow().read_all()
            notes.look(began, rows.column("n").to_pylist())
            counted = 'SELECT count(*) AS n, count(DISTINCT "index") AS m FROM records'
            (row,) = store.sql(counted).to_list()
            assert row["n"] == row["m"], f"counted twice: {row}"
            began, found = time.time(), store.search(journal=True, limit=None, order="oldest")
            seen = []
            for record in found.records():
                notes.record(record.index, record.line)
                seen.append(record.index)
            notes.look(began, seen)
            errors = store.sql(
                "SELECT \"index\" AS n FROM records WHERE level = 'ERROR' ORDER BY 1"
            )
            twice = [row["n"] for row in errors]
            assert twice == sorted(set(twice)), "errors twice"
            store.count("level:ERROR component:numbered")
            time.sleep(chance.random() * 0.2)


def campaign(base, seconds, seed, tell=lambda what: None):
    """Runs all of it in `base` for some seconds; gives what was wrong, and counts."""
    from treering.seal import verify

    base, chance = Path(base), random.Random(seed)
    for name in ("returned", "seen"):
        (base / name).mkdir(parents=True)
    writers = [role(base, "write", f"w{at}.0", chance.random()) for at in range(WRITERS)]
    keeper, others, alarms, kills = None, {}, [], 0
    try:
        _wait(lambda: (base / "logs" / "active" / f"{0:020}.jsonl").exists())
        _wait(lambda: (base / "logs" / "seal" / "checkpoint").exists())
        trust = _wait(lambda: _pinned(base / "logs"))
        keeper = role(base, "keep", chance.random())
        others = {name: role(base, name, chance.random()) for name in READERS}
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline and not alarms:
            time.sleep(chance.choice([0.02, 0.3, 1.0]) * (0.2 + chance.random()))
            kills += 1
            if chance.random() < 0.2:
                _kill(keeper)
                keeper = role(base, "keep", chance.random())
            else:
                at = chance.randrange(WRITERS)
                _kill(writers[at])
                writers[at] = role(base, "write", f"w{at}.{kills}", chance.random())
            alarms += [f"{n} ended with {p.poll()}" for n, p in others.items() if p.poll()]
            tell(f"{kills} kills")
    finally:
        for process in filter(None, [*writers, keeper]):
            _kill(process)
        alarms += _end(base, others)
    verdict = verify(base / "logs", trust=trust)
    if verdict.code != 0:
        alarms.append(str(verdict))
    errors = (base / "errors").read_text()
    alarms += [errors[-3000:]] if "Traceback" in errors else []
    found = Account(base)
    return alarms + found.mistakes(), {"kills": kills, **found.counts}


def _end(base, readers):
    """Brings everything in, logs the last record, and waits for the readers."""
    # In a process of its own: this one may be a test's.
    code = f"""import sys, treering, treering.archive
from treering.journal import Journal
while not Journal(sys.argv[1]).recover(): pass
treering.configure(directory=sys.argv[1], console=False)
treering.get_logger("end").info("{LAST}")
treering.flush(30)
treering.shutdown()
# A prune whose process was killed is finished by the next one.
treering.archive.retain(sys.argv[1])"""
    subprocess.run([sys.executable, "-c", code, str(base / "logs")], check=True, timeout=60)
    (base / "over").touch()
    alarms = []
    for name, process in readers.items():
        try:
            process.wait(60)
        except subprocess.TimeoutExpired:
            alarms.append(f"{name} did not see the end")
            _kill(process)
        if process.returncode:
            alarms.append(f"{name} ended with {process.returncode}")
    return alarms


def _wait(condition):
    deadline = time.monotonic() + 60
    while not (done := condition()):
        assert time.monotonic() < deadline, "waited for the journal"
        time.sleep(0.02)
    return done


def _pinned(journal):
    """The pin, once record 0 is there."""
    from treering.errors import TreeringError
    from treering.seal import pin

    try:
        return pin(journal)
    except TreeringError:
        return None


def _kill(process):
    process.send_signal(signal.SIGKILL)
    process.wait()


if __name__ == "__main__":
    place, what, *rest = sys.argv[1:]
    match what:
        case "write":
            write(Path(place), *rest)
        case "keep":
            keep_rules(Path(place), *rest)
        case _:
            play = {"follow": follow, "reopen": reopen, "pages": pages, "sql": sql}[what]
            play(Notes(Path(place), what), random.Random(rest[0]))
