"""loguru, serialised and enqueued."""

from loguru import logger

DURABILITY = "pipe to a thread"


def open_log(path):
    logger.remove()
    logger.add(path, serialize=True, enqueue=True)
    return logger.info


def close():
    logger.complete()
    logger.remove()
