"""Batches of records as the runner hands them to an output."""

import json

from treering.outputs import Batch, Record


class Messages:
    """A formatter that shows a record's message and nothing else."""

    def lines(self, data, indexes):
        lines = data.splitlines()
        return [
            Record(index, line)["message"].encode()
            for index, line in zip(indexes, lines, strict=True)
        ]

    def text(self, data, indexes):
        return b"".join(line + b"\n" for line in self.lines(data, indexes))


def record(message, **keys):
    """A canonical line."""
    begin = {"timestamp": "2026-11-21T01:18:00.123456789Z", "level": keys.pop("level", "INFO")}
    place = {"component": keys.pop("component", "auth"), "message": message}
    return json.dumps(begin | place | keys, ensure_ascii=False, separators=(",", ":")).encode()


def batch(*records, first=0):
    """A batch of messages, or of canonical lines."""
    lines = [one if isinstance(one, bytes) else record(one) for one in records]
    data = b"".join(line + b"\n" for line in lines)
    return Batch(data, range(first, first + len(lines)), Messages())
