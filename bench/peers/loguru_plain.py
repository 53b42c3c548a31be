"""loguru, serialised to a file."""

from loguru import logger

DURABILITY = "page cache (write per record)"


def open_log(path):
    logger.remove()
    logger.add(path, serialize=True)
    return logger.info


def close():
    logger.complete()
    logger.remove()
