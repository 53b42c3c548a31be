"""Loguru and structlog: one line, and their records are Treering's."""

import sys

import pytest
import structlog
from loguru import logger

import treering
from treering.integrations.loguru import intercept
from treering.integrations.structlog import to_treering


@pytest.fixture
def loguru(logs):
    sink = intercept()
    yield logs
    logger.remove(sink)


@pytest.fixture
def structlogged(logs):
    processors = [structlog.contextvars.merge_contextvars, to_treering]
    structlog.configure(processors=processors)
    yield logs
    structlog.reset_defaults()


def test_loguru_records_arrive_whole(loguru):
    logger.bind(order=7).warning("late by {} days", 3)
    line = sys._getframe().f_lineno - 1

    (record,) = loguru()
    assert record["message"] == "late by 3 days" and record["level"] == "WARNING"
    assert record["component"] == __name__
    assert (record["file"], record["line"]) == (__file__, line)
    assert record["function"] == "test_loguru_records_arrive_whole"
    assert record["metadata"] == {"order": 7}


def test_loguru_exceptions_and_levels_arrive(loguru):
    try:
        raise ValueError("no")
    except ValueError:
        logger.exception("failed")
    logger.success("done")
    logger.opt(exception=False).trace("detail {}", "\ud800")

    failed, done, detail = loguru()
    assert failed["exception"]["type"] == "ValueError" and failed["level"] == "ERROR"
    assert done["level"] == "NOTICE" or done["level"] == "Level 25"
    assert detail["level"] == "TRACE" and "\\ud800" in detail["message"]


def test_treerings_levels_count_for_loguru(loguru):
    treering.set_level(__name__, "ERROR")
    logger.warning("no")
    logger.error("yes")
    treering.set_level(__name__, None)
    assert [r["message"] for r in loguru()] == ["yes"]


def test_structlog_events_arrive_whole(structlogged):
    log = structlog.get_logger().bind(logger="shop.cart", order=7)
    with structlog.contextvars.bound_contextvars(request_id="r"):
        log.warning("late", days=3)
    line = sys._getframe().f_lineno - 1

    (record,) = structlogged()
    assert (record["component"], record["level"]) == ("shop.cart", "WARNING")
    assert record["message"] == "late"
    assert record["metadata"] == {"order": 7, "request_id": "r", "days": 3}
    assert (record["file"], record["line"]) == (__file__, line)


def test_structlog_exceptions_arrive(structlogged):
    log = structlog.get_logger()
    error = KeyError("k")
    try:
        raise ValueError("no")
    except ValueError:
        log.exception("first")
        log.error("second", exc_info=True)
    log.error("third", exc_info=error)
    log.info("fourth", exc_info=None)

    types = [r.get("exception", {}).get("type") for r in structlogged()]
    assert types == ["ValueError", "ValueError", "KeyError", None]
    assert {r["component"] for r in structlogged()} == {__name__}


def test_structlog_works_behind_the_standard_librarys_processors(logs):
    structlog.configure(
        processors=[structlog.stdlib.add_logger_name, structlog.stdlib.add_log_level, to_treering],
        wrapper_class=structlog.stdlib.BoundLogger,
        logger_factory=structlog.stdlib.LoggerFactory(),
    )
    structlog.get_logger("named").critical("here")
    structlog.reset_defaults()

    (record,) = logs()
    assert (record["component"], record["level"]) == ("named", "CRITICAL")
    assert "metadata" not in record
