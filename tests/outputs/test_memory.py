"""Records in memory: what is kept, found and given back."""

import inspect
import os
import threading
from datetime import UTC, datetime

import pytest
from collecting import Collector
from files import Plain, batch
from programs import wait_for

import treering
from treering.errors import BufferFull, ConfigurationError
from treering.outputs import Batch
from treering.outputs.memory import MemoryOutput


@pytest.fixture
def memory():
    """A memory output with what `app` and `db.pool` have said."""
    treering.configure(console=False, level="DEBUG")
    output = MemoryOutput()
    treering.add_output(output)
    app = treering.get_logger("app")
    app.info("started", port=8080)
    treering.get_logger("db.pool", category="database").warning("Slow query")
    app.debug("checked")
    app.error("failed")
    assert treering.flush(10)
    yield output
    treering.shutdown()


def messages(records):
    return [record["message"] for record in records if record["component"] != "treering.outputs"]


def texts(output):
    return [record.line.decode() for record in output.records()]


def test_records_come_oldest_first(memory):
    assert messages(memory.records()) == ["started", "Slow query", "checked", "failed"]
    assert messages(memory.records(newest=2)) == ["checked", "failed"]


@pytest.mark.parametrize(
    ("conditions", "expected"),
    [
        ({"text": "slow"}, ["Slow query"]),
        ({"text": "8080"}, ["started"]),
        ({"level": "WARNING"}, ["Slow query", "failed"]),
        ({"level": 40}, ["failed"]),
        ({"component": "db"}, ["Slow query"]),
        ({"component": "app", "newest": 2}, ["checked", "failed"]),
        ({"category": "database"}, ["Slow query"]),
        ({"text": "nowhere"}, []),
        ({"since": "2020-01-01T00:00:00Z", "until": 4e9, "level": "ERROR"}, ["failed"]),
        ({"since": datetime(2100, 1, 1, tzinfo=UTC)}, []),
        ({"until": 0}, []),
    ],
    ids=str,
)
def test_records_are_found_by_what_they_are(memory, conditions, expected):
    assert messages(memory.search(**conditions)) == expected


def test_records_are_found_by_a_filter(memory):
    chosen = treering._core.Filter(fields=[("port", "8080")])

    assert messages(memory.records(filter=chosen)) == ["started"]


@pytest.mark.parametrize("conditions", [{"since": "yesterday"}, {"level": "LOUD"}])
def test_a_search_that_cannot_be_understood_says_so(memory, conditions):
    with pytest.raises(ValueError, match=r"yesterday|LOUD"):
        memory.search(**conditions)


def test_what_is_drained_or_cleared_is_gone(memory):
    assert messages(memory.drain()) == ["started", "Slow query", "checked", "failed"]
    assert len(memory) == 0
    memory.write(batch("a"))
    memory.clear()
    assert memory.records() == []
    assert memory


def test_the_oldest_make_room_and_are_counted():
    output = MemoryOutput(max_records=3)
    output.write(batch(*"abcd"))
    output.write(batch("e"))

    assert texts(output) == ["c", "d", "e"]
    assert output.statistics() == {"records": 3, "bytes": 3, "dropped": 2}


def test_bytes_are_bounded_too():
    output = MemoryOutput(max_bytes=10)
    refused = output.write(batch("aaaa", "bbbb", "x" * 11, "cc"))

    assert texts(output) == ["aaaa", "bbbb", "cc"]
    assert refused == 1
    output.write(batch("d"))
    assert texts(output) == ["bbbb", "cc", "d"]


def test_ten_thousand_records_are_kept_when_nothing_else_is_said():
    output = MemoryOutput()
    output.write(batch(*map(str, range(10_001))))

    assert texts(output) == [str(number) for number in range(1, 10_001)]


def test_a_full_output_that_refuses_says_how_many_it_took():
    output = MemoryOutput("spare", max_records=2, when_full="refuse")
    with pytest.raises(BufferFull, match="'spare' is full with 2 records") as raised:
        output.write(batch("a", "b", "c"))
    assert raised.value.accepted == 2
    output.drain()
    output.write(batch("a", "b", "c").after(2))

    assert texts(output) == ["c"]


def test_what_it_kept_for_another_output_goes_there_in_order(journal):
    treering.configure(directory=journal, console=False)
    memory = MemoryOutput(max_records=100, when_full="refuse")
    first = Collector("first", fallback=memory, fallback_after_s=0.0)
    first.down = True
    treering.add_output(first)
    for number in range(500):
        treering.get_logger("app").info(f"record {number}")
    wait_for(lambda: len(memory) == 100, "a full memory")
    first.down = False
    wait_for(lambda: treering.flush(1) and len(first.messages()) >= 500, "the rest")
    treering.shutdown()

    assert first.messages() == [f"record {number}" for number in range(500)]
    assert len(memory) == 0


def test_letting_go_spares_what_came_since():
    output = MemoryOutput(max_records=3)
    output.write(batch(*"abc"))
    held = output.held(2)
    output.write(batch("d"))
    output.let_go(len(held))

    assert texts(output) == ["c", "d"]


def test_it_can_be_read_while_it_is_written_to():
    output = MemoryOutput(max_records=500)
    wrong = []

    def look():
        while len(output) < 500 or output.records()[-1].index < 19_999:
            indexes = [record.index for record in output.records()]
            if indexes and indexes != list(range(indexes[0], indexes[-1] + 1)):
                wrong.append(indexes)

    reader = threading.Thread(target=look)
    reader.start()
    for begin in range(0, 20_000, 100):
        output.write(Batch(b"x\n" * 100, range(begin, begin + 100), Plain()))
    reader.join()

    assert wrong == []


def test_a_forked_child_has_a_memory_of_its_own(memory):
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        treering.get_logger("app").info("child")
        treering.flush(10)
        from treering._lifecycle import _running_outputs

        (own,) = _running_outputs().outputs()
        os.write(writing, ",".join(messages(own.records())).encode())
        os._exit(0)
    os.close(writing)
    seen = os.read(reading, 1000)
    os.close(reading)
    os.waitpid(child, 0)

    assert seen == b"child"
    assert "child" not in messages(memory.records())


@pytest.mark.parametrize(
    ("option", "value"),
    [
        ("max_records", 0),
        ("max_records", None),
        ("max_bytes", "little"),
        ("when_full", "drop_newest"),
    ],
)
def test_a_bad_option_is_told(option, value):
    with pytest.raises(
        ConfigurationError, match=f"option {option} of output 'memory' is {value!r}"
    ):
        MemoryOutput(**{option: value})


def test_arguments_and_options_have_the_same_defaults():
    arguments = inspect.signature(MemoryOutput).parameters

    assert {option.name: option.default for option in MemoryOutput.options} == {
        option.name: arguments[option.name].default for option in MemoryOutput.options
    }
