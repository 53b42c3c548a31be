"""Texts that are too long, cut where everybody can see it."""

from __future__ import annotations


def cut(text: bytes, most: int, missing: int = 0) -> bytes:
    """`text`, UTF-8, in `most` bytes; the last of them say how many are missing, there and elsewhere.

    Args:
        text: Cut at the end of a character.
        most: 32 or more.
        missing: Bytes that are missing before it already.
    """
    if len(text) <= most and not missing:
        return text
    note = "…<%d more bytes>".encode()
    end = min(len(text), max(0, most - len(note % (len(text) + missing))))
    # Not inside a character: its later bytes are 0b10xxxxxx.
    while end and end < len(text) and text[end] & 0xC0 == 0x80:  # noqa: PLR2004
        end -= 1
    return text[:end] + note % (len(text) - end + missing)


__all__ = ["cut"]
