"""Searching while others write and archive."""

import threading
import time

import pytest
from journals import archive, lines, write
from programs import start

from treering.errors import QueryTimeout
from treering.journal import Journal
from treering.seal import erase
from treering.store import open_store

BUSY = """
import sys, time, treering
treering.configure(directory=sys.argv[1], console=False, segment_max_bytes=65536)
log = treering.get_logger("busy")
number = 0
print("ready", flush=True)
while True:
    log.info("number %d", number, number=number)
    number += 1
    if number % 50 == 0:
        treering.flush(5)
        time.sleep(0.02)
"""


@pytest.fixture
def busy(tmp_path):
    """A journal into which a process writes all the time."""
    program = start(BUSY, tmp_path / "logs")
    assert program.stdout.readline() == "ready\n"
    yield tmp_path / "logs"
    program.kill()
    program.communicate()


def test_pages_neither_repeat_nor_miss_while_records_arrive_and_are_archived(busy):
    done = threading.Event()

    def archiver():
        while not done.wait(0.05):
            archive(busy, 1)

    worker = threading.Thread(target=archiver)
    worker.start()
    try:
        with open_store(busy) as store:
            deadline = time.monotonic() + 30
            while store.count("component:busy") < 2000:
                assert time.monotonic() < deadline, "the writer writes"
            found, cursor = [], None
            while True:
                page = store.search("component:busy", limit=150, cursor=cursor)
                found.extend(record.value["metadata"]["number"] for record in page.records())
                cursor = page.next_cursor
                if cursor is None:
                    break
    finally:
        done.set()
        worker.join()

    assert found == list(range(found[0], -1, -1))
    assert list((busy / "archive").glob("*/*.parquet"))


def test_what_was_found_is_read_to_its_end_although_its_files_go_away(tmp_path):
    write(tmp_path / "logs", 800)
    known = lines(tmp_path / "logs")
    with open_store(tmp_path / "logs") as store:
        found = store.search(journal=True, limit=None, order="oldest").records()
        begun = [next(found)]
        archive(tmp_path / "logs")
        read = [(record.index, record.line) for record in (*begun, *found)]

    assert read == known


def test_a_page_before_the_first_shows_what_came_since(busy):
    with open_store(busy) as store:
        while store.count("component:busy") < 10:
            pass
        page = store.search("component:busy", limit=5)
        newest = next(iter(page.records())).index
        before = store.count("component:busy")
        while store.count("component:busy") == before:
            pass

        newer = store.search("component:busy", limit=5, cursor=page.previous_cursor)
        assert [record.index for record in newer.records()][-1] == newest + 1


def test_a_search_that_takes_too_long_is_stopped(tmp_path):
    write(tmp_path / "logs", 300)
    with open_store(tmp_path / "logs") as store, pytest.raises(QueryTimeout, match="longer than"):
        store.search("timeout", timeout_s=0).to_list()


def test_what_was_erased_is_found_by_nobody_who_had_it_open(journal):
    write(journal, 300)
    gone = next(index for index, line in lines(journal) if b'"component":"db"' in line)
    reader = Journal(journal).records()
    assert next(reader)[0] == 0
    with open_store(journal) as store:
        asked = f'SELECT count(*) AS n FROM records WHERE "index" = {gone}'
        assert store.sql(asked).to_list() == [{"n": 1}]
        before, found = store.count(), store.search(limit=None).records()
        begun = [next(found)]

        erase(journal, [gone], reason="asked for")

        assert store.sql(asked).to_list() == [{"n": 0}]
        assert store.count() == before - 1
        assert gone not in [record.index for record in (*begun, *found)]
        assert gone not in [record.index for record in store.search(limit=None).records()]
    assert all(line.startswith(b"{") for index, line in reader)
