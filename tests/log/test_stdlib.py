"""The standard library's logging, both ways."""

import logging
import sys

import pytest
from programs import run

import treering


@pytest.fixture
def captured(logs):
    with treering.capture_stdlib(silence={"noisy": "ERROR"}) as bridge:
        yield logs
    assert bridge.handler not in logging.getLogger().handlers


def test_records_of_the_standard_library_arrive_whole(captured):
    log = logging.getLogger("shop.cart")
    try:
        raise ValueError("no")
    except ValueError:
        log.exception("failed %s of %d", "one", 2, extra={"order": 42, "category": "api"})
    line = sys._getframe().f_lineno - 1
    log.info("plain")
    log.log(27, "between")
    log.info("with stack", stack_info=True)
    logging.getLogger("noisy").warning("silenced")
    logging.getLogger("noisy").error("loud")

    failed, plain, between, stack, loud = captured()

    assert failed["component"] == "shop.cart" and failed["category"] == "api"
    assert failed["message"] == "failed one of 2"
    assert failed["metadata"] == {"order": 42}
    assert failed["exception"]["type"] == "ValueError"
    assert (failed["file"], failed["line"]) == (__file__, line)
    assert failed["function"] == "test_records_of_the_standard_library_arrive_whole"
    assert plain["level"] == "INFO" and "metadata" not in plain
    assert between["level"] == "Level 27"
    assert "File" in stack["metadata"]["stack_info"]
    assert loud["message"] == "loud"


def test_treerings_levels_count_for_captured_loggers(captured):
    treering.set_level("quiet", "ERROR")
    logging.getLogger("quiet.one").warning("no")
    logging.getLogger("quiet.one").error("yes")
    treering.set_level("quiet", None)
    assert [r["message"] for r in captured()] == ["yes"]


def test_release_puts_everything_back(logs):
    root = logging.getLogger()
    before = (root.handlers[:], root.level, logging.getLogger("lib").level)
    bridge = treering.capture_stdlib(silence=["lib"])
    assert logging.getLogger("lib").level == logging.WARNING
    bridge.release()
    assert (root.handlers[:], root.level, logging.getLogger("lib").level) == before


def test_the_handler_works_by_itself_and_through_dict_config(logs):
    import logging.config

    logging.config.dictConfig(
        {
            "version": 1,
            "disable_existing_loggers": False,
            "handlers": {"treering": {"class": "treering.StdlibHandler", "level": "WARNING"}},
            "loggers": {"configured": {"handlers": ["treering"], "propagate": False}},
        }
    )
    logging.getLogger("configured").warning("here")
    logging.getLogger("configured").info("not here")
    logging.getLogger("configured").error("bad %d", "format")
    logging.getLogger("configured").handlers.clear()
    assert [r["message"] for r in logs()] == [
        "here",
        "bad %d <could not be formatted with: ('format',)>",
    ]


def test_importing_treering_does_not_import_logging_or_anything_third_party():
    _, out, _ = run(
        """
        import sys
        before = set(sys.modules)
        import treering
        new = {name.partition(".")[0] for name in set(sys.modules) - before}
        print("logging" in sys.modules, "typing" in new, "dataclasses" in new, new - set(sys.stdlib_module_names))
        """
    )
    assert out == "False False False {'treering'}\n"
