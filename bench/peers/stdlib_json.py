"""The standard library with a JSON formatter of ten lines."""

import json
import logging

DURABILITY = "page cache (write per record)"


class JsonFormatter(logging.Formatter):
    def format(self, record):
        return json.dumps(
            {
                "timestamp": self.formatTime(record),
                "level": record.levelname,
                "component": record.name,
                "message": record.getMessage(),
                "module": record.module,
                "function": record.funcName,
                "file": record.pathname,
                "line": record.lineno,
                "metadata": record.fields,
            }
        )


def open_log(path):
    handler = logging.FileHandler(path)
    handler.setFormatter(JsonFormatter())
    log = logging.getLogger("bench")
    log.setLevel(logging.INFO)
    log.addHandler(handler)

    def info(message, **fields):
        log.info(message, extra={"fields": fields})

    return info


def close():
    logging.shutdown()
