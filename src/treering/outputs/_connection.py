"""A TCP or TLS connection on which only we speak, and what its other side has taken.

A protocol without answers leaves what the two TCP stacks know of each other, and Linux shows it:
bytes that the other host has not acknowledged (`SIOCOUTQ`), and how a connection ended. A socket
that is closed with nothing unread says farewell (FIN), one that is closed with something unread
breaks the connection (RST, RFC 9293 3.10.4). So whoever saw an orderly end knows that all was read.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import socket
import struct
import termios
import time
from typing import TYPE_CHECKING

from treering.errors import NetworkFailed

if TYPE_CHECKING:
    import ssl

_ESTABLISHED, _CLOSE_WAIT = 1, 8
"""States of TCP as `tcp_info` has them (linux/tcp.h)."""

_SEND_WINDOW_AT = 228
"""Where `tcpi_snd_wnd` lies in `tcp_info`, since Linux 5.4."""

_KEEPALIVE_S = 60
"""A host that vanished is noticed after about two of these, though nothing is sent."""

_VERDICT_S = 0.1
"""With TLS 1.3 the handshake ends here before the other side has seen our certificate; it says what
it thinks of that within a round trip."""


class Connection:
    """One connection, from its handshake to its end.

    Args:
        address: Host and port.
        timeout_s: How long to wait for the other side to take anything at all.
        tls: Speaks TLS with it.
        server_name: The name in the other side's certificate; `address`'s host when left out.

    Attributes:
        most_unread_bytes: The largest window that the other side has offered: as much may lie in its
            TCP stack, acknowledged and not yet read. 0 where the kernel does not tell.

    Raises:
        NetworkFailed: Nobody answered, or not as they should.
    """

    def __init__(
        self,
        address: tuple[str, int],
        *,
        timeout_s: float,
        tls: ssl.SSLContext | None = None,
        server_name: str | None = None,
    ) -> None:
        self.most_unread_bytes = 0
        self._end: OSError | None = None
        self._nothing_new: tuple[type[OSError], ...] = (BlockingIOError,)
        self._name = "{}:{}".format(*address)
        self._timeout_s = timeout_s
        try:
            self._socket = socket.create_connection(address, timeout_s)
        except OSError as error:
            raise self._failed("could not be reached", error, "network_unreachable") from error
        try:
            self._tune()
            if tls is not None:
                self._shake_hands(tls, server_name or address[0])
        except OSError as error:
            self.drop()
            raise self._failed("TLS failed", error, "tls_failed") from error

    def _tune(self) -> None:
        options = (
            (socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1),
            (socket.IPPROTO_TCP, socket.TCP_KEEPIDLE, _KEEPALIVE_S),
            (socket.IPPROTO_TCP, socket.TCP_KEEPINTVL, _KEEPALIVE_S // 4),
            (socket.IPPROTO_TCP, socket.TCP_KEEPCNT, 4),
            # A batch is handed over whole, and its acknowledgement is waited for.
            (socket.IPPROTO_TCP, socket.TCP_NODELAY, 1),
        )
        for level, option, value in options:
            self._socket.setsockopt(level, option, value)

    def _shake_hands(self, tls: ssl.SSLContext, server_name: str) -> None:
        from ssl import SSLWantReadError

        self._nothing_new = (BlockingIOError, SSLWantReadError)
        begin = time.monotonic()
        secured = tls.wrap_socket(self._socket, server_hostname=server_name)
        self._socket = secured
        if secured.version() != "TLSv1.3":
            return
        now = time.monotonic()
        deadline = now + _VERDICT_S + 2 * (now - begin)
        while time.monotonic() < deadline and not getattr(secured.session, "has_ticket", False):
            if not self.is_open():
                raise self._end or OSError(
                    "the other side ended it, perhaps for want of a client_cert"
                )
            time.sleep(0.002)

    def is_open(self) -> bool:
        """Whether the other side still listens; what it may have said is thrown away."""
        try:
            self._socket.settimeout(0)
            while self._socket.recv(65536):
                pass
        except self._nothing_new:
            return self._state() == _ESTABLISHED
        except OSError as error:
            self._end = error
        return False

    def send(self, data: bytes) -> None:
        """Sends, and returns when the other host has all of it.

        Raises:
            NetworkFailed: The connection broke, or nothing at all was taken for `timeout_s`.
        """
        try:
            self._socket.settimeout(self._timeout_s)
            with memoryview(data) as rest:
                sent = 0
                while sent < len(rest):
                    sent += self._socket.send(rest[sent : sent + (1 << 20)])
            self._wait_for_acknowledgement()
        except OSError as error:
            raise self._failed("took no more", error, "network_broken") from error

    def finish(self, wait_s: float) -> bool:
        """Ends it in order, and says whether the other side's program has read everything.

        Returns:
            False when the other side neither ended nor broke the connection within `wait_s`.

        Raises:
            NetworkFailed: It broke the connection, perhaps before it had read everything.
        """
        try:
            self._say_goodbye(wait_s)
            self._check_acknowledged()
            self._socket.shutdown(socket.SHUT_WR)
            self._socket.settimeout(wait_s)
            while self._socket.recv(65536):
                pass
            self._raise_pending()
        except TimeoutError:
            return False
        except OSError as error:
            raise self._failed("ended badly", error, "network_broken") from error
        finally:
            self.drop()
        return True

    def _check_acknowledged(self) -> None:
        if self._end is not None or self._unacknowledged():
            raise self._end or ConnectionResetError("the other side broke the connection")

    def _raise_pending(self) -> None:
        # After an end in order recv tells no errors any more.
        if error := self._socket.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR):
            raise OSError(error, os.strerror(error))

    def _say_goodbye(self, wait_s: float) -> None:
        """TLS has a farewell of its own (RFC 5425, 4.4); not everybody answers it."""
        unwrap = getattr(self._socket, "unwrap", None)
        if unwrap is not None and self._end is None:
            self._socket.settimeout(wait_s)
            with contextlib.suppress(OSError, ValueError):
                unwrap()

    def drop(self) -> None:
        """Lets go of the socket."""
        self._socket.close()

    def _wait_for_acknowledgement(self) -> None:
        left, pause = self._unacknowledged(), 20e-6
        deadline = time.monotonic() + self._timeout_s
        while True:
            if self._state() not in {_ESTABLISHED, _CLOSE_WAIT}:
                raise ConnectionResetError("the other side broke the connection")
            still = self._unacknowledged()
            if not still:
                return
            if still < left:
                left, deadline = still, time.monotonic() + self._timeout_s
            elif time.monotonic() > deadline:
                raise TimeoutError(f"{left} bytes not acknowledged in {self._timeout_s:g} s")
            time.sleep(pause)
            pause = min(pause * 2, 0.005)

    def _state(self) -> int:
        info = self._socket.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 256)
        if len(info) >= _SEND_WINDOW_AT + 4:
            (window,) = struct.unpack_from("=I", info, _SEND_WINDOW_AT)
            self.most_unread_bytes = max(self.most_unread_bytes, window)
        return info[0]

    def _unacknowledged(self) -> int:
        answer = fcntl.ioctl(self._socket, termios.TIOCOUTQ, b"\0\0\0\0")
        return int.from_bytes(answer, "little")

    def _failed(self, what: str, error: OSError, code: str) -> NetworkFailed:
        return NetworkFailed(f"{self._name} {what}: {error or type(error).__name__}", code=code)
