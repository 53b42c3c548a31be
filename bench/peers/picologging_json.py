"""picologging with a formatter as much like the others' as it allows: JSON by a format string.

It has no `extra`, so the fields are part of the message; nothing is escaped.
"""

import picologging

DURABILITY = "page cache (write per record)"


def open_log(path):
    handler = picologging.FileHandler(path)
    handler.setFormatter(
        picologging.Formatter(
            '{"timestamp":"%(asctime)s","level":"%(levelname)s","component":"%(name)s",'
            '"file":"%(pathname)s","line":%(lineno)d,"message":"%(message)s"}'
        )
    )
    log = picologging.getLogger("bench")
    log.setLevel(picologging.INFO)
    log.addHandler(handler)

    def info(message, **fields):
        log.info("%s %s", message, fields)

    return info


def close():
    picologging.shutdown()
