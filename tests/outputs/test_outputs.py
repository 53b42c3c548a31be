"""Outputs as their users see them: what arrives, in what order, and what happens when one fails."""

import os
import signal
import threading
import time
from collections import Counter
from pathlib import Path

import pytest
from collecting import Appender, Collector, ProcessCollector
from programs import start, wait_for

import treering
from treering.errors import OUTPUT_ERROR_KINDS, ConfigurationError
from treering.journal import Journal


@pytest.fixture
def log(journal):
    treering.configure(directory=journal, console=False, level="TRACE")
    yield treering.get_logger("app")
    treering.shutdown()


@pytest.fixture(params=["journal", "process", "no journal"])
def any_collector(request, journal):
    """A collector and a logger, for each way in which an output can be fed."""
    directory = None if request.param == "no journal" else journal
    treering.configure(directory=directory, console=False, level="TRACE")
    yield Collector() if request.param == "journal" else ProcessCollector()
    treering.shutdown()


def test_an_output_gets_every_record_in_order(any_collector):
    treering.add_output(any_collector)
    log = treering.get_logger("app")
    for number in range(2000):
        log.info(f"record {number}")

    assert treering.flush(10)
    assert any_collector.messages() == [f"record {number}" for number in range(2000)]


def test_indexes_are_those_of_the_journal(log, journal):
    collector = Collector()
    treering.add_output(collector)
    log.info("here")

    assert treering.flush(10)
    index = next(index for index, message in collector.got if message == "here")
    assert b'"here"' in dict(Journal(journal).records())[index]


def test_an_output_gets_only_what_it_asks_for(any_collector):
    any_collector.level = treering.level_number("WARNING")
    any_collector.components = ("app", "db")
    any_collector.categories = frozenset({"api", "auth"})
    treering.add_output(any_collector)
    for component, category in [("app", "api"), ("db.pool", "auth"), ("web", "api"), ("app", None)]:
        log = treering.get_logger(component, category=category)
        log.warning(f"{component} {category}")
        log.info("too low")

    assert treering.flush(10)
    assert any_collector.messages() == ["app api", "db.pool auth"]


def test_the_journals_own_records_come_only_when_asked_for(log):
    plain, curious = Collector("plain"), Collector("curious", journal=True)
    treering.add_output(plain)
    treering.add_output(curious)
    from treering import _core

    _core.seal_rotate_key(str(treering.get_logging_config().directory))
    log.info("after")

    assert treering.flush(10)
    assert [m for m in curious.messages() if "epoch" in m]
    assert plain.messages() == ["after"]


def test_an_outage_loses_nothing_and_catches_up_in_order(log):
    collector = Collector()
    treering.add_output(collector)
    log.info("record 0")
    assert treering.flush(10)
    collector.down = True
    for number in range(1, 5000):
        log.info(f"record {number}")
    wait_for(lambda: collector_state("collector")["failures"] >= 2, "two attempts")
    assert not treering.flush(10), "flush says that an output could not write"
    collector.down = False

    wait_for(lambda: len(collector.messages()) >= 5000, "the rest")
    assert collector.messages()[:5000] == [f"record {number}" for number in range(5000)]


def collector_state(name):
    return next(state for state in treering.list_outputs() if state["name"] == name)


def test_an_outage_is_counted_by_kind_and_told_in_the_log(log):
    collector = Collector()
    treering.add_output(collector)
    collector.down = True
    log.info("held up")
    wait_for(lambda: not collector_state("collector")["up"], "the outage")
    state = collector_state("collector")
    assert set(state["errors"]) == set(OUTPUT_ERROR_KINDS)
    assert state["errors"]["network"] == state["failures"] >= 1
    assert state["last_error"] == "NetworkFailed: the line is cut"
    assert state["behind"] >= 1
    collector.down = False

    wait_for(lambda: "output collector is back" in [m for _, m in collector.got], "the news")
    assert "output collector cannot write" in [m for _, m in collector.got]
    assert collector_state("collector")["up"]


def test_pauses_between_attempts_grow(log):
    class Clocked(Collector):
        tries = ()

        def write(self, batch):
            self.tries = (*self.tries, time.monotonic())
            super().write(batch)

    collector = Clocked()
    collector.down = True
    treering.add_output(collector)
    log.info("held up")
    wait_for(lambda: len(collector.tries) >= 6, "six attempts")
    pauses = [
        after - before for before, after in zip(collector.tries, collector.tries[1:], strict=False)
    ]
    assert all(pause >= 0.045 * 2**at for at, pause in enumerate(pauses[:5]))


def test_what_was_accepted_before_a_failure_does_not_come_again(any_collector):
    treering.add_output(any_collector)
    any_collector.take = 7
    log = treering.get_logger("app")
    for number in range(100):
        log.info(f"record {number}")
    wait_for(lambda: len(any_collector.messages()) >= 7, "the first part")
    any_collector.take = None

    wait_for(lambda: len(any_collector.messages()) >= 100, "the rest")
    numbered = [m for m in any_collector.messages() if m.startswith("record")]
    assert numbered == [f"record {number}" for number in range(100)]


@pytest.mark.parametrize("error", [ValueError("odd"), OSError(28, "no space"), KeyError("x")])
def test_whatever_a_users_class_raises_delays_records_and_loses_none(log, error):
    class Odd(Collector):
        def write(self, batch):
            if self.down:
                raise error
            super().write(batch)

    collector = Odd()
    collector.down = True
    treering.add_output(collector)
    log.info("late")
    wait_for(lambda: collector_state("collector")["errors"]["unavailable"] >= 1, "the failure")
    collector.down = False

    wait_for(lambda: "late" in collector.messages(), "the record")


def test_records_that_a_destination_refuses_are_counted_and_do_not_come_again(log):
    class Picky(Collector):
        def write(self, batch):
            super().write(batch)
            return sum(r["message"].startswith("bad") for r in batch)

    collector = Picky()
    treering.add_output(collector)
    log.info("bad one")
    log.info("good one")

    assert treering.flush(10)
    assert collector.messages() == ["bad one", "good one"]
    state = collector_state("collector")
    assert state["refused"] == 1


def test_outputs_come_and_go_while_others_log(log, journal):
    treering.add_output(steady := Collector("steady"))
    stop = threading.Event()
    logged = Counter()

    def chatter(me):
        while not stop.is_set():
            log.info(f"{me} {logged[me]}")
            logged[me] += 1
            time.sleep(0.0002)

    threads = [threading.Thread(target=chatter, args=(me,)) for me in range(3)]
    for thread in threads:
        thread.start()
    try:
        for number in range(10):
            treering.add_output(passing := Collector(f"passing-{number}"))
            wait_for(lambda: len(passing.got) > 10, "some records")
            assert treering.remove_output(f"passing-{number}", 10)
            indexes = [index for index, _ in passing.got]
            assert indexes == list(range(indexes[0], indexes[0] + len(indexes))), "without gaps"
    finally:
        stop.set()
        for thread in threads:
            thread.join()

    assert treering.flush(20)
    assert [state["name"] for state in treering.list_outputs()] == ["steady"]
    for me, count in logged.items():
        mine = [m for m in steady.messages() if m.startswith(f"{me} ")]
        assert mine == [f"{me} {number}" for number in range(count)]


def test_every_output_added_and_removed_is_an_audit_record(log, journal):
    treering.add_output(Collector("fleeting", level="ERROR"))
    treering.remove_output("fleeting")
    assert treering.flush(10)
    import json

    audits = [json.loads(line) for _, line in Journal(journal).records()]
    told = [(r["level"], r["message"]) for r in audits if r["component"] == "treering.outputs"]
    assert told == [("AUDIT", "output fleeting added"), ("AUDIT", "output fleeting removed")]


def test_an_output_goes_on_where_it_stopped_in_the_next_process(journal):
    for batch in range(3):
        treering.configure(directory=journal, console=False)
        treering.add_output(collector := Collector())
        log = treering.get_logger("app")
        log.info(f"batch {batch}")
        collector.down = batch == 1
        treering.shutdown()
        if batch == 1:
            assert collector.messages() == []
    assert [m for m in collector.messages() if m.startswith("batch")] == ["batch 1", "batch 2"]


def test_a_forked_child_delivers_what_it_says(journal, tmp_path):
    treering.configure(directory=journal, console=False)
    treering.add_output(Appender(tmp_path / "out"))
    log = treering.get_logger("app")
    log.info("parent before")
    child = os.fork()
    if child == 0:
        log.info("child")
        os._exit(0 if treering.flush(10) else 1)
    assert os.waitpid(child, 0)[1] == 0
    log.info("parent after")

    treering.shutdown()
    lines = Path(tmp_path / "out").read_text().splitlines()
    said = [line.partition(" ")[2] for line in lines if "output" not in line]
    assert said == ["parent before", "child", "parent after"]
    assert {line.partition(" ")[0] for line in lines} == {str(os.getpid())}, "one process runs it"


def test_without_a_journal_a_forked_child_has_an_output_of_its_own(tmp_path):
    treering.configure(console=False)
    treering.add_output(Appender(tmp_path / "out"))
    child = os.fork()
    if child == 0:
        treering.get_logger("app").info("child")
        os._exit(0 if treering.flush(10) else 1)
    assert os.waitpid(child, 0)[1] == 0
    treering.shutdown()
    assert Path(tmp_path / "out").read_text() == f"{child} child\n"


WORKER = """
    import sys, treering
    sys.path.insert(0, sys.argv[3])
    from collecting import Appender

    treering.configure(directory=sys.argv[1], console=False)
    treering.add_output(Appender(sys.argv[2]))
    log = treering.get_logger("app")
    for number in range(int(sys.argv[5])):
        log.info(f"{sys.argv[4]}-{number}")
    print("done", flush=True)
    sys.stdin.read()
"""


def test_of_many_processes_one_runs_it_and_when_that_is_killed_another_goes_on(journal, tmp_path):
    out, tests = tmp_path / "out", Path(__file__).parent.parent
    import subprocess

    workers = [
        start(WORKER, journal, out, tests, name, 3000, stdin=subprocess.PIPE) for name in "abc"
    ]
    for worker in workers:
        assert worker.stdout.readline() == "done\n"
    wait_for(lambda: len(set(messages(out))) == 9000, "everything")
    assert len(messages(out)) == 9000, "without a death nothing comes twice"
    (runner,) = {line.split()[0] for line in out.read_text().splitlines()}
    for worker in workers:
        if str(worker.pid) == runner:
            worker.send_signal(signal.SIGKILL)
            worker.wait()
        else:
            worker.stdin.close()
    late = start(WORKER, journal, out, tests, "late", 10, stdin=subprocess.PIPE)
    late.stdin.close()
    for worker in [*workers, late]:
        worker.wait(30)
        for stream in (worker.stdin, worker.stdout, worker.stderr):
            stream.close()

    wait_for(lambda: len(set(messages(out))) == 9010, "everything")


def messages(path):
    lines = path.read_text().splitlines() if path.exists() else []
    return [line.split()[1] for line in lines if "output" not in line]


def test_what_was_said_last_is_delivered_when_the_program_ends(journal, tmp_path):
    from programs import run

    tests = Path(__file__).parent.parent
    source = """
        import sys, treering
        sys.path.insert(0, sys.argv[3])
        from collecting import Appender
        treering.configure(directory=sys.argv[1] or None, console=False)
        treering.add_output(Appender(sys.argv[2]))
        for number in range(500):
            treering.get_logger("app").info(f"record-{number}")
    """
    for directory, out in [(journal, tmp_path / "a"), ("", tmp_path / "b")]:
        run(source, directory, out, tests)
        assert messages(out) == [f"record-{number}" for number in range(500)]


def test_a_name_is_one_outputs(log):
    treering.add_output(Collector("one"))
    with pytest.raises(ConfigurationError, match="there is an output 'one' already"):
        treering.add_output(Collector("one"))
    with pytest.raises(ConfigurationError, match="there is no output 'two': one of one would be"):
        treering.remove_output("two")
    with pytest.raises(ConfigurationError, match="output name 'a b' cannot be used"):
        Collector("a b")
    with pytest.raises(ConfigurationError, match="option level of output 'x' is 'LOUD'"):
        Collector("x", level="LOUD")


def test_a_journal_that_begins_anew_is_followed_from_its_beginning(journal, tmp_path):
    import shutil

    treering.configure(directory=journal, console=False)
    treering.add_output(Collector())
    treering.get_logger("app").info("old journal")
    treering.shutdown()
    cursors = tmp_path / "cursors"
    shutil.copytree(journal / "cursors", cursors)
    shutil.rmtree(journal)
    treering.configure(directory=journal, console=False)
    shutil.copytree(cursors, journal / "cursors", dirs_exist_ok=True)
    treering.get_logger("app").info("new journal")
    treering.add_output(collector := Collector())

    assert treering.flush(10)
    assert "new journal" in collector.messages()
    treering.shutdown()


def test_from_outside_one_sees_how_far_an_output_is_and_what_keeps_it(log, journal, capsys):
    from treering.cli import main

    collector = Collector()
    treering.add_output(collector)
    log.info("delivered")
    assert treering.flush(10)
    collector.down = True
    log.info("held up")
    wait_for(lambda: not collector_state("collector")["up"], "the outage")

    assert main(["stats", str(journal)]) == 0
    shown = capsys.readouterr().out
    assert "output collector (collector): 2 delivered, " in shown
    assert "cannot write: NetworkFailed: the line is cut" in shown
    assert Journal(journal).status()["outputs"][0]["behind"] >= 1


def test_a_record_that_a_users_format_fails_at_holds_no_other_up(log, tmp_path):
    from treering.outputs.file import FileOutput

    def brief(record):
        return f"{record['message']} for {record['metadata']['user_id']}"

    treering.add_output(FileOutput(tmp_path / "brief.log", format=brief, components="app"))
    log.info("first", user_id=1)
    log.info("nobody's")
    log.info("last", user_id=2)

    assert treering.flush(10)
    lines = (tmp_path / "brief.log").read_text().splitlines()
    assert lines[0] == "first for 1"
    assert '"message":"nobody\'s"' in lines[1]
    assert lines[2] == "last for 2"
    assert collector_state("file")["errors"]["format"] == 1
    assert "KeyError: 'metadata'" in collector_state("file")["last_error"]


def test_a_text_file_has_fields_and_traceback_of_a_record_in_one_line(log, tmp_path):
    from treering.outputs.file import FileOutput

    treering.add_output(FileOutput(tmp_path / "app.log", components="app"))
    try:
        {}["card"]
    except KeyError:
        log.exception("Payment failed", order=42)

    assert treering.flush(10)
    (line,) = (tmp_path / "app.log").read_text().splitlines()
    assert "] [ERROR] [app] [" in line
    assert "Payment failed  order=42 Traceback" in line
    assert line.endswith("KeyError: 'card'")
