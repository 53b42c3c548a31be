"""HTTP for a witness, with limits on how much and how long a client may ask."""

from __future__ import annotations

import re
import socket
import socketserver
import sys
import threading
import time
from contextlib import suppress
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any, Self

from treering.errors import TreeringError

if TYPE_CHECKING:
    from treering.witness._witness import Witness

MAX_REQUEST_BYTES = 64 * 1024
"""A request has at most 63 proof lines and 100 signatures: below 20 KiB with Ed25519."""

_MAX_CONNECTIONS = 64
_IDLE_S = 10.0
_CONNECTION_S = 60.0
"""However slowly a client drips its bytes, it holds one of the connections no longer than this."""

_LOOK_S = 0.1
"""How long `close` may go unnoticed."""

_NEWEST = re.compile(r"/([0-9a-f]{64})/checkpoint")
_TEXT = "text/plain; charset=utf-8"


class WitnessServer:
    """Serves a witness from the moment it is made until it is closed; a context manager.

    `POST /add-checkpoint` takes no credential, by protocol: the log's signature on the checkpoint
    authenticates it, and a witness tells nothing but what it has cosigned.
    `GET /<hexadecimal SHA-256 of the origin>/checkpoint` gives the newest cosigned checkpoint.
    There is no TLS: for other machines put a proxy in front, which may add a prefix to the paths.

    Args:
        witness: Its `add_log` may be called while it is served.
        host: Address to listen on; loopback unless said otherwise.
        port: 0 means one that is free.

    Attributes:
        url: Prefix of both requests.
        failures: Requests that could not be answered, or only with 500: the witness could not
            store or read.
        last_error: What the last of them said.
    """

    def __init__(self, witness: Witness, *, host: str = "127.0.0.1", port: int = 0) -> None:
        self._http = _Http((host, port), witness)
        shown = f"[{host}]" if ":" in host else host
        self.url = f"http://{shown}:{self._http.server_address[1]}"
        self._thread = threading.Thread(
            target=self._http.serve_forever, args=[_LOOK_S], name="treering-witness", daemon=True
        )
        self._thread.start()

    def __repr__(self) -> str:
        return f"<WitnessServer of {self._http.witness.name!r} at {self.url}>"

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def failures(self) -> int:
        return self._http.failures

    @property
    def last_error(self) -> str | None:
        return self._http.last_error

    def close(self) -> None:
        """Takes no more requests, and returns when those under way are answered."""
        self._http.shutdown()
        self._thread.join()
        self._http.end_connections(older_than_s=0)
        self._http.server_close()


class _Http(ThreadingHTTPServer):
    daemon_threads = False
    request_queue_size = _MAX_CONNECTIONS

    def __init__(self, address: tuple[str, int], witness: Witness) -> None:
        self.address_family = socket.AF_INET6 if ":" in address[0] else socket.AF_INET
        self.witness = witness
        self.failures = 0
        self.last_error: str | None = None
        self._connections: dict[Any, float] = {}
        self._lock = threading.Lock()
        super().__init__(address, _Request)

    def server_bind(self) -> None:
        # Not HTTPServer's: that one asks the name service for the host's full name.
        socketserver.TCPServer.server_bind(self)

    def failed(self, error: Exception) -> None:
        with self._lock:
            self.failures += 1
            self.last_error = f"{type(error).__name__}: {error}"

    def handle_error(self, request: Any, client_address: Any) -> None:  # noqa: ARG002
        error = sys.exception()
        # Clients that go away, or that stop talking, are no trouble of the witness.
        if isinstance(error, Exception) and not isinstance(error, (ConnectionError, TimeoutError)):
            self.failed(error)

    def process_request(self, request: Any, client_address: Any) -> None:
        with self._lock:
            is_full = len(self._connections) >= _MAX_CONNECTIONS
            if not is_full:
                self._connections[request] = time.monotonic()
        if is_full:
            self.shutdown_request(request)
        else:
            super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:
        with self._lock:
            self._connections.pop(request, None)
        super().shutdown_request(request)

    def service_actions(self) -> None:
        self.end_connections(older_than_s=_CONNECTION_S)

    def end_connections(self, *, older_than_s: float) -> None:
        """Reads no more from these connections; what they are being told still arrives."""
        until = time.monotonic() - older_than_s
        with self._lock:
            for connection, since in self._connections.items():
                if since <= until:
                    # The client may have ended it first.
                    with suppress(OSError):
                        connection.shutdown(socket.SHUT_RD)


class _Request(BaseHTTPRequestHandler):
    server: _Http
    protocol_version = "HTTP/1.1"
    timeout = _IDLE_S
    wbufsize = -1

    def do_POST(self) -> None:
        body = self._body()
        if body is None:
            return
        if self.path != "/add-checkpoint":
            self._answer(HTTPStatus.NOT_FOUND, _TEXT, b"no such address\n")
            return
        try:
            answer = self.server.witness.add_checkpoint(body)
        except (TreeringError, OSError) as error:
            self._fail(error)
        else:
            self._answer(*answer)

    def do_GET(self) -> None:
        path = _NEWEST.fullmatch(self.path)
        try:
            checkpoint = self.server.witness.newest(path[1]) if path else None
        except (TreeringError, OSError) as error:
            self._fail(error)
            return
        if checkpoint is None:
            self._answer(HTTPStatus.NOT_FOUND, _TEXT, b"no checkpoint here\n")
        else:
            self._answer(HTTPStatus.OK, _TEXT, checkpoint)

    def log_message(self, format: str, *_: Any) -> None:  # noqa: A002 - http.server's name
        """Nothing: a client cannot fill the disk with what it asks."""

    def version_string(self) -> str:
        return "treering-witness"

    def _body(self) -> bytes | None:
        """The body, or `None` after a refusal."""
        length = self.headers.get("Content-Length", "")
        if not re.fullmatch(r"[0-9]{1,19}", length) or "Transfer-Encoding" in self.headers:
            self._refuse(HTTPStatus.LENGTH_REQUIRED, "a Content-Length is needed")
        elif int(length) > MAX_REQUEST_BYTES:
            at_most = f"{MAX_REQUEST_BYTES} bytes at most"
            self._refuse(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, at_most)
        else:
            body = self.rfile.read(int(length))
            if len(body) == int(length):
                return body
            self.close_connection = True
        return None

    def _refuse(self, status: HTTPStatus, reason: str) -> None:
        # The body was not read: what follows on this connection is not a request.
        self.close_connection = True
        self._answer(status, _TEXT, f"{reason}\n".encode())

    def _fail(self, error: Exception) -> None:
        self.server.failed(error)
        self._answer(HTTPStatus.INTERNAL_SERVER_ERROR, _TEXT, b"not stored; see the witness\n")

    def _answer(self, status: int, content_type: str, body: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Type", content_type)
        self.send_header("Content-Length", str(len(body)))
        if self.close_connection:
            self.send_header("Connection", "close")
        self.end_headers()
        self.wfile.write(body)
