"""The loggers people use now, each made to do the same work: JSON lines with fields, time and place.

Every module has `open_log(path)`, which returns `info(message, **fields)` as its users would call it,
`close()`, and `DURABILITY`: what has happened to a record when the call returns.
"""

NAMES = (
    "treering",
    "stdlib_text",
    "stdlib_json",
    "stdlib_queue",
    "picologging_json",
    "loguru_plain",
    "loguru_enqueue",
    "structlog_orjson",
    "logxide_text",
)
