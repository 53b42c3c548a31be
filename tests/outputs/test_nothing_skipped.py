"""What must not make an output skip a record, keep the program waiting, or feed on itself."""

import os
import time

import pytest
from collecting import Collector, ProcessCollector
from programs import run, wait_for

import treering
from treering.cli import main
from treering.outputs.file import FileOutput


@pytest.fixture
def log(journal):
    treering.configure(directory=journal, console=False, segment_max_bytes="64KB")
    yield treering.get_logger("app")
    treering.shutdown()


def state(name="collector"):
    return next(one for one in treering.list_outputs() if one["name"] == name)


def test_a_cursor_that_cannot_be_written_loses_nothing(log, journal):
    treering.add_output(collector := Collector())
    assert treering.flush(10)
    in_the_way = journal / "cursors" / "collector.draft"
    in_the_way.mkdir()
    collector.down = True
    log.info("during the outage")
    wait_for(lambda: not state()["up"], "the outage")
    collector.down = False
    wait_for(lambda: "during the outage" in collector.messages(), "the record")
    assert "Is a directory" in state()["cursor_error"]

    in_the_way.rmdir()
    wait_for(lambda: state()["cursor_error"] is None, "the cursor is written when it can be")


@pytest.mark.parametrize("text", ["", "{", "[]", '{"index": "x", "journal": "y"}', "\0" * 64])
def test_a_cursor_that_means_nothing_begins_at_the_beginning(log, journal, text):
    treering.add_output(collector := Collector())
    collector.down = True
    log.info("not delivered")
    treering.flush(1)
    treering.shutdown()
    (journal / "cursors" / "collector.json").write_text(text)

    treering.configure(directory=journal, console=False)
    treering.add_output(collector := Collector())
    treering.get_logger("app").info("afterwards")
    assert treering.flush(10)
    assert "not delivered" in collector.messages()


def test_a_cursor_of_a_later_version_is_read(log, journal):
    treering.add_output(Collector())
    log.info("before")
    assert treering.flush(10)
    treering.shutdown()
    place = journal / "cursors" / "collector.json"
    place.write_text(place.read_text().replace("{", '{"later": 1, ', 1))

    treering.configure(directory=journal, console=False)
    treering.add_output(collector := Collector())
    treering.get_logger("app").info("afterwards")
    assert treering.flush(10)
    assert "afterwards" in collector.messages()
    assert "before" not in collector.messages()


def test_outputs_are_there_when_the_place_of_cursors_is_usable_again(log, journal):
    (journal / "cursors").write_text("in the way")
    treering.add_output(collector := Collector())
    log.info("meanwhile")
    wait_for(lambda: "Not a directory" in (state()["last_error"] or ""), "the trouble")
    assert not treering.flush(5)
    assert not state()["up"]

    (journal / "cursors").unlink()
    wait_for(lambda: "meanwhile" in collector.messages(), "the record")
    wait_for(lambda: state()["up"], "the output to be up")


def test_records_that_were_pruned_before_their_delivery_are_counted_and_the_rest_arrives(
    log, journal
):
    treering.add_output(collector := Collector(components=["app"]))
    collector.batch_bytes = 1000
    log.info("first")
    assert treering.flush(10)
    collector.down = True
    for number in range(400):
        log.info("x" * 600, number=number)
    assert not treering.flush(2)
    before = collector.got[-1][0] + 1
    newest = max((journal / "active").glob("*.jsonl"))
    assert main(["prune", str(journal), "--before", str(int(newest.stem))]) == 0
    collector.down = False
    log.info("last")

    wait_for(lambda: collector.messages()[-1] == "last", "the rest")
    lost = state()["lost"]
    delivered = [index for index, _ in collector.got if index >= before]
    skipped = [index for index in range(before, int(newest.stem)) if index not in delivered]
    assert lost == len(skipped) > 100


def test_an_outage_that_is_over_is_not_told_after_a_restart(log, journal, capsys):
    treering.add_output(collector := Collector())
    collector.down = True
    log.info("held up")
    wait_for(lambda: not state()["up"], "the outage")
    treering.shutdown()
    treering.configure(directory=journal, console=False)
    treering.add_output(Collector())

    assert treering.flush(10)
    assert main(["stats", str(journal)]) == 0
    assert "cannot write" not in capsys.readouterr().out


def test_an_output_that_was_removed_keeps_no_caller_waiting(tmp_path):
    treering.configure(console=False, ring_bytes="1MB")
    log = treering.get_logger("app")
    treering.add_output(FileOutput(tmp_path / "app.log", "file"))
    log.info("one")
    assert treering.remove_output("file")
    for _ in range(20_000):
        log.info("x" * 100)

    counts = treering.statistics()
    treering.shutdown()
    assert counts["dropped_newest"] == 0


def test_many_outputs_that_hang_delay_the_end_of_a_program_once(journal):
    began = time.monotonic()
    run(
        """
        import sys, time, treering
        from treering.outputs import Output
        class Hanging(Output):
            scope = "journal"
            def write(self, batch):
                time.sleep(1000)
        treering.configure(directory=sys.argv[1], console=False)
        for number in range(4):
            treering.add_output(Hanging(f"hanging-{number}"))
        treering.get_logger("app").info("x")
        treering.shutdown(1.0)
        """,
        journal,
    )
    assert time.monotonic() - began < 4.5


class Flushing(Collector):
    """Waits for itself."""

    def write(self, batch):
        self.answers = [*getattr(self, "answers", []), treering.flush(20)]
        super().write(batch)


def test_an_output_that_flushes_does_not_wait_for_itself(log):
    treering.add_output(flushing := Flushing())
    began = time.monotonic()
    log.info("x")
    assert treering.flush(10)
    assert time.monotonic() - began < 5
    assert flushing.answers[0] is False


@pytest.mark.parametrize("answer", ["taken", True, object(), -1, 1 << 70])
def test_whatever_a_users_class_returns_it_has_taken_the_records(log, answer):
    class Answering(Collector):
        def write(self, batch):
            super().write(batch)
            return answer

    treering.add_output(collector := Answering())
    log.info("once")
    assert treering.flush(10)
    assert collector.messages() == ["once"]


@pytest.mark.parametrize("error", [SystemExit(1), KeyboardInterrupt(), GeneratorExit()])
def test_what_ends_a_thread_does_not_end_an_output(log, error):
    class Ending(Collector):
        has_raised = False

        def write(self, batch):
            if not self.has_raised:
                self.has_raised = True
                raise error
            super().write(batch)

    treering.add_output(collector := Ending())
    log.info("still here")
    wait_for(lambda: "still here" in collector.messages(), "the record")


def test_statistics_of_a_users_class_that_fail_hide_nothing_else(log):
    class Silent(Collector):
        def statistics(self):
            raise RuntimeError("none")

    treering.add_output(Silent())
    assert treering.statistics()["outputs"][0]["statistics_error"] == "RuntimeError: none"


def test_a_forked_child_that_logs_nothing_leaves_its_parents_outputs_alone(log):
    treering.add_output(collector := Collector())
    child = os.fork()
    if child == 0:
        began = time.monotonic()
        treering.shutdown(5)
        os._exit(int(time.monotonic() - began > 2))
    assert os.waitpid(child, 0)[1] == 0
    log.info("the parent's")
    assert treering.flush(10)
    assert "the parent's" in collector.messages()


@pytest.mark.parametrize("kind", [Collector, ProcessCollector])
def test_an_output_that_logs_does_not_feed_on_itself(log, journal, kind):
    class Talking(kind):
        def write(self, batch):
            super().write(batch)
            for record in batch:
                treering.get_logger("talking").info("got one", about=record.index)
                treering.get_logger("talking").info("really")

    treering.add_output(collector := Talking())
    treering.add_output(other := Talking("other"))
    log.info("hello")
    assert treering.flush(10)
    assert treering.flush(10)

    assert treering.statistics()["logged"] < 50
    assert "really" not in collector.messages() + other.messages()
    assert state()["own"] >= 2


def test_threads_that_log_first_at_the_same_time_start_each_output_once(tmp_path):
    run(
        """
        import os, sys, threading
        from pathlib import Path
        place = Path(sys.argv[1])
        Path(place, "t.json").write_text(
            '{"directory": "%s/logs", "console": false,'
            ' "outputs": {"f": {"type": "file", "path": "%s/app.log", "format": "COMPACT"}}}'
            % (place, place)
        )
        os.environ["TREERING_CONFIG"] = str(place / "t.json")
        import treering
        sys.setswitchinterval(1e-5)
        go = threading.Barrier(8)
        def work(number):
            go.wait()
            treering.get_logger("app").info(f"record {number}")
        threads = [threading.Thread(target=work, args=(number,)) for number in range(8)]
        for thread in threads: thread.start()
        for thread in threads: thread.join()
        running = [t.name for t in threading.enumerate() if t.name == "treering-f"]
        assert len(running) == 1, running
        assert treering.list_outputs()[0]["running"]
        """,
        tmp_path,
    )
    text = (tmp_path / "app.log").read_text()
    assert all(text.count(f"record {number}") == 1 for number in range(8))


def test_a_new_generation_of_the_journal_is_delivered_from_its_beginning(log, journal):
    treering.add_output(Collector())
    log.info("as it was")
    for number in range(30):
        log.info(f"old {number}")
    assert treering.flush(10)
    treering.shutdown()
    (segment,) = (journal / "active").glob("*.jsonl")
    segment.write_bytes(segment.read_bytes().replace(b"as it was", b"as it is "))

    treering.configure(directory=journal, console=False)
    treering.add_output(collector := Collector())
    treering.get_logger("app").info("of the new generation")
    assert treering.flush(10)
    assert (journal / "ended" / "0001").is_dir()
    assert "of the new generation" in collector.messages()


def test_an_output_that_runs_follows_into_a_new_generation(journal, tmp_path):
    from collecting import Appender

    out = tmp_path / "out"
    treering.configure(directory=journal, console=False)
    treering.add_output(Appender(out))
    treering.get_logger("app").info("as-it-was")
    assert treering.flush(10)
    treering.shutdown()
    for number in range(3):
        segment = min((journal / "active").glob("*.jsonl"))
        segment.write_bytes(segment.read_bytes().replace(b"as-it-was", b"as-it-is!"))
        treering.configure(directory=journal, console=False)
        treering.add_output(Appender(out))
        treering.get_logger("app").info("as-it-was")
        treering.get_logger("app").info(f"record-{number}")
        assert treering.flush(10)
        assert f"record-{number}\n" in out.read_text()
        treering.shutdown()
    assert len(list((journal / "ended").iterdir())) == 3
