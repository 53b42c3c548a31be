"""The standard library's logging, in and out; and what importing costs."""

import logging

import pytest
from programs import run

import treering


@pytest.fixture
def captured(logs):
    with treering.capture_stdlib(silence={"noisy": "ERROR"}):
        yield logs


def test_records_keep_location_extra_and_exception(captured):
    try:
        raise ValueError("v")
    except ValueError:
        logging.getLogger("old.lib").warning("from %s", "stdlib", extra={"k": 1}, exc_info=True)

    (record,) = captured()
    assert (record["component"], record["level"], record["message"]) == (
        "old.lib",
        "WARNING",
        "from stdlib",
    )
    assert (record["file"], record["function"]) == (
        __file__,
        "test_records_keep_location_extra_and_exception",
    )
    assert record["metadata"] == {"k": 1}
    assert record["exception"]["type"] == "ValueError"


def test_noisy_loggers_are_silenced_by_name(captured):
    logging.getLogger("noisy").warning("no")
    logging.getLogger("noisy.child").warning("no")
    logging.getLogger("noisy").error("yes")

    assert [r["message"] for r in captured()] == ["yes"]


def test_a_bad_format_keeps_the_record(logs):
    old = logging.getLogger("old")
    old.propagate = False
    old.addHandler(treering.StdlibHandler())
    old.warning("%d", "x")

    assert logs()[-1]["message"].startswith("%d")


def test_release_puts_everything_back(logs):
    root = logging.getLogger()
    before = root.handlers[:], root.level

    treering.capture_stdlib().release()

    assert (root.handlers, root.level) == before


def test_importing_treering_imports_nothing_heavy():
    _, out, _ = run("""
        import sys
        import treering
        print(*sorted({"logging", "typing", "dataclasses", "inspect", "re", "json"} & set(sys.modules)))
    """)
    assert set(out.split()) <= {"re"}


def test_stripped_methods_do_nothing(journal):
    run(
        """
        import sys, treering
        treering.configure(directory=sys.argv[1], console=False, level="TRACE")
        log = treering.get_logger("s")
        log.debug("no"); log.info("yes")
        treering.strip("WARNING")
        log.info("no", k=1); log.warning("yes")
        """,
        journal,
        env={"TREERING_STRIP": "INFO"},
    )
    from programs import records

    assert [r["message"] for r in records(journal)] == ["yes", "yes"]
