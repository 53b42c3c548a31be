"""Journals with known records, archived as far as a test wants it."""

import json
from pathlib import Path

from programs import run

from treering import _core

WRITER = """
import random, sys, treering

directory, count = sys.argv[1], int(sys.argv[2])
treering.configure(directory=directory, console=False, level="TRACE", segment_max_bytes=65536)
chance = random.Random(7)
words = "timeout refused accepted retried Grüße cache miss user session expired".split()
names = ["auth", "auth.session", "authority", "db", "web.api"]
loggers = {name: treering.get_logger(name) for name in names}
for number in range(count):
    log = loggers[chance.choice(names)]
    level = chance.choice(["trace", "debug", "info", "info", "info", "warning", "error"])
    message = " ".join(chance.choices(words, k=4)) + f" n{number}"
    fields = {"user_id": chance.randrange(40), "path": "/" + chance.choice(words)}
    if number % 7 == 0:
        fields["ratio"] = number / 8
    if number % 11 == 0:
        fields["user_id"] = f"u{number}"
    if number % 401 == 0:
        fields["request"] = f"req-{number:08x}"
    getattr(log, level)(message, extra={"performance_data": {"duration_ms": chance.randrange(900)}}, **fields)
    if number % 97 == 0:
        try:
            raise ValueError(f"broken {number}")
        except ValueError:
            log.exception("failed %d", number)
treering.shutdown()
"""


def write(directory, count=2000):
    """A journal of many small segments."""
    run(WRITER, directory, count)


def segments(directory):
    """The paths of the segments that are not archived, in order."""
    return sorted((Path(directory) / "active").glob("*.jsonl"))


def archive(directory, count=None, together=3):
    """Archives the first `count` closed segments, a few in one file; all of them by default."""
    closed = segments(directory)[:-1][:count]
    journal = json.loads((Path(directory) / "journal.json").read_text())["id"]
    for at in range(0, len(closed), together):
        some = closed[at : at + together]
        first = int(some[0].stem)
        day = json.loads(some[0].read_bytes().partition(b"\n")[0])["timestamp"][:10]
        target = Path(directory) / "archive" / f"date={day}" / f"{first:020}.parquet"
        target.parent.mkdir(parents=True, exist_ok=True)
        draft = target.with_suffix(".draft")
        _core.archive_write([(int(path.stem), path) for path in some], draft, journal)
        draft.rename(target)
        for path in some:
            path.unlink()


def lines(directory):
    """Index and line of every record that lies in segments, oldest first."""
    found = []
    for path in segments(directory):
        first = int(path.stem)
        found.extend(enumerate(path.read_bytes().split(b"\n")[:-1], first))
    return [(index, line) for index, line in found if line]
