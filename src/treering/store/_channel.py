"""How the store and the process that runs foreign SQL talk: frames over a pair of sockets.

A frame is a byte that says what it is, a length of four bytes (big-endian) and a payload. The request
is one `REQUEST` (JSON) that carries descriptors along; the answer is any number of `BATCH` (each an
Arrow IPC stream of its own) and then one `DONE` or `FAILED` (JSON).
"""

from __future__ import annotations

import json
import socket
import struct
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

REQUEST, BATCH, DONE, FAILED = b"Q", b"B", b"D", b"F"

_HEAD = struct.Struct("!cIH")
# What Linux lets one message carry is 253 (SCM_MAX_FD).
_DESCRIPTORS = 250


def send(channel: socket.socket, kind: bytes, payload: bytes, files: Sequence[int] = ()) -> None:
    """Sends one frame, and with it open files.

    Raises:
        OSError: Nobody is there to take it.
    """
    channel.sendall(_HEAD.pack(kind, len(payload), len(files)))
    for at in range(0, len(files), _DESCRIPTORS):
        socket.send_fds(channel, [b"+"], list(files[at : at + _DESCRIPTORS]))
    channel.sendall(payload)


def receive(channel: socket.socket) -> tuple[bytes, bytes, list[int]]:
    """The next frame: what it is, its payload, the files that came along.

    Raises:
        EOFError: The other side is gone.
        TimeoutError: The channel has a timeout, and nothing came.
    """
    kind, length, count = _HEAD.unpack(_exactly(channel, _HEAD.size))
    files: list[int] = []
    while len(files) < count:
        mark, came, _, _ = socket.recv_fds(channel, 1, _DESCRIPTORS)
        if not mark:
            raise EOFError
        files.extend(came)
    return kind, _exactly(channel, length), files


def receive_json(payload: bytes) -> dict[str, Any]:
    """The object in a payload."""
    value: dict[str, Any] = json.loads(payload)
    return value


def _exactly(channel: socket.socket, length: int) -> bytes:
    taken = bytearray(length)
    view = memoryview(taken)
    while view:
        count = channel.recv_into(view)
        if not count:
            raise EOFError
        view = view[count:]
    return bytes(taken)
