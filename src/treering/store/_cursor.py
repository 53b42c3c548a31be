"""Where a page ended: a text that only the same question to the same journal takes back."""

from __future__ import annotations

import base64
import binascii
import hashlib
import struct
from dataclasses import dataclass
from typing import Literal

from treering.errors import QueryError

_FORM = struct.Struct(">BcQ8s")
_VERSION = 1

Direction = Literal["below", "above"]


@dataclass(frozen=True, slots=True)
class Cursor:
    """Goes on with the records on one side of an index.

    Attributes:
        direction: Which side.
        index: That index; its record is not wanted again.
    """

    direction: Direction
    index: int

    def text(self, question: bytes) -> str:
        """As it is handed out; `question` is what the cursor is for."""
        side = b"<" if self.direction == "below" else b">"
        packed = _FORM.pack(_VERSION, side, self.index, _digest(question))
        return base64.urlsafe_b64encode(packed).rstrip(b"=").decode("ascii")

    @classmethod
    def parse(cls, text: str, question: bytes) -> Cursor:
        """Reads what `text` gave.

        Raises:
            QueryError: It is none, or one of another question.
        """
        try:
            packed = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
            version, side, index, digest = _FORM.unpack(packed)
        except (ValueError, binascii.Error, struct.error):
            version, side, index, digest = 0, b"", 0, b""
        if version != _VERSION or side not in {b"<", b">"}:
            raise QueryError(
                "the cursor is none that a search gave",
                code="cursor_invalid",
                field="cursor",
                hint="leave it out to begin anew",
            )
        if digest != _digest(question):
            raise QueryError(
                "the cursor belongs to another question or another journal",
                code="cursor_invalid",
                field="cursor",
                hint="a cursor goes on with the search that gave it; only `limit` may change",
            )
        return cls("below" if side == b"<" else "above", index)


def _digest(question: bytes) -> bytes:
    return hashlib.sha256(question).digest()[:8]
