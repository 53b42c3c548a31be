"""Frames over TCP or TLS connections, sent again when a connection broke that may have held them.

An acknowledgement of TCP says that the other host has the bytes, not that its program has read them.
So what may still lie there unread is kept, and sent again when the connection breaks. Whoever gets
it a second time is also asked to end the connection in order, which proves that it was read: a
destination that takes connections and breaks them makes no progress instead of losing records.
"""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING

from treering.errors import NetworkFailed

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from treering.outputs._connection import Connection

_CHUNK_BYTES = 128 << 10
"""What is sent before its acknowledgement is waited for."""

_PROGRAM_BYTES = 256 << 10
"""What a program may have read from its TCP stack and not yet looked at."""

_FAREWELL_S = 2.0
"""How long an end in order may take when nothing depends on it."""


class Stream:
    """One connection after another to the same destination.

    Args:
        connect: Makes a connection, or raises `NetworkFailed`.
        resend_bytes: No more than that is kept to be sent again.
        timeout_s: How long the destination may take to confirm what was sent again.

    Attributes:
        connections: How many were made.
        resent: Records sent again because a connection broke.
    """

    def __init__(
        self, connect: Callable[[], Connection], *, resend_bytes: int, timeout_s: float
    ) -> None:
        self.connections = 0
        self.resent = 0
        self._connect = connect
        self._resend_bytes = resend_bytes
        self._timeout_s = timeout_s
        self._connection: Connection | None = None
        self._kept: deque[tuple[bytes, int]] = deque()
        self._kept_bytes = 0

    @property
    def unconfirmed(self) -> int:
        """Records that the destination's host has and its program may not have read."""
        return sum(count for _, count in self._kept)

    def open(self) -> None:
        """Connects, after what has to be sent again was.

        Raises:
            NetworkFailed: The destination cannot be reached, or did not take it.
        """
        self._reopen()

    def send(self, frames: Sequence[bytes]) -> int:
        """Returns when the destination's host has all frames.

        Raises:
            NetworkFailed: It does not; `accepted` says how many it has.
        """
        connection = self._live()
        sent = 0
        for count, chunk in _chunks(frames):
            try:
                connection.send(chunk)
            except NetworkFailed as error:
                self._connection = None
                connection.drop()
                error.accepted = sent
                raise
            sent += count
            self._keep(chunk, count, connection.most_unread_bytes)
        return 0

    def flush(self) -> None:
        """Notices a connection that broke since the last record, and sends again what it may have held.

        Raises:
            NetworkFailed: It broke, and there is no other.
        """
        if self._kept:
            self._live()

    def close(self) -> None:
        """Ends the connection in order; if it turns out broken, tries one other to send again."""
        had_one = self._connection is not None
        self._settle()
        if had_one and self._kept:
            try:
                self._resend()
            except NetworkFailed:
                return  # they stay unconfirmed, and `unconfirmed` says so

    def _live(self) -> Connection:
        if self._connection is not None and self._connection.is_open():
            return self._connection
        return self._reopen()

    def _reopen(self) -> Connection:
        self._settle()
        if self._kept:
            self._resend()
        self._connection = self._new()
        return self._connection

    def _new(self) -> Connection:
        made = self._connect()
        self.connections += 1
        return made

    def _settle(self) -> None:
        """Ends the connection, and forgets what it carried if that has been read for sure."""
        ended, self._connection = self._connection, None
        if ended is None:
            return
        try:
            has_read = ended.finish(_FAREWELL_S)
        except NetworkFailed:
            return
        if has_read:
            self._forget()

    def _resend(self) -> None:
        connection = self._new()
        try:
            for chunk, count in self._kept:
                connection.send(chunk)
                self.resent += count
            # Who neither ends the connection nor breaks it for so long has taken it, too.
            connection.finish(self._timeout_s)
        finally:
            connection.drop()
        self._forget()

    def _keep(self, chunk: bytes, count: int, most_unread_bytes: int) -> None:
        most = self._resend_bytes
        if most_unread_bytes:
            most = min(most, most_unread_bytes + _PROGRAM_BYTES)
        self._kept.append((chunk, count))
        self._kept_bytes += len(chunk)
        while self._kept and self._kept_bytes - len(self._kept[0][0]) >= most:
            self._kept_bytes -= len(self._kept.popleft()[0])

    def _forget(self) -> None:
        self._kept.clear()
        self._kept_bytes = 0


def _chunks(frames: Sequence[bytes]) -> Iterator[tuple[int, bytes]]:
    """Frames joined to chunks of about `_CHUNK_BYTES`, with their number."""
    begin = size = 0
    for at, frame in enumerate(frames, 1):
        size += len(frame)
        if size >= _CHUNK_BYTES or at == len(frames):
            yield at - begin, b"".join(frames[begin:at])
            begin, size = at, 0
