"""An HTTP server that remembers what it was sent and answers as it is told."""

import gzip
import json
import socket
import threading
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class Sink:
    """Requests so far, and the numbers (`metadata.n`) of the records it has taken, in order.

    `answer(request)` gives status, headers and body; whoever answers 200 takes the records.
    """

    def __init__(self, answer=None):
        self.requests = []
        self.connections = 0
        self.taken = []
        self.answer = answer or (lambda request: (200, {}, b""))

    def take(self, request):
        status, headers, body = self.answer(request)
        if 200 <= status < 300:
            self.taken += request.numbers
        return status, headers, body


class Request:
    def __init__(self, path, headers, body):
        self.path = path
        self.headers = headers
        self.body = body
        coding = headers.get("Content-Encoding", "none")
        if coding == "gzip":
            body = gzip.decompress(body)
        elif coding == "zstd":
            import zstandard

            body = zstandard.ZstdDecompressor().decompress(body)
        self.text = body
        self.lines = body.splitlines()

    @property
    def numbers(self):
        found = (json.loads(line).get("metadata", {}).get("n") for line in self.lines)
        return [number for number in found if number is not None]


@contextmanager
def serving(sink, *, tls=None, port=0):
    """Yields the URL, `https` with `tls`, a server's context."""

    live = set()

    class Connection(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True

        def setup(self):
            super().setup()
            sink.connections += 1
            live.add(self.connection)

        def do_POST(self):
            body = self.rfile.read(int(self.headers["Content-Length"]))
            request = Request(self.path, self.headers, body)
            sink.requests.append(request)
            status, headers, answer = sink.take(request)
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(answer)))
            self.end_headers()
            self.wfile.write(answer)

        def log_message(self, *_):
            pass

    class Server(ThreadingHTTPServer):
        daemon_threads = True

        def handle_error(self, request, client_address):
            pass  # who breaks a connection is what is tested

        def get_request(self):
            made, address = super().get_request()
            return (tls.wrap_socket(made, server_side=True) if tls else made), address

    server = Server(("127.0.0.1", port), Connection)
    thread = threading.Thread(target=server.serve_forever, args=[0.02], daemon=True)
    thread.start()
    try:
        yield f"http{'s' if tls else ''}://127.0.0.1:{server.server_address[1]}/logs"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
        for connection in live:
            with suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)
