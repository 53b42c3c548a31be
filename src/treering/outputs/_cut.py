"""Texts that are too long, cut where everybody can see it."""

from __future__ import annotations

_CONTINUES = 0x80
_KIND = 0xC0
"""The later bytes of a character are `0b10xxxxxx` (RFC 3629, section 3)."""


def cut(text: bytes, most: int) -> bytes:
    """At most `most` bytes (32 or more) of UTF-8, the last of which say how many are missing.

    It ends at the end of a character.
    """
    if len(text) <= most:
        return text
    end = most - len(_note(len(text)))
    while end and text[end] & _KIND == _CONTINUES:
        end -= 1
    return text[:end] + _note(len(text) - end)


def _note(missing: int) -> bytes:
    return f"…<{missing} more bytes>".encode()


__all__ = ["cut"]
