"""The journal of systemd, in its native protocol.

Written from <https://systemd.io/JOURNAL_NATIVE_PROTOCOL/>, which is a page long and promised to stay:
a library would bring a C extension to build and nothing else.
"""

from __future__ import annotations

import errno
import os
import socket
import struct
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from treering import _core
from treering.errors import BufferFull, OutputUnavailable
from treering.outputs._output import Output, option, values

if TYPE_CHECKING:
    from typing import Any

    from treering.outputs._batch import Batch

_SOCKET = "/run/systemd/journal/socket"
_SEND_BUFFER_BYTES = 8 << 20
"""As `sd_journal_send` asks for; the kernel gives less to those without privileges."""

_TOO_LARGE = frozenset({errno.EMSGSIZE, errno.ENOBUFS})


class JournaldOutput(Output):
    """Sends each record to journald as an entry with fields.

    `MESSAGE` is the record as `format` has it. `PRIORITY`, `SYSLOG_IDENTIFIER`, `SYSLOG_PID`, `TID` and
    `CODE_FILE`, `CODE_LINE`, `CODE_FUNC` are what systemd calls them. Everything else has a name of its
    own: `TREERING_COMPONENT`, `TREERING_METADATA_USER_ID`, `TREERING_EXCEPTION`. `TREERING_INDEX` tells an
    entry that came twice.

    journald drops what a unit says beyond its rate limit and tells nobody but its own log; see
    `LogRateLimitBurst=` in systemd.exec(5).

    Args:
        name: As for every output; so are `common`.
        socket_path: journald's socket.
        identifier: `SYSLOG_IDENTIFIER`; the name of the program when left out.
        write_timeout_s: How long journald may take nothing before that is an error.

    Raises:
        ConfigurationError: An argument cannot be used.
    """

    kind = "journald"
    scope = "journal"
    default_format = "%m"
    options = (
        option(
            "socket_path",
            values.path_or_none,
            _SOCKET,
            "the path of a socket",
            "journald's socket.",
        ),
        option(
            "identifier",
            values.optional(values.text),
            None,
            "a word",
            "Under which `journalctl -t` finds the entries. Default: the program's name.",
        ),
        option(
            "write_timeout_s",
            values.seconds(0.1, 3600),
            5.0,
            "seconds from 0.1 to 3600",
            "How long journald may take nothing before that is an error.",
        ),
    )

    def __init__(
        self,
        name: str | None = None,
        *,
        socket_path: str | os.PathLike[str] = _SOCKET,
        identifier: str | None = None,
        write_timeout_s: float = 5.0,
        **common: Any,
    ) -> None:
        super().__init__(name, **common)
        given = self.read_options(
            {
                "socket_path": socket_path,
                "identifier": identifier,
                "write_timeout_s": write_timeout_s,
            }
        )
        if given["socket_path"] is None:
            raise self.bad_option("socket_path", socket_path, "the path of a socket")
        self._path: str = given["socket_path"]
        self._timeout_s: float = given["write_timeout_s"]
        self._identifier: str = given["identifier"] or _program()
        self._socket: socket.socket | None = None
        self._passed = 0

    def open(self) -> None:
        """Connects to the socket.

        Raises:
            OutputUnavailable: There is none, or nobody listens.
        """
        self._connected()

    def _connected(self) -> socket.socket:
        self.close()
        made = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        made.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, _SEND_BUFFER_BYTES)
        made.settimeout(self._timeout_s)
        try:
            made.connect(self._path)
        except OSError as error:
            made.close()
            raise self._unavailable(error) from error
        self._socket = made
        return made

    def write(self, batch: Batch) -> None:
        """Returns when journald's queue has every entry.

        Raises:
            BufferFull: It took nothing for `write_timeout_s` seconds.
            OutputUnavailable: It is gone.
        """
        to = self._socket or self._connected()
        identifier = _field(b"SYSLOG_IDENTIFIER", self._identifier.encode())
        entries = _core.journald_fields(batch.data, batch.indexes)
        for at, (fields, text) in enumerate(zip(entries, batch.formatted(), strict=True)):
            if not fields:  # the record was erased
                continue
            try:
                self._send(to, _field(b"MESSAGE", text) + identifier + fields)
            except TimeoutError:
                raise BufferFull(
                    f"journald at {self._path} took nothing for {self._timeout_s:g} s",
                    path=self._path,
                    accepted=at,
                ) from None
            except OSError as error:
                raise self._unavailable(error, accepted=at) from error

    def _send(self, to: socket.socket, entry: bytes) -> None:
        try:
            to.send(entry)
        except OSError as error:
            if error.errno not in _TOO_LARGE:
                raise
            self._pass(to, entry)

    def _pass(self, to: socket.socket, entry: bytes) -> None:
        """An entry that is too large for a datagram, as a file in memory that cannot change any more."""
        import fcntl

        seals = fcntl.F_SEAL_SHRINK | fcntl.F_SEAL_GROW | fcntl.F_SEAL_WRITE | fcntl.F_SEAL_SEAL
        made = os.memfd_create("treering", os.MFD_CLOEXEC | os.MFD_ALLOW_SEALING)
        with os.fdopen(made, "wb") as file:
            file.write(entry)
            file.flush()
            fcntl.fcntl(file, fcntl.F_ADD_SEALS, seals)
            socket.send_fds(to, [b""], [file.fileno()])
        self._passed += 1

    def _unavailable(self, error: OSError, accepted: int = 0) -> OutputUnavailable:
        return OutputUnavailable(
            f"journald at {self._path} cannot be reached: {error}",
            path=self._path,
            accepted=accepted,
        )

    def is_available(self) -> bool:
        """Whether there is a socket."""
        return os.path.exists(self._path)  # noqa: PTH110 - a path object for each batch says no more

    def close(self) -> None:
        """Lets go of the socket."""
        if self._socket is not None:
            self._socket.close()
            self._socket = None

    def statistics(self) -> dict[str, Any]:
        """How many entries were too large for a datagram and passed as files in memory."""
        return {"passed_as_files": self._passed}


def _program() -> str:
    path = Path(sys.argv[0] if sys.argv else "")
    return (path.parent.name if path.name == "__main__.py" else path.name) or "python"


def _field(name: bytes, value: bytes) -> bytes:
    """One field; a value with line feeds in it has its length before it."""
    if b"\n" in value:
        return b"%s\n%s%s\n" % (name, struct.pack("<Q", len(value)), value)
    return b"%s=%s\n" % (name, value)
