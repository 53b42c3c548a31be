"""Logging catalogued events."""

import inspect
import json

import pytest

import treering
from treering.catalog import Catalog, Event, Variable, declare
from treering.journal import Journal

FAILED = Event(
    "013000001",
    "ARRAY_CREATE_FAILED",
    40,
    "The array {array_name} could not be created in {pool}.",
    "The name {array_name} contains a special character.",
    "Choose another name.",
    "Array Builder",
    (Variable("array_name", "str"), Variable("size", "int | None")),
)


def test_a_record_has_the_events_keys_in_canonical_order(logs, journal):
    line = inspect.currentframe().f_lineno + 1
    treering.event(FAILED, array_name="arr@y1", size=3)

    (record,) = logs()
    assert list(record) == [
        "timestamp", "level", "category", "component", "message", "event_id", "event_name", "cause",
        "module", "function", "file", "line", "process", "thread", "metadata",
    ]  # fmt: skip
    assert record["event_id"] == "013000001"
    assert record["event_name"] == "ARRAY_CREATE_FAILED"
    assert record["level"] == "ERROR"
    assert record["category"] == record["component"] == "array_builder"
    assert record["metadata"] == {"array_name": "arr@y1", "size": 3}
    assert (record["file"], record["line"]) == (__file__, line)
    assert record["function"] == "test_a_record_has_the_events_keys_in_canonical_order"


def test_declared_variables_stand_in_message_and_cause_and_nothing_else_does(logs):
    treering.event(FAILED, array_name="{pool}", pool="p")

    (record,) = logs()
    assert record["message"] == "The array {pool} could not be created in {pool}."
    assert record["cause"] == "The name {pool} contains a special character."


def test_calling_an_event_is_logging_it(logs):
    line = inspect.currentframe().f_lineno + 1
    FAILED(array_name="x")

    (record,) = logs()
    assert (record["line"], record["event_id"]) == (line, "013000001")


def test_options_are_no_variables(logs):
    log = treering.get_logger("mine", category="api").bind(tenant="acme")
    with treering.context(request="r1"):
        treering.event(FAILED, array_name="x", logger=log, level="CRITICAL")

    (record,) = logs()
    assert (record["level"], record["component"], record["category"]) == ("CRITICAL", "mine", "api")
    assert record["context"] == {"request": "r1", "tenant": "acme"}
    assert record["metadata"] == {"array_name": "x"}


def test_an_exception_goes_with_the_event(logs):
    try:
        raise OSError("gone")
    except OSError:
        treering.event(FAILED, array_name="x", exc_info=True)

    assert logs()[0]["exception"]["type"] == "OSError"


def test_a_wrapper_can_name_its_caller(logs):
    def wrapper():
        treering.event(FAILED, array_name="x", stacklevel=2)

    line = inspect.currentframe().f_lineno + 1
    wrapper()

    assert logs()[0]["line"] == line


class Evil:
    def __str__(self):
        raise RuntimeError


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: treering.event(FAILED), "The array <missing array_name> could not"),
        (
            lambda: treering.event(FAILED, array_name=Evil()),
            "The array <unprintable Evil> could not",
        ),
        (lambda: treering.event("NO_SUCH_EVENT", a=1), "NO_SUCH_EVENT"),
        (lambda: treering.event(None), "None"),
        (lambda: treering.event(Evil()), "<unprintable Evil>"),
        (lambda: treering.event(FAILED, "positional", array_name="x"), "The array x could not"),
        (lambda: treering.event(FAILED, array_name="x", level="LOUD"), "The array x could not"),
        (lambda: treering.event(FAILED, array_name="x", level="OFF"), "The array x could not"),
        (lambda: treering.event(FAILED, array_name="x", logger="mine"), "The array x could not"),
        (lambda: treering.event(FAILED, array_name="x", stacklevel="2"), "The array x could not"),
        (
            lambda: treering.event(FAILED, array_name="\ud800\n\x1b"),
            "The array \\ud800\n\x1b could",
        ),
    ],
    ids=range(11),
)
def test_nothing_that_is_given_raises(logs, call, message):
    call()

    (record,) = logs()
    assert record["message"].startswith(message)


def test_the_component_s_level_decides(logs):
    treering.set_level("array_builder", "CRITICAL")
    treering.event(FAILED, array_name="quiet")
    treering.set_level("array_builder", None)
    treering.event(FAILED, array_name="loud")

    assert [record["metadata"]["array_name"] for record in logs()] == ["loud"]


def test_an_event_without_a_level_is_information_and_without_a_message_its_name(logs):
    treering.event(Event("3034", "JOURNAL_CHECKPOINT_COMPLETED"))

    (record,) = logs()
    assert (record["level"], record["message"]) == ("INFO", "JOURNAL_CHECKPOINT_COMPLETED")
    assert record["component"] == "event" and "category" not in record


def test_a_function_s_signature_declares_variables(logs):
    @declare(id="036000002", level=20, message="Volume {name} has been created.")
    def VOLUME_CREATED(*, name: str, size: int | None = None) -> None:
        raise AssertionError("never called")

    VOLUME_CREATED(name="v")

    assert VOLUME_CREATED.variables == (Variable("name", "str"), Variable("size", "int | None"))
    assert logs()[0]["message"] == "Volume v has been created."


def test_events_of_a_loaded_catalog_are_logged_as_they_are(logs):
    catalog = Catalog.parse(
        "events: [{id: 012000007, name: ARRAY_LOST_ALL, message: 'The array {name} is lost.',"
        " variables: {name: str}}]"
    )

    treering.event(catalog.by_id["012000007"], name="a")

    (record,) = logs()
    assert (record["event_id"], record["level"]) == ("012000007", "CRITICAL")
    assert record["message"] == "The array a is lost."


def test_the_console_shows_the_event(journal):
    treering.configure(directory=journal, console=False)
    treering.event(FAILED, array_name="x")
    treering.shutdown()

    from treering import _core

    lines = [line for _, line in Journal(journal).records() if b"event_id" in line]
    assert b"event_id=013000001 event_name=ARRAY_CREATE_FAILED cause=" in _core.render(lines[0])
    assert json.loads(lines[0])["event_id"] == "013000001"
