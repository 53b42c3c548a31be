"""A destination of records over HTTP, with what the demo needs of one: it dies and comes back."""

from __future__ import annotations

import gzip
import socket
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer

PATIENCE_RECORDS = 8000


class Receiver:
    """Takes each record once, by the indexes that come with every request.

    After the first `PATIENCE_RECORDS` records it dies: it has stored what came, and does not answer.
    """

    def __init__(self) -> None:
        self.lines: dict[int, bytes] = {}
        self.repeated = 0
        self.in_order = True
        self.died = threading.Event()
        with socket.create_server(("127.0.0.1", 0)) as free:
            self.port = free.getsockname()[1]

    def start(self) -> None:
        """Listens, for the first time or again."""
        self._server = HTTPServer(("127.0.0.1", self.port), self._ingest())
        threading.Thread(target=self._server.serve_forever, args=(0.01,)).start()

    def stop(self) -> None:
        self._server.shutdown()
        self._server.server_close()

    def take(self, indexes: str, body: bytes) -> bool:
        """Stores what is new; False when it dies before it can say so."""
        highest = max(self.lines, default=-1)
        for index, line in zip(spelled_out(indexes), body.splitlines(), strict=True):
            if index in self.lines:
                self.repeated += 1
                continue
            self.in_order &= index > highest
            highest = index
            self.lines[index] = line
        if len(self.lines) < PATIENCE_RECORDS or self.died.is_set():
            return True
        self.died.set()
        return False

    def _ingest(self) -> type[BaseHTTPRequestHandler]:
        receiver = self

        class Ingest(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                if receiver.take(self.headers["Treering-Index"], gzip.decompress(body)):
                    self.send_response(204)
                    self.end_headers()
                else:
                    self.close_connection = True
                    threading.Thread(target=receiver.stop).start()

            def log_message(self, *_: object) -> None:
                """Its access log is not what the demo is about."""

        return Ingest


def spelled_out(ranges: str) -> list[int]:
    """`3-5,9` as [3, 4, 5, 9]."""
    found: list[int] = []
    for part in ranges.split(","):
        first, _, last = part.partition("-")
        found.extend(range(int(first), int(last or first) + 1))
    return found
