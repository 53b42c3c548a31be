"""Batches of records for outputs, and a loop that delivers them as patiently as a program would."""

import json

from programs import wait_for

from treering.errors import OutputError
from treering.outputs import Batch, formatter


class Canonical:
    """A formatter that leaves lines as they are."""

    def lines(self, data, indexes):
        return data.splitlines()

    def text(self, data, indexes):
        return data


def line(number, **fields):
    """The canonical line of record `number`."""
    record = {
        "timestamp": "2026-11-21T01:18:00.123456789Z",
        "level": "INFO",
        "category": "system",
        "component": "auth.session",
        "message": fields.pop("message", f"number {number}"),
        "process": 4711,
        "metadata": {"n": number, **fields},
    }
    return json.dumps(record, separators=(",", ":"), ensure_ascii=False).encode()


def record(message, *, level="INFO", component="auth", **keys):
    """A canonical line with these keys."""
    begin = {"timestamp": "2026-11-21T01:18:00.123456789Z", "level": level, "component": component}
    fields = begin | {"message": message} | keys
    return json.dumps(fields, ensure_ascii=False, separators=(",", ":")).encode()


def messages(*records, shown="%m", first=0):
    """A batch of messages, or of canonical lines, as a format shows them."""
    lines = [one if isinstance(one, bytes) else record(one) for one in records]
    data = b"".join(one + b"\n" for one in lines)
    return Batch(data, range(first, first + len(lines)), formatter(shown))


def batch(begin, end, **fields):
    """Records from `begin` to before `end`."""
    return of([line(number, **fields) for number in range(begin, end)], range(begin, end))


def of(lines, indexes):
    return Batch(b"".join(one + b"\n" for one in lines), list(indexes), Canonical())


def deliver(output, end, *, begin=0, step=100, after_each=lambda at: None):
    """Hands records over, again and again what was not taken; closes the output."""
    state = {"at": begin, "is_open": False}

    def turn():
        at = state["at"]
        try:
            if not state["is_open"]:
                output.open()
            state["is_open"] = True
            output.write(batch(at, min(end, at + step)))
            state["at"] = min(end, at + step)
        except OutputError as error:
            state["at"] += error.accepted
            state["is_open"] = False
            output.close()
        after_each(state["at"])
        return state["at"] == end

    wait_for(turn, f"{output} to take {end} records", timeout=40)
    output.close()
