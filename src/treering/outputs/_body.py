"""Bodies of requests: how many records, which, and how they are compressed."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

_LEVELS = {"gzip": 3, "zstd": 3}
"""Fast ones: a third more than the best in size, a fraction in time."""

_MAX_RANGES = 100
"""Of indexes in one request, so that its header stays far below the 8 KiB that servers take."""


class Encoding:
    """A content coding (RFC 9110, 8.4; RFC 8878 for zstd)."""

    def __init__(self, name: str) -> None:
        self._name = name
        self.headers = {} if name == "none" else {"Content-Encoding": name}

    def encode(self, text: bytes) -> bytes:
        """The body to send."""
        if self._name == "gzip":
            import gzip

            return gzip.compress(text, _LEVELS["gzip"], mtime=0)
        if self._name == "zstd":
            import zstandard

            return zstandard.ZstdCompressor(level=_LEVELS["zstd"]).compress(text)
        return text


def end_of_request(
    lines: Sequence[bytes], indexes: Sequence[int], begin: int, most_bytes: int
) -> int:
    """Where the request that begins at `begin` ends: one record at least, then while there is room."""
    size, gaps = len(lines[begin]) + 1, 0
    for at in range(begin + 1, len(lines)):
        size += len(lines[at]) + 1
        gaps += indexes[at] != indexes[at - 1] + 1
        if size > most_bytes or gaps >= _MAX_RANGES:
            return at
    return len(lines)


def ranges(indexes: Sequence[int]) -> str:
    """Rising indexes in short: `3-17,20,22-23`."""
    ends = [at for at, (a, b) in enumerate(pairwise(indexes), 1) if b != a + 1]
    found = []
    for begin, end in zip([0, *ends], [*ends, len(indexes)], strict=True):
        first, last = indexes[begin], indexes[end - 1]
        found.append(str(first) if first == last else f"{first}-{last}")
    return ",".join(found)
