"""logxide: a native logger with the standard library's interface; text, fields in the message."""

import logxide
from logxide import logging

DURABILITY = "thread of its own"


def open_log(path):
    handler = logging.FileHandler(path)
    log = logging.getLogger("bench")
    log.setLevel(logging.INFO)
    log.addHandler(handler)

    def info(message, **fields):
        log.info("%s %s", message, fields)

    return info


def close():
    logxide.flush()
