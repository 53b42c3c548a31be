"""Writers, archiver, retention and readers on one journal at once, killed at random points.

A journal of tiny segments that are archived at once and soon go. Every writer notes each call that has
returned; every reader notes what it saw and what it did not see; `account` holds all of it together.
"""

import bisect
import hashlib
import json
import os
import random
import signal
import struct
import subprocess
import sys
import time
from pathlib import Path

WRITERS = 3
READERS = ("follow", "reopen", "pages", "sql")
LAST = "the last one"
COUNT = struct.Struct("<Q")
SETTINGS = {
    "console": False,
    "segment_max_bytes": "16KB",
    "archive_after_s": 0,
    "archive_cpu": 1,
    "retention_max_bytes": "400KB",
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


class Notes:
    """What a reader saw, for `account`.

    A look is a time before which it began, one after which it ended, and the indexes it saw, as ranges.
    """

    def __init__(self, base, name):
        self._file = (base / "seen" / name).open("a", buffering=1)
        self._known = set()
        self.base = base

    def record(self, index, line):
        """Notes what a record is, once."""
        if index in self._known:
            return
        self._known.add(index)
        value = json.loads(line)
        fields = value.get("metadata", {})
        digest = hashlib.blake2b(line, digest_size=8).hexdigest()
        if value["component"] == "numbered":
            said = [fields["writer"], fields["number"], value["level"]]
        elif value["component"] == "treering.journal":
            said = [value["message"], value["timestamp"], fields]
        else:
            said = []
        print(json.dumps(["record", index, digest, said]), file=self._file)

    def look(self, began, indexes, *, is_held=False):
        """Notes a look; one at files that were opened earlier is no proof that they are there."""
        ranges = []
        for index in indexes:
            if ranges and index <= ranges[-1][1] - 1:
                raise AssertionError(f"{index} after {ranges[-1][1] - 1}: twice, or out of order")
            if ranges and index == ranges[-1][1]:
                ranges[-1][1] += 1
            else:
                ranges.append([index, index + 1])
        print(json.dumps(["look", began, time.time(), is_held, ranges]), file=self._file)

    @property
    def is_over(self):
        return (self.base / "over").exists()


def follow(notes, chance):
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
    from treering.seal import pin, verify

    base, chance = Path(base), random.Random(seed)
    for name in ("returned", "seen"):
        (base / name).mkdir(parents=True)
    writers = [role(base, "write", f"w{at}.0", chance.random()) for at in range(WRITERS)]
    keeper, others, alarms, kills = None, {}, [], 0
    try:
        _wait(lambda: (base / "logs" / "active" / f"{0:020}.jsonl").exists())
        _wait(lambda: (base / "logs" / "seal" / "checkpoint").exists())
        trust = pin(base / "logs")
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
    import treering

    # In a process of its own: this one may be a test's.
    code = f"""import sys, treering
from treering.journal import Journal
while not Journal(sys.argv[1]).recover(): pass
treering.configure(directory=sys.argv[1], console=False)
treering.get_logger("end").info("{LAST}")
treering.flush(30)
treering.shutdown()"""
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
    while not condition():
        assert time.monotonic() < deadline, "waited for the journal"
        time.sleep(0.02)


def _kill(process):
    process.send_signal(signal.SIGKILL)
    process.wait()


class Account:
    """All that was noted, and what is there at the end."""

    def __init__(self, base):
        from treering.journal import Journal

        self.base = base
        notes = Notes(base, "final")
        self.left = set()
        for index, line in Journal(base / "logs").records():
            notes.record(index, line)
            self.left.add(index)
        self.records, self.looks, self.wrong = {}, [], []
        for path in sorted((base / "seen").iterdir()):
            for text in path.read_text().splitlines():
                kind, *of = json.loads(text)
                if kind == "look":
                    self.looks.append((path.name, *of))
                else:
                    self._take(path.name, *of)
        self.end = max(self.records) + 1
        self.pruned = self._pruned()

    def _take(self, reader, index, digest, said):
        known = self.records.setdefault(index, (digest, said))
        if known[0] != digest:
            self.wrong.append(f"{reader} read {index} as {said}, another as {known[1]}")

    def _pruned(self):
        """Ranges of indexes that prunes speak of."""
        firsts = sorted(int(p.stem) for p in (self.base / "logs/seal/commitments").glob("*.seal"))
        pruned = []
        for _, said in self.records.values():
            if said and said[0] == "records pruned":
                fields = said[2]
                gone = [int(first) for first in fields["segments"]]
                gone += [first for first, *_ in fields.get("kept", [])]
                for first in gone:
                    at = bisect.bisect_right(firsts, first)
                    pruned.append((first, firsts[at] if at < len(firsts) else self.end))
        return sorted(set(pruned))

    def is_pruned(self, index):
        at = bisect.bisect_right(self.pruned, (index, float("inf"))) - 1
        return at >= 0 and index < self.pruned[at][1]

    @property
    def counts(self):
        numbered = [s for _, s in self.records.values() if len(s) == 3 and isinstance(s[1], int)]
        return {
            "records": self.end,
            "left": len(self.left),
            "seen": len(self.records),
            "numbered": len(numbered),
            "looks": len(self.looks),
            "prunes": len(self.pruned),
            "archived": len(list((self.base / "logs" / "archive").glob("*/*.parquet"))),
        }

    def mistakes(self):
        """What no reader and no writer may find, in words; at most a few of each kind."""
        found = [*self.wrong[:5], *self._lost()[:5], *self._missed()[:5], *self._numbers()[:5]]
        return found[:12]

    def _lost(self):
        """What is not there at the end, and no prune took it."""
        gone = (index for index in range(self.end) if index not in self.left)
        return [f"{n} is gone, {self.records.get(n)}" for n in gone if not self.is_pruned(n)]

    def _missed(self):
        """What a look did not see although a later one did, or the end."""
        later = dict.fromkeys(self.left, float("inf"))
        for _, began, _, is_held, ranges in self.looks:
            if not is_held:
                for first, end in ranges:
                    for index in range(first, end):
                        later[index] = max(later.get(index, 0), began)
        missed = []
        for reader, began, ended, _, ranges in self.looks:
            for (_, end), (first, _) in zip(ranges, ranges[1:], strict=False):
                inside = [n for n in range(end, first) if later.get(n, 0) > ended]
                if inside:
                    missed.append(f"{reader} missed {inside[:3]}… of [{end}, {first}) at {ended}")
        return missed

    def _numbers(self):
        """Returned calls without record, records out of order or without call."""
        by_writer, wrong, unseen = {}, [], 0
        for index in sorted(self.records):
            said = self.records[index][1]
            if len(said) == 3 and isinstance(said[1], int):
                by_writer.setdefault(said[0], []).append(said[1])
        for path in (self.base / "returned").iterdir():
            packed = path.read_bytes()
            returned = COUNT.unpack(packed)[0] if packed else 0
            numbers = by_writer.pop(path.name, [])
            if numbers != sorted(set(numbers)):
                wrong.append(f"{path.name}: out of order or twice")
            if numbers and numbers[-1] > returned:
                wrong.append(f"{path.name}: {numbers[-1]} of {returned}")
            # The call in which it was killed may have left its record, and nobody can know.
            unseen += len(set(range(returned)) - set(numbers))
        wrong += [f"nobody wrote {name}" for name in by_writer]
        room = sum(1 for n in range(self.end) if n not in self.records and self.is_pruned(n))
        if unseen > room:
            wrong.append(f"{unseen} returned calls nobody saw; {room} pruned unseen")
        return wrong


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
