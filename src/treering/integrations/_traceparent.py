"""W3C Trace Context: the header `traceparent` (https://www.w3.org/TR/trace-context/, section 3.2)."""

from __future__ import annotations

import re
import secrets

_HEADER = re.compile(r"([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-[0-9a-f]{2}(-.*)?")
_NO_TRACE, _NO_SPAN = "0" * 32, "0" * 16
SPAN_BYTES = 8


def parse(header: str) -> tuple[str, str] | None:
    """Trace id and parent's span id, in hexadecimal; `None` when the header is to be ignored.

    Later versions than 00 may go on after a hyphen; version `ff` and ids of nothing but zeros are invalid.
    """
    match = _HEADER.fullmatch(header)
    if match is None:
        return None
    version, trace_id, span_id, rest = match.groups()
    if version == "ff" or (version == "00" and rest is not None):
        return None
    if trace_id == _NO_TRACE or span_id == _NO_SPAN:
        return None
    return trace_id, span_id


def new_span_id() -> str:
    """A random span id, 16 hexadecimal digits."""
    while (span_id := secrets.token_hex(SPAN_BYTES)) == _NO_SPAN:
        pass
    return span_id
