"""The standard library's QueueHandler, JSON written by its listener's thread."""

import logging
import logging.handlers
import queue

from bench.peers.stdlib_json import JsonFormatter

DURABILITY = "process memory (queue)"
_listener = None


def open_log(path):
    global _listener
    handler = logging.FileHandler(path)
    handler.setFormatter(JsonFormatter())
    records = queue.SimpleQueue()
    _listener = logging.handlers.QueueListener(records, handler)
    _listener.start()
    log = logging.getLogger("bench")
    log.setLevel(logging.INFO)
    log.addHandler(logging.handlers.QueueHandler(records))

    def info(message, **fields):
        log.info(message, extra={"fields": fields})

    return info


def close():
    _listener.stop()
    logging.shutdown()
