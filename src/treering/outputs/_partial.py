"""What a destination says in an `ExportLogsServiceResponse`.

Source: `opentelemetry/proto/collector/logs/v1/logs_service.proto`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

_PARTIAL_SUCCESS = 1
_REJECTED_LOG_RECORDS = 1
_ERROR_MESSAGE = 2

_VARINT, _FIXED_64, _LENGTH, _FIXED_32 = 0, 1, 2, 5
_LONGEST_MESSAGE = 300


def partial_success(body: bytes) -> tuple[int, str] | None:
    """How many records were rejected, none for a mere warning, and why; `None` for all is well.

    A body that is no such message says nothing: the status did.
    """
    try:
        for field, value in _fields(body):
            if field == _PARTIAL_SUCCESS and isinstance(value, bytes):
                inside = dict(_fields(value))
                rejected, why = (
                    inside.get(_REJECTED_LOG_RECORDS, 0),
                    inside.get(_ERROR_MESSAGE, b""),
                )
                if isinstance(rejected, int) and isinstance(why, bytes) and (rejected or why):
                    return rejected, why.decode(errors="replace")[:_LONGEST_MESSAGE]
    except (IndexError, ValueError):
        return None
    return None


def _fields(message: bytes) -> Iterator[tuple[int, int | bytes]]:
    at = 0
    while at < len(message):
        tag, at = _varint(message, at)
        kind = tag & 7
        value: int | bytes
        if kind == _VARINT:
            value, at = _varint(message, at)
        else:
            size = {_FIXED_64: 8, _FIXED_32: 4}.get(kind)
            if kind == _LENGTH:
                size, at = _varint(message, at)
            if size is None or at + size > len(message):
                raise ValueError
            value, at = message[at : at + size], at + size
        yield tag >> 3, value


def _varint(message: bytes, at: int) -> tuple[int, int]:
    number = shift = 0
    while True:
        byte = message[at]
        at += 1
        number |= (byte & 0x7F) << shift
        shift += 7
        if byte < 0x80:  # noqa: PLR2004 - the bit that says whether more follows
            return number, at


__all__ = ["partial_success"]
