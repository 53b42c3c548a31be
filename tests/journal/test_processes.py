"""Many processes, one journal, no daemon."""

import concurrent.futures
import json
import multiprocessing
import os
import signal
import sys
import threading
import time

import pytest
from programs import records, run, segments, start, wait_for

import treering
from treering.journal import Journal

RECORDS = 20_000


def write_records(directory, worker, count=RECORDS):
    treering.configure(directory=directory, console=False, block_timeout_s=60)
    log = treering.get_logger(f"worker.{worker}")
    for number in range(count):
        log.info("step", worker=worker, number=number)


def count_by_worker(found):
    numbers = {}
    for record in found:
        fields = record["metadata"]
        numbers.setdefault(fields["worker"], []).append(fields["number"])
    return numbers


def test_eight_processes_and_three_killed_leaders_lose_and_double_nothing(journal):
    """4 forked and 4 spawned writers, tiny segments, the leader killed three times meanwhile."""
    lead = """
        import sys, time, treering
        treering.configure(directory=sys.argv[1], console=False, segment_max_bytes="256KB")
        from treering import _core
        drain = _core.Drain(sys.argv[1])
        while not drain.leads:
            time.sleep(0.001)
        print("leading", flush=True)
        time.sleep(60)
    """
    first = start(lead, journal)
    assert first.stdout.readline() == "leading\n"
    fork, spawn = multiprocessing.get_context("fork"), multiprocessing.get_context("spawn")
    writers = [
        context.Process(target=write_records, args=(str(journal), f"{name}{at}"))
        for at in range(4)
        for name, context in (("fork", fork), ("spawn", spawn))
    ]
    for writer in writers:
        writer.start()
    leader = first
    for _ in range(3):
        before = Journal(journal).end
        wait_for(lambda seen=before: Journal(journal).end > seen + 500, "progress")
        leader.send_signal(signal.SIGKILL)
        leader.communicate()
        leader = start(lead, journal)
    for writer in writers:
        writer.join(100)
        assert writer.exitcode == 0
    leader.kill()
    leader.communicate()

    numbers = count_by_worker(records(journal))

    assert sorted(numbers) == sorted(f"{name}{at}" for name in ("fork", "spawn") for at in range(4))
    for worker, of_worker in numbers.items():
        assert of_worker == list(range(RECORDS)), worker
    assert len(segments(journal)) >= 30


def test_takeover_is_quick_when_the_leader_is_killed(journal):
    leader = start(
        """
        import sys, time, treering
        treering.configure(directory=sys.argv[1], console=False)
        treering.get_logger("first").info("here")
        treering.flush()
        print(treering.statistics()["leads"], flush=True)
        time.sleep(60)
        """,
        journal,
    )
    assert leader.stdout.readline() == "True\n"
    follower = start(
        """
        import sys, treering
        treering.configure(directory=sys.argv[1], console=False)
        log = treering.get_logger("second")
        log.info("before")
        print(treering.flush(5), treering.statistics()["leads"], flush=True)
        sys.stdin.readline()
        log.info("after")
        print(treering.flush(5), treering.statistics()["leads"], flush=True)
        """,
        journal,
        stdin=-1,
    )
    assert follower.stdout.readline() == "True False\n"
    leader.kill()
    leader.communicate()

    follower.stdin.write("\n")
    follower.stdin.flush()

    assert follower.stdout.readline() == "True True\n"
    follower.communicate()
    assert [r["message"] for r in records(journal)] == ["here", "before", "after"]


def test_a_forked_child_has_its_own_ring(journal):
    _, out, _ = run(
        """
        import os, sys, treering
        treering.configure(directory=sys.argv[1], console=False)
        log = treering.get_logger("app")
        log.info("parent before")
        child = os.fork()
        if child == 0:
            log.info("child", who="child")
            os._exit(0)
        os.waitpid(child, 0)
        log.info("parent after")
        print(os.getpid(), child)
        """,
        journal,
    )
    parent, child = map(int, out.split())

    found = records(journal)

    assert sorted((r["message"], r["process"]) for r in found) == [
        ("child", child),
        ("parent after", parent),
        ("parent before", parent),
    ]
    assert all(r["thread"] == r["process"] for r in found)


def test_a_child_outlives_its_leading_parent(journal):
    """A child must not inherit its parent's lead: nobody would drain any more."""
    run(
        """
        import os, sys, time, treering
        treering.configure(directory=sys.argv[1], console=False)
        log = treering.get_logger("app")
        log.info("parent")
        treering.flush()
        if os.fork() == 0:
            parent = os.getppid()
            while os.getppid() == parent:
                time.sleep(0.005)
            log.info("child, alone")
            assert treering.flush(5), treering.statistics()
            assert treering.statistics()["leads"]
            os._exit(0)
        """,
        journal,
    )
    wait_for(lambda: len(records(journal)) == 2, "the child's record")


def test_fork_while_other_threads_log(journal):
    run(
        """
        import os, sys, threading, treering
        treering.configure(directory=sys.argv[1], console=False, block_timeout_s=30)
        log = treering.get_logger("app")
        stop = threading.Event()
        counts = [0] * 3
        def work(at):
            while not stop.is_set():
                log.info("thread", at=at, number=counts[at])
                counts[at] += 1
        threads = [threading.Thread(target=work, args=(at,)) for at in range(3)]
        for thread in threads: thread.start()
        for child in range(10):
            pid = os.fork()
            if pid == 0:
                for number in range(100):
                    log.info("child", child=child, number=number)
                os._exit(0)
            assert os.waitpid(pid, 0)[1] == 0
        stop.set()
        for thread in threads: thread.join()
        for at in range(3):
            log.info("done", at=at, count=counts[at])
        """,
        journal,
    )
    found = records(journal)
    for child in range(10):
        of_child = [r["metadata"] for r in found if r["message"] == "child"]
        numbers = [m["number"] for m in of_child if m["child"] == child]
        assert numbers == list(range(100))
    for at in range(3):
        numbers = [
            r["metadata"]["number"]
            for r in found
            if r["message"] == "thread" and r["metadata"]["at"] == at
        ]
        done = [r["metadata"] for r in found if r["message"] == "done"]
        assert numbers == list(range(next(m["count"] for m in done if m["at"] == at)))


def test_process_pools_log_into_the_same_journal(journal):
    for method in ("fork", "spawn", "forkserver"):
        with concurrent.futures.ProcessPoolExecutor(
            2, mp_context=multiprocessing.get_context(method)
        ) as pool:
            jobs = [
                pool.submit(write_records, str(journal), f"{method}{at}", 200) for at in range(4)
            ]
            for job in jobs:
                job.result()

    numbers = count_by_worker(records(journal))

    assert sorted(numbers) == sorted(
        f"{m}{at}" for m in ("fork", "spawn", "forkserver") for at in range(4)
    )
    assert all(of_worker == list(range(200)) for of_worker in numbers.values())


def test_gunicorn_workers_share_the_journal(journal, tmp_path):
    (tmp_path / "app.py").write_text(
        f"""
import treering
treering.configure(directory={str(journal)!r}, console=False)
log = treering.get_logger("web")
log.info("loaded before the fork")
def app(environ, start_response):
    log.info("request", path=environ["PATH_INFO"])
    start_response("200 OK", [])
    return [b"ok"]
"""
    )
    socket = tmp_path / "web.sock"
    server = start(
        """
        import sys
        from gunicorn.app.wsgiapp import run
        sys.argv = ["gunicorn", "--preload", "-w", "3", "-b", "unix:" + sys.argv[1], "app:app"]
        sys.path.insert(0, ".")
        run()
        """,
        socket,
        cwd=tmp_path,
    )
    try:
        wait_for(socket.exists, "the server")
        import http.client
        import socket as sockets

        for number in range(60):
            connection = http.client.HTTPConnection("localhost")
            connection.sock = sockets.socket(sockets.AF_UNIX)
            connection.sock.connect(str(socket))
            connection.request("GET", f"/{number}")
            assert connection.getresponse().read() == b"ok"
            connection.close()
    finally:
        server.terminate()
        server.communicate(timeout=20)

    paths = [r["metadata"]["path"] for r in records(journal) if r["message"] == "request"]

    assert sorted(paths) == sorted(f"/{number}" for number in range(60))


def test_levels_change_in_every_process_at_once(journal):
    worker = """
        import sys, treering
        treering.configure(directory=sys.argv[1], console=False)
        log = treering.get_logger("shop.till")
        print("ready", flush=True)
        for line in sys.stdin:
            log.debug("seen", round=line.strip())
            print(log.enabled_for("DEBUG"), flush=True)
    """
    workers = [start(worker, journal, stdin=-1) for _ in range(2)]
    for one in workers:
        assert one.stdout.readline() == "ready\n"

    def ask(word):
        answers = []
        for one in workers:
            one.stdin.write(word + "\n")
            one.stdin.flush()
            answers.append(one.stdout.readline().strip())
        return answers

    assert ask("one") == ["False", "False"]
    assert Journal(journal).set_level("shop", 10)
    assert ask("two") == ["True", "True"]
    assert Journal(journal).set_level("shop", None)
    assert ask("three") == ["False", "False"]
    for one in workers:
        one.communicate()
    assert [r["metadata"]["round"] for r in records(journal)] == ["two", "two"]


def test_order_within_a_thread_is_kept_and_threads_do_not_mix_lines(journal):
    treering.configure(directory=journal, console=False, block_timeout_s=30)
    log = treering.get_logger("threads")

    def work(at):
        for number in range(3000):
            log.info("step", worker=at, number=number, text="x" * (number % 50))

    threads = [threading.Thread(target=work, args=(at,)) for at in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    treering.shutdown()

    numbers = count_by_worker(records(journal))

    assert all(numbers[at] == list(range(3000)) for at in range(4))


def test_a_stopped_leader_is_replaced_by_a_drain_that_insists(journal):
    treering.configure(directory=journal, console=False)
    log = treering.get_logger("app")
    log.info("one")
    assert treering.flush(5)
    assert treering.statistics()["leads"]
    drain = start(
        """
        import sys, time
        from treering import _core
        drain = _core.Drain(sys.argv[1])
        while not drain.leads:
            time.sleep(0.001)
        print("leading", flush=True)
        sys.stdin.readline()
        drain.stop()
        """,
        journal,
        stdin=-1,
    )
    try:
        assert drain.stdout.readline() == "leading\n"
        log.info("two")
        assert treering.flush(5)
        assert not treering.statistics()["leads"]
    finally:
        drain.communicate("\n", timeout=10)
    log.info("three")
    assert treering.flush(5)
    treering.shutdown()
    assert [r["message"] for r in records(journal)] == ["one", "two", "three"]


@pytest.mark.parametrize("start_at", [0, 1, 777, 2999])
def test_a_reader_follows_from_any_index_while_records_arrive(journal, start_at):
    treering.configure(directory=journal, console=False, segment_max_bytes="64KB")
    log = treering.get_logger("app")
    log.info("first")
    treering.flush()
    seen = []

    def follow():
        for index, line in Journal(journal).records(start_at, 3001, follow=True, poll_s=0.001):
            seen.append((index, json.loads(line)["message"]))

    reader = threading.Thread(target=follow)
    reader.start()
    for number in range(2999):
        log.info(f"record {number}")
        if number % 500 == 0:
            time.sleep(0.005)
    treering.flush()
    reader.join(20)
    treering.shutdown()

    assert [index for index, _ in seen] == list(range(start_at, 3001))
    assert os.getpid() and sys.version_info


def test_a_change_of_the_journals_settings_is_a_record_and_naming_them_again_is_not(journal):
    program = """
        import sys, time, treering
        treering.configure(directory=sys.argv[1], console=False, segment_max_bytes=sys.argv[2])
        treering.get_logger("app").info("started")
        treering.flush()
        time.sleep(0.5)
    """
    treering.configure(directory=journal, console=False, segment_max_bytes="64KB")
    treering.get_logger("app").info("first")
    treering.flush()
    run(program, journal, "64KB")
    run(program, journal, "128KB")
    treering.flush()
    treering.shutdown()

    told = [r for r in records(journal, journal=True) if r["message"] == "journal settings changed"]

    assert [r["metadata"]["settings"]["segment_max_bytes"] for r in told] == [128 * 1024]
