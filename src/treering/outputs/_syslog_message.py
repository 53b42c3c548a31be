"""How a syslog message that is too long is cut."""

from __future__ import annotations

import re

from treering.outputs._cut import cut as shorten

_PARTS = re.compile(
    rb"(<\d{1,3}>1 (?:\S+ ){5})"  # header
    rb'(-|(?:\[(?:[^\]"]|"(?:[^"\\]|\\.)*")*\])+)'  # structured data
    rb"( ?)"
)
_PARAMETER = re.compile(rb' [^ =\]"]+="(?:[^"\\]|\\.)*"')


def cut(message: bytes, most: int) -> bytes:
    """The message in at most `most` bytes (480 or more), saying how many are missing.

    The text is cut first, at the end of a character. Structured data that does not fit loses its last
    parameters and stays well-formed (RFC 5424, 6.3); a quarter of the room is the text's.
    """
    parts = _PARTS.match(message)
    if parts is None:
        return shorten(message, most)
    header, data, space = parts.groups()
    text = message[parts.end() :]
    room = most - len(header) - len(space) - min(len(text), most // 4)
    if len(data) > room:
        data = _fewer_parameters(data, room)
    begin = header + data + space
    missing = len(message) - len(begin) - len(text)
    return begin + shorten(text, most - len(begin), missing)


def _fewer_parameters(data: bytes, room: int) -> bytes:
    ends = [found.end() for found in _PARAMETER.finditer(data) if found.end() < room]
    return data[: ends[-1]] + b"]" if ends else b"-"
