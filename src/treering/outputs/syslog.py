"""Records to a syslog daemon: RFC 5424 or RFC 3164, over UDP, TCP, TLS or a local socket."""

from __future__ import annotations

from typing import TYPE_CHECKING

from treering.config import _values as values
from treering.errors import ConfigurationError
from treering.outputs._datagram import Datagrams
from treering.outputs._format import formatter
from treering.outputs._output import Output, option
from treering.outputs._stream import Stream
from treering.outputs._syslog_message import cut
from treering.outputs._tls import TLS_OPTIONS, context

if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    from treering.outputs._batch import Batch
    from treering.outputs._connection import Connection
    from treering.outputs._output import Formatter

_PORTS = {"udp": 514, "tcp": 514, "tls": 6514}
_MAX_BYTES = {"udp": 2048, "tcp": 8192, "tls": 8192, "unix": 8192}
"""What a receiver should be able to take: RFC 5426, 3.2, and RFC 5425, 4.3.1."""

_MAX_DATAGRAM_BYTES = 65_000
"""UDP's own limit is 65,507 over IPv4 and 20 less over IPv6."""


def _word(value: object) -> str:
    """A word, or a number written as one; what it may be is known to the formatter."""
    return values.text(str(value) if isinstance(value, int) else value)


class SyslogOutput(Output):
    """Sends each record as a message to a syslog daemon.

    Over TCP and TLS `write` returns when the destination's host has acknowledged every byte; what its
    program may not have read yet is kept and sent again when the connection breaks. Over UDP and to a
    local socket nobody says whether a message arrived.

    Args:
        name: See `Output`.
        host: Where the daemon runs; not for `unix`.
        port: 514, and 6514 for `tls`, when left out.
        protocol: `udp` (RFC 5426), `tcp` (RFC 6587), `tls` (RFC 5425) or `unix`; `udp` when left out.
        path: The local socket for `unix`; `/dev/log` when left out.
        format: `rfc5424` or `rfc3164`.
        framing: Over TCP and TLS: `octet` for messages with their length before them, which nothing
            can forge, or `lf` for one on a line.
        facility: A name such as `daemon` or `local0`, or a number from 0 to 23; `user` when left out.
        hostname: What the system calls itself when left out.
        app_name: The record's component when left out.
        enterprise: The private enterprise number in the name of the structured data, `treering@32473`
            when left out.
        max_message_bytes: Longer ones are cut, visibly, and counted. 2048 over UDP, otherwise 8192
            when left out; more than that has to be allowed at the daemon as well.
        timeout_s: How long the destination may take nothing at all; 10 when left out.
        resend_bytes: At most this much is kept to be sent again; 4 MB when left out.
        ca_file: See `TLS_OPTIONS`, as the next four.
        client_cert: The same.
        client_key: The same.
        server_name: The same.
        tls_verify: The same.
        **common: The arguments that all outputs have.

    Raises:
        ConfigurationError: An argument cannot be used.
    """

    kind = "syslog"
    scope = "journal"
    default_format = "rfc5424"
    options = (
        option(
            "host", values.text, "localhost", "a host name or address", "Where the daemon runs."
        ),
        option(
            "port",
            values.optional(values.whole(1, 65535)),
            None,
            "a number from 1 to 65535",
            "Default: 514, and 6514 for tls.",
        ),
        option(
            "protocol",
            values.one_of("udp", "tcp", "tls", "unix"),
            "udp",
            "udp, tcp, tls or unix",
            "How messages travel.",
        ),
        option("path", values.text, "/dev/log", "a path", "The local socket for protocol unix."),
        option(
            "framing",
            values.one_of("octet", "lf"),
            "octet",
            "octet or lf",
            "Over tcp and tls: messages with their length before them, or one on a line.",
        ),
        option(
            "facility",
            _word,
            None,
            "a name such as user, daemon or local0, or a number from 0 to 23",
            "Which part of a system speaks. Default: user.",
        ),
        option("hostname", _word, None, "a host name", "Default: this host's."),
        option("app_name", _word, None, "a word", "Default: the record's component."),
        option(
            "enterprise",
            _word,
            None,
            "a private enterprise number",
            "Of whoever gives the structured data its meaning. Default: 32473, kept for examples.",
        ),
        option(
            "max_message_bytes",
            values.bytes_between(480, 16 << 20),
            None,
            "a size from 480 bytes to 16MB, over udp and unix to 65000 bytes",
            "Longer messages are cut, visibly, and counted. Default: 2048 over udp, else 8192.",
        ),
        option(
            "timeout_s",
            values.seconds(0.1, 3600.0),
            10.0,
            "seconds from 0.1 to 3600",
            "How long the destination may take nothing at all.",
        ),
        option(
            "resend_bytes",
            values.bytes_between(0, 1 << 30),
            4 << 20,
            "a size up to 1GB",
            "Over tcp and tls: at most this much is kept to be sent again when a connection breaks.",
        ),
        *TLS_OPTIONS,
    )

    def __init__(
        self,
        name: str | None = None,
        *,
        host: str | None = None,
        port: int | str | None = None,
        protocol: str | None = None,
        path: str | None = None,
        framing: str | None = None,
        facility: str | int | None = None,
        hostname: str | None = None,
        app_name: str | None = None,
        enterprise: int | str | None = None,
        max_message_bytes: int | str | None = None,
        timeout_s: float | str | None = None,
        resend_bytes: int | str | None = None,
        ca_file: str | None = None,
        client_cert: str | None = None,
        client_key: str | None = None,
        server_name: str | None = None,
        tls_verify: bool | str | None = None,
        **common: Any,
    ) -> None:
        super().__init__(name, **common)
        given = {
            "host": host,
            "port": port,
            "protocol": protocol,
            "path": path,
            "framing": framing,
            "facility": facility,
            "hostname": hostname,
            "app_name": app_name,
            "enterprise": enterprise,
            "max_message_bytes": max_message_bytes,
            "timeout_s": timeout_s,
            "resend_bytes": resend_bytes,
            "ca_file": ca_file,
            "client_cert": client_cert,
            "client_key": client_key,
            "server_name": server_name,
            "tls_verify": tls_verify,
        }
        self._options = self.read_options({k: v for k, v in given.items() if v is not None})
        self._truncated = 0
        self._most = self._max_message_bytes()
        self._formatter = self._own_formatter()
        self._way = self._stream() if self._is_stream else self._datagrams()

    def open(self) -> None:
        """Connects, and sends again what a connection that broke may have held.

        Raises:
            NetworkFailed: The destination cannot be reached, or not in the way that was asked for.
            OutputUnavailable: There is no such local socket.
        """
        self._way.open()

    def write(self, batch: Batch) -> int:
        """Sends every record, and returns how many the system cannot send because of their size.

        Raises:
            NetworkFailed: The destination did not take them all; `accepted` says how many it did.
        """
        messages = [self._fitting(m) for m in self._formatter.lines(batch.data, batch.indexes)]
        return self._way.send(self._framed(messages) if self._is_stream else messages)

    def flush(self) -> None:
        """Sends again what a connection may have held that broke since the last record.

        Raises:
            NetworkFailed: It broke, and there is no other.
        """
        self._way.flush()

    def close(self) -> None:
        """Ends the connection in order, so that everything has been read when the daemon ends it, too."""
        self._way.close()

    def statistics(self) -> dict[str, Any]:
        """Counts of its own.

        Returns:
            `truncated`: messages that were cut; over TCP and TLS `connections`, `resent`: records that
            were sent a second time, and `unconfirmed`: records that the destination's host has and its
            program may not have read.
        """
        found = {"truncated": self._truncated}
        if isinstance(self._way, Stream):
            found |= {
                "connections": self._way.connections,
                "resent": self._way.resent,
                "unconfirmed": self._way.unconfirmed,
            }
        return found

    @property
    def _is_stream(self) -> bool:
        return self._options["protocol"] in {"tcp", "tls"}

    def _max_message_bytes(self) -> int:
        asked: int | None = self._options["max_message_bytes"]
        if asked is None:
            return _MAX_BYTES[self._options["protocol"]]
        if asked > _MAX_DATAGRAM_BYTES and not self._is_stream:
            wanted = f"at most {_MAX_DATAGRAM_BYTES} over {self._options['protocol']}"
            raise self.bad_option("max_message_bytes", asked, wanted)
        return asked

    def _own_formatter(self) -> Formatter:
        if self.format not in {"rfc5424", "rfc3164"}:
            raise self.bad_option("format", self.format, "rfc5424 or rfc3164")
        named = ("facility", "hostname", "app_name", "enterprise")
        options = {name: found for name in named if (found := self._options[name]) is not None}
        try:
            return formatter(self.format, date_format=self.date_format, options=options)
        except ConfigurationError as error:
            raise ConfigurationError(
                f"output '{self.name}': {error}",
                code=error.code,
                field=f"outputs.{self.name}",
            ) from None

    def _stream(self) -> Stream:
        chosen = self._options
        tls = context(chosen) if chosen["protocol"] == "tls" else None
        address = chosen["host"], chosen["port"] or _PORTS[chosen["protocol"]]

        def connect() -> Connection:
            from treering.outputs._connection import Connection

            return Connection(
                address,
                timeout_s=chosen["timeout_s"],
                tls=tls,
                server_name=chosen["server_name"],
            )

        return Stream(connect, resend_bytes=chosen["resend_bytes"], timeout_s=chosen["timeout_s"])

    def _datagrams(self) -> Datagrams:
        chosen = self._options
        if chosen["protocol"] == "unix":
            return Datagrams(chosen["path"], timeout_s=chosen["timeout_s"])
        address = chosen["host"], chosen["port"] or _PORTS["udp"]
        return Datagrams(address, timeout_s=chosen["timeout_s"])

    def _fitting(self, message: bytes) -> bytes:
        if len(message) <= self._most:
            return message
        self._truncated += 1
        return cut(message, self._most)

    def _framed(self, messages: Sequence[bytes]) -> list[bytes]:
        """RFC 6587, 3.4.1 and 3.4.2; nothing for a record that was erased."""
        if self._options["framing"] == "octet":
            return [b"%d %b" % (len(each), each) if each else b"" for each in messages]
        return [each + b"\n" if each else b"" for each in messages]
