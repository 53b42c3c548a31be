"""The standard library's RotatingFileHandler with a usual format, fields in the message."""

import logging
import logging.handlers

_FORMAT = (
    "[%(asctime)s] [%(levelname)s] [%(name)s] [%(filename)s:%(lineno)d] [%(thread)d] %(message)s"
)


def open_log(path, max_bytes, backups):
    handler = logging.handlers.RotatingFileHandler(path, maxBytes=max_bytes, backupCount=backups)
    handler.setFormatter(logging.Formatter(_FORMAT))
    log = logging.getLogger("bench")
    log.setLevel(logging.INFO)
    log.addHandler(handler)

    def info(message, **fields):
        log.info("%s %s", message, fields)

    return info


def close():
    logging.shutdown()
