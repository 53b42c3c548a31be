"""Logs as a witness sees them, a growing tree and its signed checkpoints; and asking a witness."""

import base64
import hashlib
import http.client
from urllib.parse import urlsplit

from treering import _core


class Log:
    """A log with as many leaves as anybody asks for; `fork` is another history of the same log."""

    def __init__(self, origin="example.com/logs/app", *, seed=bytes(range(32)), fork=b"record"):
        self.origin = origin
        self.seed = seed
        self.fork = fork
        self.vkey = _core.note_vkey(origin, seed)

    def leaves(self, size):
        return [hashlib.sha256(b"\0%s %d" % (self.fork, n)).digest() for n in range(size)]

    def text(self, size, *, root=None):
        root = root or _core.tree_root(self.leaves(size))
        return f"{self.origin}\n{size}\n{base64.b64encode(root).decode()}\n".encode()

    def signed(self, text):
        return text + b"\n" + _core.note_sign(text, self.origin, self.seed).encode()

    def checkpoint(self, size, *, root=None):
        return self.signed(self.text(size, root=root))

    def proof(self, old, size):
        return _core.consistency_proof(self.leaves(size), old) if old else []

    def request(self, old, size, *, checkpoint=None, proof=None):
        """The body of an `add-checkpoint` request."""
        proof = self.proof(old, size) if proof is None else proof
        lines = [f"old {old}", *(base64.b64encode(node).decode() for node in proof)]
        return "\n".join(lines).encode() + b"\n\n" + (checkpoint or self.checkpoint(size))


def ask(url, method, path, body=None, headers=None):
    """Status, content type and body of the answer."""
    connection = http.client.HTTPConnection(urlsplit(url).netloc, timeout=20)
    try:
        connection.request(method, path, body, headers or {})
        answer = connection.getresponse()
        return answer.status, answer.headers["Content-Type"], answer.read()
    finally:
        connection.close()


def post(url, body):
    return ask(url, "POST", "/add-checkpoint", body)


def log_path(log):
    return f"/{hashlib.sha256(log.origin.encode()).hexdigest()}/checkpoint"


def size_of(checkpoint):
    return _core.checkpoint_parse(checkpoint)[1] if checkpoint else 0
