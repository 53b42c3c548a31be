"""One HTTP request to an anchor: bounded in time and size, no redirects, no proxy."""

from __future__ import annotations

import http.client
import socket
import threading
import time
from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import urlsplit

from treering.errors import AnchorError, ConfigurationError

if TYPE_CHECKING:
    from urllib.parse import SplitResult

_MAX_ANSWER_BYTES = 256 * 1024
"""Time stamps with the certificates of their authority have some 6 KiB."""


class Answer(NamedTuple):
    """What an anchor answered; at most 256 KiB of it."""

    status: int
    content_type: str
    body: bytes

    @property
    def excerpt(self) -> str:
        """The begin of the body for an error's message, quoted."""
        return repr(self.body[:200].decode(errors="replace"))


def post(url: str, body: bytes, *, content_type: str, timeout_s: float) -> Answer:
    """Posts `body`; after `timeout_s` the connection is cut, however slowly the other side talks.

    Only looking up the host's name has limits of its own, those of the system.

    Raises:
        AnchorError: There was no complete answer in time.
        ConfigurationError: `url` is not an http or https URL without credentials.
    """
    parts = _checked(url)
    secure = parts.scheme == "https"
    kind = http.client.HTTPSConnection if secure else http.client.HTTPConnection
    port = parts.port or (http.client.HTTPS_PORT if secure else http.client.HTTP_PORT)
    connection = kind(parts.hostname or "", port, timeout=timeout_s)
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    deadline = time.monotonic() + timeout_s
    try:
        connection.connect()
        with _Cut(connection.sock, deadline):
            connection.request("POST", path, body, {"Content-Type": content_type})
            with connection.getresponse() as response:
                found = response.read(_MAX_ANSWER_BYTES)
    except (OSError, http.client.HTTPException) as error:
        if time.monotonic() < deadline:
            raise AnchorError(
                f"{shown(url)} could not be asked: {error or type(error).__name__}",
                code="anchor_unreachable",
            ) from error
    finally:
        connection.close()
    # A connection that was cut reads like one that failed, or like one that ended.
    if time.monotonic() >= deadline:
        raise AnchorError(
            f"{shown(url)} gave no answer within {timeout_s:g} s", code="anchor_timed_out"
        )
    return Answer(response.status, response.headers.get_content_type(), found)


def shown(url: str) -> str:
    """The URL without what may be secret in it: user, password, query."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path}"


class _Cut:
    """Cuts a connection at a deadline.

    The socket's own timeout is for each piece, so that a byte now and then would hold the caller
    for ever.
    """

    def __init__(self, connected: socket.socket, deadline: float) -> None:
        self._connected = connected
        self._timer = threading.Timer(max(0.0, deadline - time.monotonic()), self._cut)
        self._timer.daemon = True

    def __enter__(self) -> None:
        self._timer.start()

    def __exit__(self, *_: object) -> None:
        self._timer.cancel()

    def _cut(self) -> None:
        try:
            self._connected.shutdown(socket.SHUT_RDWR)
        except OSError:
            return  # it has ended by itself


def _checked(url: str) -> SplitResult:
    try:
        parts = urlsplit(url)
        is_good = parts.scheme in {"http", "https"} and parts.hostname and parts.port != 0
    except ValueError:
        is_good = False
    if not is_good or "@" in parts.netloc or not url.isascii() or not url.isprintable():
        raise ConfigurationError(
            f"anchor URL {url!r} cannot be used; 'https://host/path' would be right,"
            " without user and password",
            code="url_invalid",
            field="url",
        )
    return parts
