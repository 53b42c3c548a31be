"""The standard library as most people have it: text, fields in the message."""

import logging

DURABILITY = "page cache (write per record)"


def open_log(path):
    handler = logging.FileHandler(path)
    handler.setFormatter(
        logging.Formatter("%(asctime)s %(levelname)s %(name)s %(pathname)s:%(lineno)d %(message)s")
    )
    log = logging.getLogger("bench")
    log.setLevel(logging.INFO)
    log.addHandler(handler)

    def info(message, **fields):
        log.info("%s %s", message, fields)

    return info


def close():
    logging.shutdown()
