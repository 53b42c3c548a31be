"""Full disks, missing memory, dead leaders, clocks that jump: no deadlock, no exception, all counted."""

import json
import os
import signal
import subprocess
import sys
import textwrap
import time

import pytest
from programs import records, run, start, wait_for

import treering
from treering.journal import Journal

needs_mount = pytest.mark.skipif(
    os.geteuid() != 0 or subprocess.run(["unshare", "-m", "true"], check=False).returncode != 0,
    reason="mounting a small file system needs privileges",
)


@needs_mount
def test_a_full_disk_costs_counted_records_and_is_recovered_from(tmp_path):
    """The journal lies on a tmpfs of 2 MiB that fills up and is emptied again."""
    disk = tmp_path / "disk"
    disk.mkdir()
    program = """
        import os, subprocess, sys, time, treering
        disk = sys.argv[1]
        subprocess.run(["mount", "-t", "tmpfs", "-o", "size=2m,mode=700", "tmpfs", disk], check=True)
        treering.configure(directory=disk + "/logs", console=False, block_timeout_s=0.2, ring_bytes="64KB")
        log = treering.get_logger("app")
        log.info("before", number=0)
        treering.flush()
        with open(disk + "/ballast", "wb", buffering=0) as ballast:
            try:
                while True:
                    ballast.write(bytes(4096))
            except OSError:
                pass
        begin = time.monotonic()
        for number in range(3000):
            log.info("during", number=number, text="x" * 100)
        elapsed = time.monotonic() - begin
        counted = treering.statistics()
        assert elapsed < 20, elapsed
        assert counted["journal_write_errors"] > 0, counted
        assert "No space" in counted["last_error"], counted
        os.remove(disk + "/ballast")
        log.security("after")
        assert treering.flush(10)
        counted = treering.statistics()
        treering.shutdown()
        from treering.journal import Journal
        import json
        found = [json.loads(line) for _, line in Journal(disk + "/logs").records()]
        messages = [r["message"] for r in found]
        during = messages.count("during")
        assert messages.count("before") == 1 and messages.count("after") == 1
        assert during + counted["dropped_newest"] == 3000, (during, counted)
        told = sum(r["metadata"]["dropped"] for r in found if "dropped" in r["message"])
        assert told == counted["dropped_newest"] > 0
        numbers = [r["metadata"]["number"] for r in found if r["message"] == "during"]
        assert numbers == sorted(set(numbers))
        print("ok")
    """
    # A mount namespace of its own keeps the small disk from the machine.
    result = subprocess.run(
        ["unshare", "-m", sys.executable, "-c", textwrap.dedent(program), str(disk)],
        capture_output=True,
        text=True,
        timeout=80,
        check=False,
    )
    assert result.stdout == "ok\n", result.stderr


def test_without_shared_memory_records_still_reach_the_journal_and_statistics_say_so(
    journal, tmp_path
):
    _, out, _ = run(
        """
        import sys, treering
        treering.configure(directory=sys.argv[1], console=False)
        log = treering.get_logger("app")
        for number in range(2000):
            log.info("step", number=number)
        treering.flush()
        print(treering.statistics()["ring_private_because"])
        """,
        journal,
        env={"TREERING_RUNTIME_DIR": str(tmp_path / "missing")},
    )
    assert "missing" in out
    assert [r["metadata"]["number"] for r in records(journal)] == list(range(2000))


def test_processes_without_common_memory_share_a_journal_by_turns(journal, tmp_path):
    program = """
        import sys, treering
        treering.configure(directory=sys.argv[1], console=False, block_timeout_s=30)
        log = treering.get_logger(sys.argv[2])
        for number in range(5000):
            log.info("step", number=number)
        assert treering.flush(30)
        print(treering.statistics()["dropped_newest"])
    """
    runtimes = [tmp_path / "missing", tmp_path / "other", None]
    runtimes[1].mkdir()
    running = [
        start(
            program,
            journal,
            f"app{at}",
            env={} if runtime is None else {"TREERING_RUNTIME_DIR": str(runtime)},
        )
        for at, runtime in enumerate(runtimes)
    ]
    for one in running:
        out, err = one.communicate(timeout=60)
        assert out == "0\n", err
    found = records(journal)
    for at in range(3):
        numbers = [r["metadata"]["number"] for r in found if r["component"] == f"app{at}"]
        assert numbers == list(range(5000))


def test_a_directory_that_others_can_write_to_is_refused(journal):
    journal.mkdir()
    journal.chmod(0o777)

    with pytest.raises(treering.JournalUnavailable, match="others can write") as caught:
        treering.configure(directory=journal, console=False)

    assert caught.value.code == "journal_unsafe"
    assert list(journal.iterdir()) == []


def test_files_are_for_the_owner_only(logs, journal):
    treering.get_logger("a").info("secret")
    logs()

    modes = {
        p.relative_to(journal).as_posix(): p.stat().st_mode & 0o777 for p in journal.rglob("*")
    }
    directories = {p.relative_to(journal).as_posix() for p in journal.rglob("*") if p.is_dir()}

    assert {"active", "seal", "seal/keys"} <= directories
    assert {modes.pop(name) for name in directories} == {0o700}
    assert set(modes.values()) == {0o600}
    assert journal.stat().st_mode & 0o777 == 0o700


def test_a_directory_that_cannot_be_made_is_a_clear_error(tmp_path):
    (tmp_path / "file").write_text("")

    with pytest.raises(treering.JournalUnavailable, match="file/logs"):
        treering.configure(directory=tmp_path / "file" / "logs", console=False)


@needs_mount
def test_a_directory_that_becomes_read_only_is_reported_and_does_not_harm(tmp_path):
    program = """
        import subprocess, sys, treering
        treering.configure(directory=sys.argv[1], console=False, block_timeout_s=0.1,
                           segment_max_bytes=4096, ring_bytes="64KB")
        log = treering.get_logger("app")
        log.info("before"); treering.flush()
        subprocess.run(["mount", "--bind", sys.argv[1], sys.argv[1]], check=True)
        subprocess.run(["mount", "-o", "remount,ro,bind", sys.argv[1]], check=True)
        for number in range(2000):
            log.info("during", number=number)
        print("alive")
    """
    result = subprocess.run(
        ["unshare", "-m", sys.executable, "-c", textwrap.dedent(program), str(tmp_path / "logs")],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert result.stdout == "alive\n", result.stderr


def test_a_clock_that_steps_back_changes_timestamps_and_nothing_else(journal):
    run(
        """
        import ctypes, sys, time, treering
        treering.configure(directory=sys.argv[1], console=False)
        log = treering.get_logger("app")
        log.info("one", number=0)
        treering.flush()
        """,
        journal,
    )
    # A record from the future is already there: later ones must not hide behind it.
    future = (
        b'{"timestamp":"2999-01-01T00:00:00.000000000Z","level":"INFO","component":"app",'
        b'"message":"from the future"}\n'
    )
    segment = max((journal / "active").iterdir())
    with segment.open("ab") as file:
        file.write(future)
    run(
        """
        import sys, treering
        treering.configure(directory=sys.argv[1], console=False)
        log = treering.get_logger("app")
        for number in range(1, 10):
            log.info("one", number=number)
        """,
        journal,
    )
    assert [r["message"] for r in records(journal)] == ["one", "from the future"] + ["one"] * 9


@pytest.mark.parametrize("cut", [1, 5, 50, 119])
def test_a_torn_last_line_is_set_aside_and_the_journal_goes_on(journal, cut):
    write = """
        import sys, treering
        treering.configure(directory=sys.argv[1], console=False)
        treering.get_logger("app").info(sys.argv[2])
    """
    run(write, journal, "whole")
    segment = max((journal / "active").iterdir())
    line = segment.read_bytes().splitlines(keepends=True)[-1]
    with segment.open("ab") as file:
        file.write(line[:cut])

    run(write, journal, "next")

    found = records(journal, journal=True)
    assert [r["message"] for r in found if r["component"] == "app"] == ["whole", "next"]
    told = [r for r in found if r["message"] == "journal recovered"]
    assert [r["metadata"]["torn_bytes"] for r in told] == [cut]
    assert [p.read_bytes() for p in (journal / "aside").iterdir()] == [line[:cut]]


@pytest.mark.parametrize(
    ("overflow", "kept"), [("drop_newest", "first"), ("drop_oldest", "last"), ("block", "first")]
)
def test_overflow_policies_with_a_leader_that_is_stopped(journal, overflow, kept):
    """SIGSTOP holds the leader: nobody drains, nobody can take over."""
    leader = start(
        """
        import sys, time
        import treering
        treering.configure(directory=sys.argv[1], console=False)
        treering.get_logger("lead").info("leading")
        treering.flush()
        print("ready", flush=True)
        time.sleep(100)
        """,
        journal,
    )
    assert leader.stdout.readline() == "ready\n"
    leader.send_signal(signal.SIGSTOP)
    _, out, _ = run(
        """
        import json, sys, time, treering
        treering.configure(directory=sys.argv[1], console=False, overflow=sys.argv[2],
                           ring_bytes="64KB", block_timeout_s=0.2)
        log = treering.get_logger("app")
        begin = time.monotonic()
        for number in range(2000):
            log.info("step", number=number)
        log.security("kept in any case")
        print(json.dumps({**treering.statistics(), "elapsed": time.monotonic() - begin}))
        import os; os._exit(0)
        """,
        journal,
        overflow,
    )
    counted = json.loads(out)
    leader.send_signal(signal.SIGCONT)
    wait_for(lambda: Journal(journal).status()["domain"]["waiting_bytes"] == 0, "the drain")
    time.sleep(0.5)
    leader.terminate()
    leader.communicate()

    found = records(journal, journal=True)
    numbers = [r["metadata"]["number"] for r in found if r["message"] == "step"]
    dropped = counted["dropped_newest"] + counted["dropped_oldest"]

    assert counted["elapsed"] < 10
    assert len(numbers) + dropped == 2000
    assert dropped > 0
    assert numbers == sorted(numbers)
    assert (0 in numbers) == (kept == "first")
    assert (1999 in numbers) == (kept == "last")
    assert [r["level"] for r in found if r["message"] == "kept in any case"] == ["SECURITY"]
    told = sum(r["metadata"].get("dropped", 0) for r in found if "dropped" in r["message"])
    assert told == dropped


@pytest.mark.skipif(os.geteuid() != 0, reason="plays two users")
def test_root_may_look_at_somebodys_journal_without_taking_it_away():
    import shutil
    import tempfile

    place = tempfile.mkdtemp(prefix="treering-users-")
    os.chmod(place, 0o777)
    program = """
        import os, sys, treering, treering.config
        if sys.argv[2] == "user":
            os.setgroups([]); os.setgid(65534); os.setuid(65534)
        treering.configure(directory=sys.argv[1], console=False)
        treering.get_logger("app").info(sys.argv[3])
        assert treering.flush(10)
        print(treering.statistics()["ring_private_because"])
    """
    try:
        assert run(program, place + "/logs", "user", "one")[1] == "None\n"
        assert [r["message"] for r in records(place + "/logs")] == ["one"]
        assert run(program, place + "/logs", "root", "two")[1] == "None\n"
        assert run(program, place + "/logs", "user", "three")[1] == "None\n"
        assert [r["message"] for r in records(place + "/logs")] == ["one", "two", "three"]
    finally:
        shutil.rmtree(place)
