"""A serial line: one line for each record, as fast as the other side reads.

Needs pyserial: `pip install treering[serial]`.
"""

from __future__ import annotations

import os
import time
from bisect import bisect_right
from itertools import accumulate
from typing import TYPE_CHECKING
from weakref import WeakSet

from treering.errors import BufferFull, ConfigurationError, OutputUnavailable
from treering.outputs._cut import cut
from treering.outputs._output import Output, option, values

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import ModuleType
    from typing import Any

    import serial

    from treering.outputs._batch import Batch

_ENDINGS = {"crlf": b"\r\n", "lf": b"\n", "cr": b"\r"}
_PIECE_BYTES = 4096
"""Written at once; as much as the kernel keeps for a serial line."""

_POLL_S = 0.005

_open_ports: WeakSet[serial.Serial] = WeakSet()


def _let_go() -> None:
    """In a forked child: the lock on a device ends with the last process that has it open."""
    for port in list(_open_ports):
        port.close()


os.register_at_fork(after_in_child=_let_go)


class SerialOutput(Output):
    """Writes to a serial device, and waits until its queue in the kernel is empty.

    A device that vanishes is opened again when it is back under the same path. The record that was
    being written then comes again, on a new line.

    Args:
        name: As for every output; so are `common`.
        port: The device; a link below `/dev/serial/by-id` stays right when devices are renumbered.
        baud_rate: Bits a second.
        data_bits: 5 to 8.
        parity: `none`, `even`, `odd`, `mark` or `space`.
        stop_bits: 1, 1.5 or 2.
        flow_control: `none`, `xon_xoff` or `rts_cts`.
        line_ending: `crlf`, `lf` or `cr`.
        write_timeout_s: How long the other side may take nothing before that is an error.
        max_line_bytes: Longer lines are cut, visibly; the line ending does not count.

    Raises:
        ConfigurationError: An argument cannot be used, or pyserial is not installed.
    """

    kind = "serial"
    scope = "journal"
    batch_bytes = 4 << 10  # a third of a second at 115,200 baud
    default_format = "STANDARD"
    options = (
        option("port", values.path_or_none, None, "the path of a serial device", "The device."),
        option(
            "baud_rate",
            values.whole(50, 4_000_000),
            115200,
            "a whole number from 50 to 4000000",
            "Bits a second.",
        ),
        option("data_bits", values.whole(5, 8), 8, "5, 6, 7 or 8", "Data bits of a character."),
        option(
            "parity",
            values.one_of("none", "even", "odd", "mark", "space"),
            "none",
            "none, even, odd, mark or space",
            "The parity bit of a character.",
        ),
        option(
            "stop_bits",
            values.one_of("1", "1.5", "2"),
            "1",
            "1, 1.5 or 2",
            "Stop bits of a character.",
        ),
        option(
            "flow_control",
            values.one_of("none", "xon_xoff", "rts_cts"),
            "none",
            "none, xon_xoff or rts_cts",
            "How the other side says that it cannot take more.",
        ),
        option(
            "line_ending",
            values.one_of(*_ENDINGS),
            "crlf",
            "crlf, lf or cr",
            "What ends a line.",
        ),
        option(
            "write_timeout_s",
            values.seconds(0.1, 3600),
            5.0,
            "seconds from 0.1 to 3600",
            "How long the other side may take nothing before that is an error.",
        ),
        option(
            "max_line_bytes",
            values.bytes_between(64, 1 << 20),
            1024,
            "a size from 64 bytes to 1MB",
            "Longer lines are cut, visibly.",
        ),
    )

    def __init__(
        self,
        name: str | None = None,
        *,
        port: str | None = None,
        baud_rate: int = 115200,
        data_bits: int = 8,
        parity: str = "none",
        stop_bits: float | str = 1,
        flow_control: str = "none",
        line_ending: str = "crlf",
        write_timeout_s: float = 5.0,
        max_line_bytes: int | str = 1024,
        **common: Any,
    ) -> None:
        super().__init__(name, **common)
        self._options = self.read_options(
            {
                "port": port,
                "baud_rate": baud_rate,
                "data_bits": data_bits,
                "parity": parity,
                "stop_bits": stop_bits,
                "flow_control": flow_control,
                "line_ending": line_ending,
                "write_timeout_s": write_timeout_s,
                "max_line_bytes": max_line_bytes,
            }
        )
        if self._options["port"] is None:
            raise self.bad_option("port", port, "the path of a serial device")
        self._path: str = self._options["port"]
        self._ending = _ENDINGS[self._options["line_ending"]]
        self._serial = _library()
        self._port: serial.Serial | None = None
        self._is_torn = False
        self._opened = self._cut = 0

    def open(self) -> None:
        """Opens and locks the device.

        Raises:
            OutputUnavailable: It is not there, not allowed, no serial device, or in use.
            ConfigurationError: It cannot do what the options ask for.
        """
        self._open_port()

    def _open_port(self) -> serial.Serial:
        self.close()
        settings = self._options
        library = self._serial
        try:
            self._port = library.Serial(
                self._path,
                settings["baud_rate"],
                bytesize=settings["data_bits"],
                parity=settings["parity"][0].upper(),
                stopbits=float(settings["stop_bits"]),
                xonxoff=settings["flow_control"] == "xon_xoff",
                rtscts=settings["flow_control"] == "rts_cts",
                exclusive=True,
            )
        except library.SerialException as error:
            raise OutputUnavailable(
                f"serial device '{self._path}' cannot be opened: {error}", path=self._path
            ) from error
        except ValueError as error:
            wanted = f"what the device can do ({error})"
            raise self.bad_option("baud_rate", settings["baud_rate"], wanted) from error
        _open_ports.add(self._port)
        self._opened += 1
        return self._port

    def write(self, batch: Batch) -> None:
        """Returns when the kernel has handed everything to the device.

        Raises:
            BufferFull: The other side took nothing for `write_timeout_s` seconds.
            OutputUnavailable: The device is gone.
        """
        # An erased record leaves an empty line, and nothing to send.
        texts = zip(batch.lines, batch.formatted(), strict=True)
        lines = [self._framed(text) if line else b"" for line, text in texts]
        # What a failure left of a line must not stand before the next one.
        begin = self._ending if self._is_torn else b""
        handed = gone = 0
        try:
            for handed, gone in self._sending(begin + b"".join(lines)):  # noqa: B007 - the last counts
                pass
            self._is_torn = False
        except (BufferFull, OutputUnavailable) as error:
            ends = list(accumulate(map(len, lines), initial=len(begin)))
            error.accepted = max(0, bisect_right(ends, gone) - 1)
            self._is_torn = handed != gone or gone not in ends
            raise

    def _framed(self, text: bytes) -> bytes:
        most = self._options["max_line_bytes"]
        lines = text.split(b"\n")
        self._cut += sum(len(line) > most for line in lines)
        return b"".join(cut(line, most) + self._ending for line in lines)

    def _sending(self, data: bytes) -> Iterator[tuple[int, int]]:
        """Sends; tells how many bytes the kernel was handed, and how many of them the device."""
        port = self._port or self._open_port()
        patience_s = self._options["write_timeout_s"]
        handed = gone = 0
        moved = time.monotonic()
        try:
            while gone < len(data):
                taken = self._push(port, data[handed : handed + _PIECE_BYTES])
                handed += taken
                before, gone = gone, max(gone, handed - port.out_waiting)
                yield handed, gone
                if taken or gone > before:
                    moved = time.monotonic()
                elif time.monotonic() - moved > patience_s:
                    self._forget_waiting(port)
                    raise BufferFull(
                        f"serial device '{self._path}' took nothing for {patience_s:g} s",
                        path=self._path,
                        hint="is somebody reading, and is the flow control the same on both sides?",
                    )
        except OSError as error:
            raise OutputUnavailable(
                f"serial device '{self._path}' is gone: {error}", path=self._path
            ) from error

    def _push(self, port: serial.Serial, piece: bytes) -> int:
        """Writes what the kernel has room for; waits a little when that is nothing."""
        import select

        if not piece:
            time.sleep(_POLL_S)
            return 0
        # pyserial does not tell how much it had written when the time was over.
        ready = select.select([], [port.fileno()], [], min(1.0, self._options["write_timeout_s"]))
        return os.write(port.fileno(), piece) if ready[1] else 0

    def _forget_waiting(self, port: serial.Serial) -> None:
        """Drops what the kernel still holds: it comes again, and closing would wait for it.

        A pseudo terminal says that nothing waits, but would drop what its reader has not read.
        """
        if port.out_waiting:
            port.reset_output_buffer()

    def is_available(self) -> bool:
        """Whether there is a device at the path."""
        return os.path.exists(self._path)  # noqa: PTH110 - a path object for each batch says no more

    def close(self) -> None:
        """Closes the device."""
        if self._port is not None:
            self._port.close()
            self._port = None

    def statistics(self) -> dict[str, Any]:
        """How often the device was opened, and how many lines were cut."""
        return {"opened": self._opened, "cut_lines": self._cut}


def _library() -> ModuleType:
    try:
        import serial
    except ImportError:
        raise ConfigurationError(
            "an output of kind 'serial' needs pyserial, which is not installed",
            code="extra_missing",
            hint="pip install 'treering[serial]'",
        ) from None
    return serial
