"""The W3C trace context of a record."""

import contextvars
import logging

import pytest

import treering
from treering import _core

TRACE, SPAN = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"


@pytest.fixture
def source():
    yield _core.set_trace_source
    _core.set_trace_source()


def test_ids_in_the_context_stand_at_the_top_of_the_record(logs):
    log = treering.get_logger("traced")
    for _ in range(3):
        with treering.context(request_id="r", trace_id=TRACE, span_id=SPAN):
            log.info("both roads", a=1)

    first, *others = [{k: v for k, v in r.items() if k != "timestamp"} for r in logs()]

    assert others == [first, first]
    assert list(first)[-5:] == ["thread", "trace_id", "span_id", "context", "metadata"]
    assert (first["trace_id"], first["span_id"]) == (TRACE, SPAN)
    assert first["context"] == {"request_id": "r"}


def test_bound_ids_and_those_of_captured_records_stand_there_too(logs):
    log = treering.get_logger("traced").bind(trace_id=TRACE, span_id=SPAN)
    with treering.capture_stdlib(), treering.context(trace_id=TRACE):
        for _ in range(2):
            log.info("bound")
        logging.getLogger("lib").warning("captured")

    assert [(r["trace_id"], r.get("span_id")) for r in logs()] == [
        (TRACE, SPAN),
        (TRACE, SPAN),
        (TRACE, None),
    ]
    assert all("context" not in r for r in logs())


@pytest.mark.parametrize("trace_id", ["abc", TRACE.upper(), "0" * 32, "g" * 32, 7, None])
def test_what_is_no_trace_id_stays_an_ordinary_field(logs, trace_id):
    with treering.context(trace_id=trace_id):
        treering.get_logger("traced").info("here")

    (record,) = logs()
    assert record["context"] == {"trace_id": trace_id}
    assert "trace_id" not in record


def test_a_tracing_library_is_asked_once_for_each_span(logs, source):
    current, asked = contextvars.ContextVar("current", default=None), []

    def read(span):
        asked.append(span)
        return span and (span, SPAN)

    source(read, current)
    log = treering.get_logger("traced")
    for span in ("a" * 32, None, "b" * 32):
        current.set(span)
        for _ in range(3):
            with treering.context(trace_id=TRACE):
                log.info("inside")

    assert [r["trace_id"] for r in logs()] == ["a" * 32] * 3 + [TRACE] * 3 + ["b" * 32] * 3
    assert asked == ["a" * 32, None, "b" * 32]


def test_a_tracing_library_that_fails_or_logs_harms_nothing(logs, source):
    log = treering.get_logger("traced")

    def read(_):
        log.info("while being asked")
        raise RuntimeError

    source(read)
    failed = treering.statistics()["failed"]
    log.info("first")
    log.info("second")

    own = [r for r in logs() if r["message"] != "while being asked"]
    assert [r["message"] for r in own] == ["first", "second"]
    assert all("trace_id" not in r for r in own)
    assert treering.statistics()["failed"] > failed
