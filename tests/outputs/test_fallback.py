"""Fallback chains: who gets records while the first choice cannot write."""

import pytest
from collecting import Collector
from programs import wait_for

import treering
from treering.errors import BufferFull, ConfigurationError
from treering.outputs import Output, Record


class Shelf(Output):
    """Keeps records for the output that it stands in for, as memory does."""

    kind = "shelf"

    def __init__(self, *args, room=10_000, **common):
        super().__init__(*args, **common)
        self.kept = []
        self.room = room

    def write(self, batch):
        free = self.room - len(self.kept)
        self.kept += [Record(r.index, r.line) for r in batch[:free]]
        if len(batch) > free:
            raise BufferFull("the shelf is full", accepted=free)

    def held(self, count):
        return self.kept[:count]

    def let_go(self, count):
        del self.kept[:count]


@pytest.fixture
def log(journal):
    treering.configure(directory=journal, console=False, level="TRACE")
    yield treering.get_logger("app")
    treering.shutdown()


def state():
    return treering.list_outputs()[0]


def numbered(*collectors):
    return [[m for m in c.messages() if m.startswith("record")] for c in collectors]


def test_a_fallback_takes_over_and_hands_back_and_together_they_have_everything_once(log):
    second = Collector("second")
    first = Collector("first", fallback=second, fallback_after_s=0.0)
    treering.add_output(first)
    for number in range(300):
        first.down = 100 <= number < 200
        if number == 200:
            wait_for(lambda: state()["up"] or log.info("are you back?"), "the first choice")
        log.info(f"record {number}")
        if number % 100 == 99:
            assert treering.flush(10)

    of_first, of_second = numbered(first, second)
    assert of_first + of_second != of_first, "the fallback was used"
    assert sorted(of_first + of_second) == sorted(f"record {number}" for number in range(300))
    assert of_second == [f"record {number}" for number in range(100, 200)]
    assert state()["active"] == "first"


def test_a_short_interruption_does_not_switch(log):
    second = Collector("second")
    first = Collector("first", fallback=second, fallback_after_s=60.0)
    treering.add_output(first)
    first.down = True
    log.info("record 0")
    wait_for(lambda: state()["failures"] >= 3, "three attempts")
    first.down = False

    wait_for(lambda: numbered(first)[0], "the record")
    assert numbered(second) == [[]]


def test_a_chain_goes_on_to_the_next_when_the_fallback_fails_too(log):
    third = Collector("third")
    second = Collector("second", fallback=third, fallback_after_s=0.0)
    first = Collector("first", fallback=second, fallback_after_s=0.0)
    treering.add_output(first)
    first.down = second.down = True
    log.info("record 0")

    wait_for(lambda: numbered(third)[0], "the record")
    assert state()["active"] == "third"
    assert [other["name"] for other in state()["fallbacks"]] == ["second", "third"]


def test_what_a_fallback_in_memory_keeps_goes_to_the_first_choice_when_that_is_back(log):
    shelf = Shelf()
    first = Collector("first", fallback=shelf, fallback_after_s=0.0)
    first.down = True
    treering.add_output(first)
    for number in range(2500):
        log.info(f"record {number}")
    wait_for(lambda: len(shelf.kept) >= 2500, "the shelf")
    first.down = False
    log.info("record 2500")

    wait_for(lambda: len(numbered(first)[0]) >= 2501, "the rest")
    assert numbered(first) == [[f"record {number}" for number in range(2501)]]
    assert shelf.kept == []


def test_a_full_shelf_makes_the_cursor_wait_and_loses_nothing(log):
    shelf = Shelf(room=50)
    first = Collector("first", fallback=shelf, fallback_after_s=0.0)
    first.down = True
    treering.add_output(first)
    for number in range(500):
        log.info(f"record {number}")
    wait_for(lambda: state()["fallbacks"][0]["errors"]["buffer_full"], "a full shelf")
    first.down = False

    wait_for(lambda: len(numbered(first)[0]) >= 500, "the rest")
    assert numbered(first) == [[f"record {number}" for number in range(500)]]


def test_what_was_only_in_memory_comes_again_after_a_restart(journal):
    treering.configure(directory=journal, console=False)
    first = Collector("first", fallback=Shelf(), fallback_after_s=0.0)
    first.down = True
    treering.add_output(first)
    treering.get_logger("app").info("record 0")
    wait_for(lambda: first.fallback.kept, "the shelf")
    treering.shutdown()
    treering.configure(directory=journal, console=False)
    treering.add_output(again := Collector("first"))

    wait_for(lambda: numbered(again)[0], "the record")
    assert numbered(again) == [["record 0"]]
    treering.shutdown()


def test_a_fallback_must_be_an_output(log):
    with pytest.raises(
        ConfigurationError, match="fallback 'second' of output 'first' is no output"
    ):
        treering.add_output(Collector("first", fallback="second"))
    first = Collector("first", fallback=(second := Collector("second")))
    second.fallback = first
    with pytest.raises(ConfigurationError, match="there is an output 'first' already"):
        treering.add_output(first)
