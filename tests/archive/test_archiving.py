"""Closed segments become files of the archive while everything goes on."""

import json
import multiprocessing
import os
import signal
import subprocess
import sys
import textwrap
import time

import pytest
from programs import OWN, records, run, segments, start, wait_for

import treering
from treering.archive import archive, archived
from treering.errors import ConfigurationError
from treering.journal import Journal
from treering.seal import pin, verify

RECORDS = 3000
EAGER = {"console": False, "segment_max_bytes": "16KB", "archive_after_s": 0, "archive_cpu": 1}

needs_mount = pytest.mark.skipif(
    os.geteuid() != 0 or subprocess.run(["unshare", "-m", "true"], check=False).returncode != 0,
    reason="mounting a small file system needs privileges",
)


def grown(journal, count=400, **options):
    """A journal with several closed segments that no process has open."""
    run(
        """
        import json, sys, treering
        treering.configure(directory=sys.argv[1], console=False, **json.loads(sys.argv[3]))
        log = treering.get_logger("app")
        for number in range(int(sys.argv[2])):
            log.info("step", number=number, user_id=number % 7)
        """,
        journal,
        count,
        json.dumps({"segment_max_bytes": "8KB", **options}),
    )
    return records(journal, journal=True)


def write_records(directory, worker):
    treering.configure(directory=directory, block_timeout_s=60, **EAGER)
    log = treering.get_logger(f"worker.{worker}")
    for number in range(RECORDS):
        log.info("step", worker=worker, number=number)
        if number % 100 == 0:
            time.sleep(0.02)
        if number == RECORDS // 2:
            # A busy machine archives later.
            wait_for(lambda: archived(directory), "the first file of the archive", 60)


def cli(*arguments):
    command = [sys.executable, "-m", "treering", *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    return done.returncode, done.stdout, done.stderr


def test_a_reader_that_follows_misses_and_doubles_nothing_while_segments_are_archived(journal):
    spawn = multiprocessing.get_context("spawn")
    writers = [spawn.Process(target=write_records, args=(str(journal), at)) for at in range(2)]
    for writer in writers:
        writer.start()
    wait_for(lambda: (journal / "journal.json").exists(), "the journal")
    numbers = {0: [], 1: []}
    for _, line in Journal(journal).records(follow=True):
        record = json.loads(line)
        if record["component"] not in OWN:
            fields = record["metadata"]
            numbers[fields["worker"]].append(fields["number"])
        if sum(map(len, numbers.values())) == 2 * RECORDS:
            break
    for writer in writers:
        writer.join(60)
        assert writer.exitcode == 0

    assert numbers == {0: list(range(RECORDS)), 1: list(range(RECORDS))}
    assert archived(journal), "nothing was archived meanwhile"
    again = [r["metadata"] for r in records(journal)]
    assert sorted(f["number"] for f in again if f["worker"] == 1) == list(range(RECORDS))
    assert verify(journal, trust=pin(journal)).code == 0


def test_processes_killed_while_they_archive_lose_nothing(journal):
    victim = """
        import itertools, sys, time, treering
        treering.configure(directory=sys.argv[1], console=False, segment_max_bytes="4KB",
                           archive_after_s=0, archive_cpu=1)
        log = treering.get_logger("victim")
        for number in itertools.count(int(sys.argv[2])):
            log.info("step", number=number)
            print(number, flush=True)
            time.sleep(0.002)
    """
    said = 0
    for round_ in range(6):
        process = start(victim, journal, said)
        for _ in range(150 + 40 * round_):
            said = int(process.stdout.readline()) + 1
        process.send_signal(signal.SIGKILL)
        rest, _ = process.communicate()
        said = max([said, *(int(line) + 1 for line in rest.splitlines(keepends=True)[:-1])])
        found = [r["metadata"]["number"] for r in records(journal)]
        # A record whose call had returned, but not said so, is there as well.
        assert found in (list(range(said)), list(range(said + 1)), list(range(said + 2)))
        said = len(found)

    assert archived(journal)
    trust = pin(journal)
    assert verify(journal, trust=trust).code == 0
    assert not (journal / "ended").exists()
    archive(journal)
    assert [r["metadata"]["number"] for r in records(journal)] == list(range(said))
    assert verify(journal, trust=trust).code == 0


def test_archived_records_read_as_before(journal):
    before = [line for _, line in Journal(journal).records()] if grown(journal) else []
    newest = Journal(journal).tail(5)

    done = archive(journal)

    after = [line for _, line in Journal(journal).records()]
    assert after[: len(before)] == before
    assert [pair for pair in Journal(journal).tail(30) if pair in newest] == newest
    assert len(segments(journal)) == 1
    files = archived(journal)
    assert len(files) == done.files > 1
    assert sum(file.records for file in files) == done.records
    assert Journal(journal).begin == 0
    assert Journal(journal).status()["archived_files"] == len(files)
    assert verify(journal, trust=pin(journal)).code == 0


def test_a_journal_without_seal_is_archived_as_well(journal):
    before = grown(journal, seal=False)

    assert archive(journal, all=True).files > 1

    assert records(journal, journal=True)[: len(before)] == before


def test_processes_that_log_go_on_while_a_person_archives(logs, journal):
    treering.configure(directory=journal, console=False, segment_max_bytes="8KB")
    log = treering.get_logger("app")
    for number in range(400):
        log.info("before", number=number)
    assert treering.flush(10, durable=True)

    code, out, err = cli("archive", journal)

    assert (code, err) == (0, "")
    assert "records archived in" in out
    log.info("after")
    assert [r["message"] for r in logs()] == ["before"] * 400 + ["after"]


def test_the_command_lists_files_and_says_when_there_is_nothing_to_do(journal):
    grown(journal)

    code, out, _ = cli("archive", journal, "--all", "--json")
    assert code == 0
    assert json.loads(out)["files"] == len(archived(journal))
    assert cli("archive", journal)[0] == 1
    listed = [
        json.loads(line) for line in cli("archive", journal, "--list", "--json")[1].splitlines()
    ]
    assert [file["first"] for file in listed] == [file.first for file in archived(journal)]
    assert len(cli("archive", journal, "--list")[1].splitlines()) == len(listed)


def test_small_segments_of_a_quiet_journal_become_one_file(journal):
    for round_ in range(4):
        grown(journal, 20, segment_max_bytes="1MB")
        archive(journal, all=True)
        assert len(archived(journal)) == 1, round_

    assert [r["metadata"]["number"] for r in records(journal)] == list(range(20)) * 4
    assert verify(journal, trust=pin(journal)).code == 0


def test_nothing_is_archived_before_its_time_or_when_it_is_switched_off(journal):
    grown(journal, archive=False, archive_after_s=0)
    run(
        """
        import sys, time, treering
        treering.configure(directory=sys.argv[1], console=False)
        treering.get_logger("app").info("once more")
        time.sleep(2)
        """,
        journal,
    )

    assert archived(journal) == []


@pytest.mark.parametrize(
    ("options", "named"),
    [
        ({"archive_cpu": 2}, "archive_cpu"),
        ({"archive_after_s": -1}, "archive_after_s"),
        ({"archive_recipients": ["age1nonsense"]}, "archive_recipients"),
    ],
)
def test_a_setting_of_the_archive_that_cannot_be_is_named(journal, options, named):
    with pytest.raises(ConfigurationError, match=named):
        treering.configure(directory=journal, console=False, **options)


@needs_mount
def test_a_full_disk_keeps_the_lines_and_is_told_once(journal):
    """The archive lies on a tmpfs of 16 KiB."""
    program = """
        import json, subprocess, sys, time, treering
        from treering.journal import Journal
        journal = sys.argv[1]
        treering.configure(directory=journal, console=False, segment_max_bytes="256KB",
                           archive_after_s=0, archive_cpu=1)
        subprocess.run(["mkdir", "-m", "700", journal + "/archive"], check=True)
        mount = ["mount", "-t", "tmpfs", "tmpfs", journal + "/archive"]
        subprocess.run([*mount, "-o", "size=16k,mode=700"], check=True)
        log = treering.get_logger("app")
        for number in range(5000):
            log.info("step", number=number, text=str(hash(str(number))))
        deadline = time.monotonic() + 30
        while not treering.statistics()["journal_archive_errors"]:
            assert time.monotonic() < deadline
            time.sleep(0.01)
        log.info("after")
        assert treering.flush(10)
        found = [json.loads(line) for _, line in Journal(journal).records()]
        assert [r["metadata"]["number"] for r in found if r["message"] == "step"] == list(range(5000))
        assert sum(r["message"] == "archiving failed" for r in found) == 1
        assert found[-1]["message"] == "after" or found[-2]["message"] == "after"
        subprocess.run([*mount, "-o", "remount,size=8m,mode=700"], check=True)
        treering.shutdown()
        from treering.archive import archive
        assert archive(journal).files > 0
        found = [json.loads(line) for _, line in Journal(journal).records()]
        assert [r["metadata"]["number"] for r in found if r["message"] == "step"] == list(range(5000))
        print("ok")
    """
    result = subprocess.run(
        ["unshare", "-m", sys.executable, "-c", textwrap.dedent(program), str(journal)],
        capture_output=True,
        text=True,
        timeout=90,
        check=False,
    )
    assert result.stdout == "ok\n", result.stderr
