"""Datagrams, over UDP or to a local socket: one message each, and nobody says whether it arrived."""

from __future__ import annotations

import errno
import socket
from typing import TYPE_CHECKING

from treering.errors import NetworkFailed, OutputUnavailable

if TYPE_CHECKING:
    from collections.abc import Sequence


class Datagrams:
    """A connected datagram socket.

    Args:
        destination: Host and port, or the path of a local socket.
        timeout_s: How long to wait for room in the queue of a local socket.
    """

    def __init__(self, destination: tuple[str, int] | str, *, timeout_s: float) -> None:
        self._destination = destination
        self._timeout_s = timeout_s
        self._socket: socket.socket | None = None

    def open(self) -> None:
        """Looks the destination up.

        Raises:
            NetworkFailed: The host has no address.
            OutputUnavailable: There is no such local socket.
        """
        self._open()

    def send(self, messages: Sequence[bytes]) -> int:
        """Sends each that is not empty, and says how many are too large for the system.

        Raises:
            NetworkFailed: Nobody listens there; `accepted` says how many had gone before.
        """
        opened = self._socket or self._open()
        refused = 0
        for at, message in enumerate(messages):
            try:
                if message:
                    opened.send(message)
            except OSError as error:
                if error.errno != errno.EMSGSIZE:
                    raise self._failed(error, at) from error
                refused += 1
        # The refusal of the last datagram, where it came at once.
        if found := opened.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR):
            raise self._failed(OSError(found, "nobody listens"), len(messages))
        return refused

    def flush(self) -> None:
        """Nothing waits here."""

    def close(self) -> None:
        """Lets go of the socket."""
        if self._socket is not None:
            self._socket.close()
            self._socket = None

    def _open(self) -> socket.socket:
        self.close()
        if isinstance(self._destination, str):
            self._socket = self._local(self._destination)
        else:
            self._socket = self._remote(*self._destination)
        return self._socket

    def _local(self, path: str) -> socket.socket:
        made = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        made.settimeout(self._timeout_s)
        try:
            made.connect(path)
        except OSError as error:
            made.close()
            raise OutputUnavailable(f"nobody listens at {path}: {error}", path=path) from error
        return made

    def _remote(self, host: str, port: int) -> socket.socket:
        try:
            family, kind, protocol, _, address = socket.getaddrinfo(
                host, port, type=socket.SOCK_DGRAM
            )[0]
            made = socket.socket(family, kind, protocol)
            made.settimeout(self._timeout_s)
            made.connect(address)
        except OSError as error:
            raise NetworkFailed(
                f"{host}:{port} could not be reached: {error}", code="network_unreachable"
            ) from error
        return made

    def _failed(self, error: OSError, at: int) -> NetworkFailed:
        local = isinstance(self._destination, str)
        name = self._destination if local else "{}:{}".format(*self._destination)
        # Over UDP an error tells of the datagram before, and that of this one was not sent.
        before = at if local or error.errno != errno.ECONNREFUSED else max(0, at - 1)
        self.close()
        return NetworkFailed(
            f"{name} took no more: {error}", code="network_broken", accepted=before
        )
