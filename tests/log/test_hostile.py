"""Values and calls that want to hurt the application."""

import pytest

import treering

log = treering.get_logger("hostile")


class Raises:
    def __str__(self):
        raise RuntimeError("no")


class Exits:
    def __str__(self):
        raise SystemExit(3)


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


def test_a_value_that_logs_itself_comes_to_an_end(logs):
    log.info("outer", value=LogsItself())

    assert "outer" in messages(logs)


@pytest.mark.parametrize(
    "call",
    [
        pytest.param(lambda: log.info(), id="no message"),
        pytest.param(lambda: log.log(), id="no level"),
        pytest.param(lambda: log.log("LOUD", "m"), id="no such level"),
        pytest.param(lambda: log.info("m", extra=7), id="extra is no mapping"),
        pytest.param(lambda: log.info("m", extra={1: 2}), id="keys are no text"),
        pytest.param(lambda: log.info("m", extra={"context": 7}), id="context is no mapping"),
        pytest.param(lambda: log.info("m", stacklevel="x"), id="stacklevel is text"),
        pytest.param(lambda: log.info("m", exc_info=object()), id="exc_info is anything"),
        pytest.param(lambda: log.info("%d %d", 1), id="too few arguments"),  # noqa: PLE1206
        pytest.param(lambda: log.info("%q", 1), id="no such directive"),
        pytest.param(lambda: log.info(None), id="message is None"),
        pytest.param(lambda: log.audit(), id="audit without a message"),
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


def test_a_failed_call_that_left_a_record_is_not_reported_as_dropped(logs):
    log.info("%d items", "three")
    log.info()
    log.log("LOUD", "lost")

    notices = [r for r in logs(of_journal=True) if "dropped" in r.get("message", "")]
    assert sum(r["metadata"]["dropped"] for r in notices) == 1
    assert treering.statistics()["failed"] == 3


def test_the_same_name_is_the_same_logger():
    assert treering.get_logger("same") is treering.get_logger("same")
    assert treering.get_logger("same", category="api") is not treering.get_logger("same")
