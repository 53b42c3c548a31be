"""Journals of several segments, and their rules, for the tests of retention."""

import treering

SETTINGS = {"console": False, "segment_max_bytes": 4096, "archive": False}


def fill(directory, count=200, every_error=50, **settings):
    """A journal of several segments, its last one open; every so many records are errors."""
    treering.configure(directory=directory, **{**SETTINGS, **settings})
    log = treering.get_logger("app")
    for number in range(count):
        level = log.error if number % every_error == 0 else log.info
        level("done", number=number, text="x" * 80)
        if number % 25 == 24:
            assert treering.flush(10)
    assert treering.flush(10)
    treering.shutdown()


def set_rules(directory, **settings):
    """Changes the rules of a journal that nobody logs to."""
    treering.configure(directory=directory, **{**SETTINGS, **settings})
    treering.shutdown()
