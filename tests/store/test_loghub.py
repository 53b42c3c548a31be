"""Logs of eight real systems, piped in and archived: every question answered as the slow reference does.

`TREERING_LOGHUB` names the directory with the files of loghub (`Apache_2k.log` and so on).
"""

import os
import shutil
from pathlib import Path

import pytest
from journals import archive, lines, segments
from programs import command
from store.reference import search

import treering
from treering.store import open_store
from treering.store.query import parse, parse_time

LOGS = sorted(Path(os.environ.get("TREERING_LOGHUB") or "/nonexistent").glob("*_2k.log"))
pytestmark = pytest.mark.skipif(
    not LOGS, reason="TREERING_LOGHUB names no directory with files of loghub"
)

RECORDS = [
    "",
    "level>=ERROR",
    "level:WARNING -failed",
    "level:[notice TO warning]",
    "failed",
    '"authentication failure"',
    '"failed password" root',
    '"invalid user"',
    "block",
    "blk_38865049064139660",
    "blk_-*",
    "req-38101a0b-2096-447d-96ea-a692162415ae",
    "173.234.31.186",
    "*terminat*",
    "connect* refused",
    "jk2_init",
    '"child 6725 in scoreboard slot 10"',
    "(error or warning or fail*) -level:INFO",
    "not (info or debug)",
    "/port [0-9]{5} ssh2$/",
    "/(?i)exception/",
    "message:session",
    "message:/^[A-Z]/",
    "message=*",
    "-message:*a*",
    "timestamp<2010-01-01",
    "timestamp:[2015-01-01 TO 2018-01-01}",
    "timestamp>=2017-05-16T00:00:01.5Z timestamp<2017-05-16T00:10:00Z",
    "component:loghub",
    "component:HDFS*",
    "level:(error critical) container",
    "rdd_* -level:DEBUG",
    "nosuchwordatall",
]
TABLES = [
    "| stats count() by level",
    "| stats count(), min(timestamp), max(timestamp) by component",
    "failed | stats count() by component, level | sort -count | limit 5",
    "| top 7 message",
    "level>=WARNING | timechart span=1d count() by level",
    "error | fields timestamp, level, message | limit 50",
    "session | dedup message | fields message",
    "| sort -timestamp, message | limit 30 | fields timestamp, message",
    "| stats count_distinct(message) by level",
]


@pytest.fixture(scope="module")
def loghub(tmp_path_factory):
    """All lines in one journal, three fourths of its segments archived; and the lines as they were."""
    directory = tmp_path_factory.mktemp("loghub") / "logs"
    treering.configure(directory=directory, console=False, segment_max_bytes=262_144, archive=False)
    treering.shutdown()
    for path in LOGS:
        piped = command("pipe", "--to", directory, "--utc", "--component", path.name[:-7], path)
        assert piped.returncode == 0, piped.stderr
    shutil.copytree(directory, directory.with_name("before"))
    known = [pair for pair in lines(directory) if b'"component":"treering.journal"' not in pair[1]]
    assert len(known) > 10_000
    archive(directory, (len(segments(directory)) - 1) * 3 // 4)
    with open_store(directory, threads=2) as store:
        yield store, known


@pytest.mark.parametrize("query", RECORDS)
def test_records_of_real_logs_are_found_as_the_reference_finds_them(loghub, query):
    store, known = loghub
    _, expected = search(parse(query), known)
    found = list(store.search(query, limit=None, order="oldest").records())

    assert [record.index for record in found] == expected
    by_index = dict(known)
    assert all(record.line == by_index[record.index] for record in found)
    assert store.count(query) == len(expected)


@pytest.mark.parametrize("query", TABLES)
def test_tables_of_real_logs_are_what_the_reference_makes(loghub, query):
    store, known = loghub
    names, expected = search(parse(query), known)
    found = store.search(query, limit=None)

    assert list(found.columns) == list(names)
    rows = [tuple(map(_as_ns, names, (row[name] for name in names))) for row in found]
    assert rows == expected


def _as_ns(name, value):
    """Times as the reference has them."""
    is_time = "timestamp" in name and value is not None
    return parse_time(value, 0)[0] if is_time else value
