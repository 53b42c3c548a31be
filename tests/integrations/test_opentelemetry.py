"""OpenTelemetry, with its real SDK."""

import asyncio
import logging
import threading

import pytest
from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider

import treering
from treering.integrations import opentelemetry

log = treering.get_logger("traced")


@pytest.fixture
def tracer():
    opentelemetry.install()
    yield TracerProvider().get_tracer("tests")
    opentelemetry.uninstall()


def ids(span):
    context = span.get_span_context()
    return trace.format_trace_id(context.trace_id), trace.format_span_id(context.span_id)


def found(logs):
    return [(r.get("trace_id"), r.get("span_id")) for r in logs()]


def say(number=2):
    for _ in range(number):
        log.info("said", a=1)


def test_records_have_the_ids_of_the_span_they_are_logged_in(logs, tracer):
    say()
    with tracer.start_as_current_span("outer") as outer:
        say()
        with tracer.start_as_current_span("inner") as inner:
            say()
            log.warning("with fields %s", 1, extra={"category": "api"})
        say()
    say()

    none = (None, None)
    assert (
        found(logs)
        == [none] * 2 + [ids(outer)] * 2 + [ids(inner)] * 3 + [ids(outer)] * 2 + [none] * 2
    )


def test_records_of_the_standard_library_have_them_too(logs, tracer):
    with treering.capture_stdlib(), tracer.start_as_current_span("one") as span:
        logging.getLogger("lib").warning("captured")
    assert found(logs) == [ids(span)]


def test_tasks_and_threads_have_their_own(logs, tracer):
    expected = {}

    async def one(at):
        with tracer.start_as_current_span("task") as span:
            expected[at] = ids(span)
            for _ in range(5):
                log.info("in task", at=at)
                await asyncio.sleep(0)

    async def many():
        await asyncio.gather(*(one(at) for at in range(10)))

    def thread(at):
        with tracer.start_as_current_span("thread") as span:
            expected[at] = ids(span)
            for _ in range(50):
                log.info("in thread", at=at)

    threads = [threading.Thread(target=thread, args=(at,)) for at in range(10, 14)]
    for one_thread in threads:
        one_thread.start()
    asyncio.run(many())
    for one_thread in threads:
        one_thread.join()

    records = logs()
    assert len(records) == 10 * 5 + 4 * 50
    for record in records:
        assert (record["trace_id"], record["span_id"]) == expected[record["metadata"]["at"]]


def test_a_span_wins_over_the_context_and_the_context_counts_outside(logs, tracer):
    with treering.context(trace_id="a" * 32, span_id="b" * 16, request_id="r"):
        say()
        with tracer.start_as_current_span("one") as span:
            say()

    assert found(logs) == [("a" * 32, "b" * 16)] * 2 + [ids(span)] * 2
    assert all(r["context"] == {"request_id": "r"} for r in logs())


def test_after_uninstall_nothing_is_asked(logs, tracer):
    with tracer.start_as_current_span("one"):
        opentelemetry.uninstall()
        say()
    assert found(logs) == [(None, None)] * 2
