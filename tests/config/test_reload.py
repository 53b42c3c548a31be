"""A configuration file that changes while a process logs."""

import json
import signal
import threading

import pytest
from programs import records, start, wait_for

import treering
from treering.errors import ConfigurationError
from treering.journal import Journal

# Logs a numbered record in a loop until its standard input ends.
WORKER = """
    import select, sys, treering
    treering.configure(config_file=sys.argv[1], directory=sys.argv[2], reload_interval_s=0.05)
    log = treering.get_logger("work")
    number = 0
    print("ready", flush=True)
    while not select.select([sys.stdin], [], [], 0.002)[0]:
        log.info("step", number=number)
        log.debug("detail", number=number)
        number += 1
    print(number, flush=True)
"""


@pytest.fixture
def config_file(tmp_path):
    path = tmp_path / "log.toml"
    path.write_text('level = "INFO"\nconsole = false\n')
    return path


@pytest.fixture
def worker(config_file, journal):
    process = start(WORKER, config_file, journal, stdin=-1)
    assert process.stdout.readline() == "ready\n"
    yield process
    if process.poll() is None:
        process.communicate()


def said(journal, component="treering.config"):
    found = [json.loads(line) for _, line in Journal(journal).records()]
    return [record for record in found if record["component"] == component]


def replace(path, text):
    draft = path.with_suffix(".new")
    draft.write_text(text)
    draft.replace(path)


def test_a_level_changes_while_a_process_logs_and_nothing_is_lost(worker, config_file, journal):
    replace(config_file, 'level = "DEBUG"\nconsole = false\n')
    changes = wait_for(lambda: said(journal), "the change")
    seen = Journal(journal).end
    wait_for(lambda: Journal(journal).end > seen + 20, "records after it")
    count = int(worker.communicate("end\n")[0])

    found = [record for record in records(journal) if record["message"] == "step"]
    assert [record["metadata"]["number"] for record in found] == list(range(count))
    assert any(record["message"] == "detail" for record in records(journal))
    assert [record["level"] for record in changes] == ["AUDIT"] * len(changes)
    facts = changes[0]["metadata"]["changes"]["level"]
    assert (facts["from"], facts["to"]) == ("INFO", "DEBUG")
    assert facts["source"] == f"file {config_file}, line 1"


def test_a_setting_that_needs_a_new_ring_loses_nothing_either(worker, config_file, journal):
    replace(config_file, 'level = "INFO"\nconsole = false\nring_bytes = "64KB"\n')
    wait_for(lambda: said(journal), "the change")
    count = int(worker.communicate("end\n")[0])

    found = [record for record in records(journal) if record["message"] == "step"]
    assert [record["metadata"]["number"] for record in found] == list(range(count))


def test_a_file_that_cannot_be_used_changes_nothing_and_is_told_once(worker, config_file, journal):
    replace(config_file, 'level = "DEBUG"\nconsole = "perhaps"\n')
    [error] = wait_for(lambda: said(journal), "the complaint")
    seen = Journal(journal).end
    wait_for(lambda: Journal(journal).end > seen + 50, "records after it")
    worker.communicate("end\n")

    assert error["level"] == "ERROR"
    assert error["message"] == (
        f"the configuration stays as it was: setting console from file {config_file}, line 2 is"
        " 'perhaps': true or false would be right"
    )
    assert error["metadata"] == {"code": "setting_invalid", "field": "console"}
    assert len(said(journal)) == 1
    assert not any(record["message"] == "detail" for record in records(journal))


def test_a_file_that_has_gone_changes_nothing_and_is_told(worker, config_file, journal):
    config_file.unlink()
    [error] = wait_for(lambda: said(journal), "the complaint")
    config_file.write_text('level = "DEBUG"\nconsole = false\n')
    wait_for(lambda: len(said(journal)) > 1, "the change")
    worker.communicate("end\n")

    assert error["metadata"]["code"] == "file_unreadable"


def test_a_hangup_has_the_file_read_again(config_file, journal):
    config_file.write_text("reload_on_hangup = true\nconsole = false\n")
    process = start(WORKER.replace("reload_interval_s=0.05", ""), config_file, journal, stdin=-1)
    assert process.stdout.readline() == "ready\n"
    config_file.write_text('reload_on_hangup = true\nconsole = false\nlevel = "DEBUG"\n')

    process.send_signal(signal.SIGHUP)
    wait_for(lambda: said(journal), "the change")
    process.communicate("end\n")

    assert process.returncode == 0
    assert any(record["message"] == "detail" for record in records(journal))


def test_outputs_come_go_and_change_with_the_file(worker, config_file, journal, tmp_path):
    one, two = tmp_path / "one.log", tmp_path / "two.log"
    base = 'level = "INFO"\nconsole = false\n'
    output = '[outputs.text]\ntype = "file"\nformat = "json"\npath = "{}"\n'

    replace(config_file, base + output.format(one))
    wait_for(lambda: one.exists() and one.stat().st_size, "the first file")
    replace(config_file, base + output.format(two))
    wait_for(lambda: two.exists() and two.stat().st_size, "the second file")
    replace(config_file, base)
    wait_for(
        lambda: any("removed" in record["message"] for record in said(journal, "treering.outputs")),
        "the end of the output",
    )
    worker.communicate("end\n")

    numbers = [
        json.loads(line)["metadata"]["number"]
        for path in (one, two)
        for line in path.read_text().splitlines()
        if json.loads(line)["message"] == "step"
    ]
    assert numbers == list(range(numbers[0], numbers[0] + len(numbers)))
    assert [record["message"] for record in said(journal, "treering.outputs")] == [
        "output text added",
        "output text changed",
        "output text removed",
    ]


def test_reload_by_hand_takes_what_changed_in_file_and_environment(
    config_file, journal, monkeypatch
):
    treering.configure(config_file=config_file, directory=journal)
    config_file.write_text('level = "ERROR"\nconsole = false\n')
    monkeypatch.setenv("TREERING_LOG_LEVELS", "auth=DEBUG")

    config = treering.reload()

    assert config.to_dict()["level"] == "ERROR"
    assert treering.get_level("shop") == 40
    assert treering.get_level("auth.session") == 10
    treering.shutdown()


def test_what_a_file_does_not_say_any_more_is_inherited_again(config_file, journal):
    config_file.write_text(
        'console = false\nlevel = "INFO"\nlevels = { auth = "DEBUG", db = "ERROR" }\n'
    )
    treering.configure(config_file=config_file, directory=journal)
    treering.set_level("db", "TRACE")
    config_file.write_text('console = false\nlevel = "INFO"\n')

    treering.reload()

    assert treering.get_level("auth") == 20
    assert treering.get_level("db") == 5, "somebody has changed it since"
    treering.shutdown()


def test_a_reload_that_fails_leaves_everything_as_it_was(config_file, journal):
    before = treering.configure(config_file=config_file, directory=journal)
    config_file.write_text("level = 'LOUD'\n")

    with pytest.raises(ConfigurationError, match="line 1 is 'LOUD'"):
        treering.reload()

    assert treering.get_logging_config() is before
    assert treering.get_level() == 20
    treering.shutdown()


def test_an_output_that_was_added_by_hand_outlives_a_reload(config_file, journal):
    from treering.outputs.memory import MemoryOutput

    treering.configure(config_file=config_file, directory=journal)
    memory = MemoryOutput("recent", components="shop")
    treering.add_output(memory)
    treering.get_logger("shop").info("before")
    treering.flush()
    config_file.write_text('console = false\nring_bytes = "64KB"\n')
    treering.reload()
    treering.get_logger("shop").info("after")
    treering.flush()

    assert [record["message"] for record in memory.records()] == ["before", "after"]
    treering.shutdown()


def test_a_journal_that_cannot_be_had_leaves_the_old_one_and_its_outputs(
    config_file, journal, tmp_path
):
    text = tmp_path / "app.log"
    output = (
        f'[outputs.text]\ntype = "file"\nformat = "json"\npath = "{text}"\ncomponents = "shop"\n'
    )
    base = f'console = false\ndirectory = "{journal}"\n'
    config_file.write_text(base + output)
    treering.configure(config_file=config_file)
    config_file.write_text('console = false\ndirectory = "/proc/no/journal"\n')

    with pytest.raises(treering.JournalUnavailable):
        treering.reload()
    treering.get_logger("shop").info("still here")
    treering.shutdown()

    assert [record["message"] for record in records(journal)] == ["still here"]
    assert json.loads(text.read_text())["message"] == "still here"


def test_reloading_what_has_not_changed_says_nothing(config_file, journal):
    treering.configure(config_file=config_file, directory=journal)
    config_file.write_text(config_file.read_text() + "# a remark\n")
    treering.reload()
    treering.flush()

    assert said(journal) == []
    treering.shutdown()


def test_secrets_in_a_change_are_covered(config_file, journal, tmp_path):
    (tmp_path / "keyed.py").write_text(
        "from treering.outputs import Output\n"
        "class Keyed(Output):\n"
        "    def __init__(self, name=None, *, token='', **common):\n"
        "        super().__init__(name, **common)\n"
        "    def write(self, batch):\n"
        "        pass\n"
    )
    base = 'console = false\n[outputs.mine]\nclass = "keyed:Keyed"\ntoken = "{}"\n'
    config_file.write_text(base.format("hunter1"))
    worker = start(WORKER, config_file, journal, stdin=-1, env={"PYTHONPATH": str(tmp_path)})
    assert worker.stdout.readline() == "ready\n"

    replace(config_file, base.format("hunter2"))
    [change] = wait_for(lambda: said(journal), "the change")
    worker.communicate("end\n")

    assert "hunter" not in json.dumps(change)
    assert change["metadata"]["changes"]["outputs"]["to"]["mine"]["token"] == "[REDACTED]"


def test_a_forked_child_watches_the_file_too(config_file, journal):
    config_file.write_text("console = false\nreload_interval_s = 0.05\n")
    child = start(
        """
        import os, sys, time, treering
        treering.configure(config_file=sys.argv[1], directory=sys.argv[2])
        if os.fork():
            os.wait()
            os._exit(0)
        log = treering.get_logger("child")
        log.info("here")
        print("ready", flush=True)
        while not log.enabled_for("TRACE") or treering.get_logging_config().level != 5:
            time.sleep(0.01)
        print("changed", flush=True)
        """,
        config_file,
        journal,
    )
    assert child.stdout.readline() == "ready\n"
    replace(config_file, 'console = false\nreload_interval_s = 0.05\nlevel = "TRACE"\n')

    assert child.stdout.readline() == "changed\n"
    child.communicate()


def test_threads_log_while_the_configuration_is_replaced_again_and_again(config_file, journal):
    treering.configure(config_file=config_file, directory=journal, block_timeout_s=30)
    log = treering.get_logger("threads")
    stop = threading.Event()
    counts = [0, 0]

    def work(at):
        while not stop.is_set():
            log.info("step", worker=at, number=counts[at])
            counts[at] += 1

    threads = [threading.Thread(target=work, args=(at,)) for at in range(2)]
    for thread in threads:
        thread.start()
    for ring in ("64KB", "128KB", "64KB"):
        config_file.write_text(f'console = false\nlevel = "INFO"\nring_bytes = "{ring}"\n')
        treering.reload()
    stop.set()
    for thread in threads:
        thread.join()
    treering.shutdown()

    for at in range(2):
        numbers = [
            r["metadata"]["number"] for r in records(journal) if r["metadata"].get("worker") == at
        ]
        assert numbers == list(range(counts[at]))


def test_a_class_that_fails_to_be_made_does_not_end_the_watch(config_file, journal, tmp_path):
    (tmp_path / "brittle.py").write_text(
        "from treering.outputs import Output\n"
        "class Brittle(Output):\n"
        "    def __init__(self, name=None): raise RuntimeError('brittle')\n"
        "    def write(self, batch): ...\n"
    )
    process = start(WORKER, config_file, journal, stdin=-1, env={"PYTHONPATH": str(tmp_path)})
    assert process.stdout.readline() == "ready\n"
    output = '[outputs.own]\nclass = "brittle:Brittle"\n'
    replace(config_file, f'level = "INFO"\nconsole = false\n{output}')
    wait_for(lambda: [r for r in said(journal) if "brittle" in r["message"]], "the refusal")

    replace(config_file, 'level = "DEBUG"\nconsole = false\n')

    wait_for(
        lambda: [r for r in said(journal, "work") if r["message"] == "detail"], "the new level"
    )
    process.communicate()
