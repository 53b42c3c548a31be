"""How a syslog message that is too long is cut."""

from __future__ import annotations

import re

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
        return _shorten(message, most)
    header, data, space = parts.groups()
    text = message[parts.end() :]
    room = most - len(header) - len(space) - min(len(text), most // 4)
    if len(data) > room:
        data = _fewer_parameters(data, room)
    begin = header + data + space
    missing = len(message) - len(begin) - len(text)
    return begin + _shorten(text, most - len(begin), missing)


def _fewer_parameters(data: bytes, room: int) -> bytes:
    ends = [found.end() for found in _PARAMETER.finditer(data) if found.end() < room]
    return data[: ends[-1]] + b"]" if ends else b"-"


def _shorten(text: bytes, room: int, missing: int = 0) -> bytes:
    """`text` in `room` bytes, with a note of what is missing there and before it."""
    if len(text) <= room and not missing:
        return text
    note = "…<%d more bytes>".encode()
    end = min(len(text), max(0, room - len(note % (len(text) + missing))))
    # Not inside a character: its later bytes are 0b10xxxxxx.
    while end and end < len(text) and text[end] & 0xC0 == 0x80:  # noqa: PLR2004
        end -= 1
    return text[:end] + note % (len(text) - end + missing)
