"""A record, and how it looks in a format."""

import json
import re

from treering.outputs import formatter

RECORD = {
    "timestamp": "2026-11-21T10:30:45.123456789Z",
    "level": "WARNING",
    "category": "api",
    "component": "auth",
    "message": 'Token "x" refused',
    "module": "auth",
    "function": "check",
    "file": "/srv/app/auth.py",
    "line": 42,
    "process": 4711,
    "thread": 4712,
    "context": {"request_id": "r 1"},
    "metadata": {"user_id": 7},
}
FAILED = {
    **RECORD,
    "level": "ERROR",
    "exception": {
        "type": "ValueError",
        "message": "no\nway",
        "stack": [{"file": "a.py", "line": 3, "function": "f"}],
    },
}
TRACEBACK = 'Traceback (most recent call last):\n  File "a.py", line 3, in f\nValueError: no\nway'
OBEYED = re.compile("[\x00-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069]")


def line_of(record):
    return json.dumps(record, ensure_ascii=False, separators=(",", ":")).encode() + b"\n"


def made(spec, record=RECORD, index=7, **options):
    (text,) = formatter(spec, utc=True, options=options or None).lines(line_of(record), [index])
    return text.decode()


# Every attribute that a record can supply, in forms that people write.
STDLIB = [
    "%(asctime)s [%(levelname)-8s] %(name)s:%(lineno)d %(funcName)s() - %(message)s",
    "%(levelno)s|%(levelno)05d|%(lineno)+d|%(lineno)8d|%(lineno)-8d|%(process)d|%(thread)d",
    "%(pathname)s|%(filename).4s|%(module)10s|%(msecs)03d|%(created).3f|100%%",
]
