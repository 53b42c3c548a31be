"""Records on standard output or standard error, as an output among others."""

from __future__ import annotations

import os
import select
from typing import TYPE_CHECKING, Any

from treering.errors import OutputUnavailable
from treering.outputs._output import Output, option, values

if TYPE_CHECKING:
    from treering.outputs._batch import Batch

PATIENCE_S = 1.0
# Writes of up to so many bytes reach a pipe in one piece, so that nothing else stands inside a line.
_PIECE_BYTES = select.PIPE_BUF
_STREAMS = {"stdout": 1, "stderr": 2}


class ConsoleOutput(Output):
    """Writes to one of the process's standard streams, e.g. JSON to standard output in a container.

    The `console` setting is the usual, native way to see records; this is for a second look, another
    stream or another format.

    Args:
        stream: `stdout` or `stderr`.
        name: As for every output.
        **common: As for every output; `format` is CONSOLE when left out.

    Raises:
        ConfigurationError: An argument cannot be used.
    """

    kind = "console"
    holds_back = True
    default_format = "CONSOLE"
    options = (
        option(
            "stream",
            values.one_of(*_STREAMS),
            "stdout",
            "stdout or stderr",
            "Which of the process's standard streams.",
        ),
    )

    def __init__(self, stream: str = "stdout", name: str | None = None, **common: Any) -> None:
        super().__init__(name, **common)
        self._descriptor = _STREAMS[self.read_options({"stream": stream})["stream"]]
        self._is_closed = False
        self._torn = b""

    def write(self, batch: Batch) -> int | None:
        """Writes one line for each record; when nobody reads any more, refuses them."""
        if self._is_closed:
            return len(batch)
        lines = [line + b"\n" for line in batch.formatted()]
        text = self._torn + b"".join(lines)
        written = self._push(text)
        if written is None:
            self._is_closed = True
            return len(batch)
        if written < len(text):
            self._give_up(lines, text[written:])
        self._torn = b""
        return None

    def _push(self, text: bytes) -> int | None:
        """How much was written; `None` when the stream is closed, or a pipe without reader."""
        written = 0
        while written < len(text):
            try:
                written += os.write(self._descriptor, _whole_lines(text, written))
            except BlockingIOError:
                if not select.select((), (self._descriptor,), (), PATIENCE_S)[1]:
                    break
            except OSError:
                return None
        return written

    def _give_up(self, lines: list[bytes], rest: bytes) -> None:
        """Nobody takes more at the moment; a record of which a part is out counts as taken."""
        whole = 0
        while whole < len(lines) and len(rest) >= len(lines[-1 - whole]):
            rest = rest[: len(rest) - len(lines[-1 - whole])]
            whole += 1
        self._torn = rest
        raise OutputUnavailable(
            f"output '{self.name}': nobody reads standard stream {self._descriptor}",
            accepted=len(lines) - whole,
        )


def _whole_lines(text: bytes, begin: int) -> bytes:
    end = text.rfind(b"\n", begin, begin + _PIECE_BYTES) + 1
    return text[begin : end or text.find(b"\n", begin) + 1 or len(text)]
