"""Values and calls that want to hurt the application."""

import threading

import pytest

import treering

log = treering.get_logger("hostile")


class Raises:
    def __str__(self):
        raise RuntimeError("no")


class Exits:
    def __str__(self):
        raise SystemExit(3)


class Logs:
    def __str__(self):
        log.info("inner", deeper=1)
        return "logged"


class Recurses:
    def __str__(self):
        return str(self)


class LogsItself:
    def __str__(self):
        log.info("again", value=self)
        return "end"


def messages(logs):
    return [record.get("message") for record in logs()]


@pytest.mark.parametrize("kind", [Raises, Exits, Recurses])
def test_a_value_that_cannot_be_rendered_is_marked(logs, kind):
    log.info("m", value=kind())

    assert logs()[-1]["metadata"]["value"] == f"<unprintable {kind.__name__}>"


def test_a_value_that_logs_gives_both_records(logs):
    log.info("outer", value=Logs())

    inner, outer = logs()
    assert (inner["message"], inner["metadata"]) == ("inner", {"deeper": 1})
    assert outer["metadata"] == {"value": "logged"}


def test_a_value_that_logs_itself_comes_to_an_end(logs):
    log.info("outer", value=LogsItself())

    assert "outer" in messages(logs)


def test_a_value_that_takes_a_lock_held_elsewhere_holds_up_only_its_caller(logs):
    lock, logged = threading.Lock(), threading.Event()

    class Locks:
        def __str__(self):
            with lock:
                return "locked"

    def call():
        log.info("locked", value=Locks())
        logged.set()

    with lock:
        thread = threading.Thread(target=call)
        thread.start()
        for _ in range(100):
            log.info("free")
        assert not logged.is_set()
    thread.join(10)

    assert messages(logs) == ["free"] * 100 + ["locked"]


@pytest.mark.parametrize(
    "call",
    [
        lambda: log.info(),
        lambda: log.log(),
        lambda: log.log("LOUD", "m"),
        lambda: log.info("m", extra=7),
        lambda: log.info("m", stacklevel="x"),
        lambda: log.info("m", exc_info=object()),
        lambda: log.info("%d %d", 1),
        lambda: log.info("%q", 1),
        lambda: log.info(None),
        lambda: log.info("m", extra={1: 2}),
        lambda: log.info("m", extra={"context": 7, "metadata": [1]}),
        lambda: log.audit(),
    ],
    ids=[
        "no message",
        "no level",
        "no such level",
        "extra is no mapping",
        "stacklevel is text",
        "exc_info is anything",
        "too few arguments",
        "bad directive",
        "message is None",
        "keys are no text",
        "parts are no mappings",
        "audit without a message",
    ],
)
def test_a_wrong_call_never_raises(logs, call):
    call()

    log.info("after")
    assert messages(logs)[-1] == "after"


def test_a_format_that_fails_shows_the_message_and_a_marker(logs):
    log.info("%d items", "three")

    (message,) = messages(logs)
    assert message.startswith("%d items")
    assert len(message) > len("%d items")


def test_a_message_longer_than_its_limit_says_how_much_is_missing(logs):
    log.info("x" * 100_000)

    (message,) = messages(logs)
    assert message.startswith("xxxx")
    assert "more bytes" in message
    assert len(message) < 100_000
    assert treering.statistics()["truncated"] >= 1


def test_a_record_longer_than_the_ring_takes_stays_valid(logs):
    log.info("m", value="y" * 3_000_000)
    log.info("after")

    big, after = logs()
    assert (big["message"], after["message"]) == ("m", "after")
