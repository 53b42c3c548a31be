"""loguru with rotation and retention, the same format, fields behind the message."""

from loguru import logger

_FORMAT = "[{time}] [{level}] [{name}] [{file}:{line}] [{thread.id}] {message} {extra}"


def open_log(path, max_bytes, backups):
    logger.remove()
    logger.add(path, format=_FORMAT, rotation=max_bytes, retention=backups)

    def info(message, **fields):
        logger.bind(**fields).info(message)

    return info


def close():
    logger.complete()
    logger.remove()
