"""Records over a serial line, played by pseudo terminals."""

import os
import pty
import subprocess
import sys
import termios
import threading
import time

import pytest
from batches import messages

import treering
from treering.errors import BufferFull, ConfigurationError, OutputUnavailable
from treering.outputs.serial import SerialOutput


class Line:
    """A serial line: `path` is the near end, and what arrives at the far end is in `received`."""

    def __init__(self):
        self.far, self.near = pty.openpty()
        self.path = os.ttyname(self.near)
        self.received = b""

    def read(self, until, *, pause_s=0.0, at_once=4096):
        """Reads until `until` was received."""
        deadline = time.monotonic() + 20
        while until not in self.received:
            assert time.monotonic() < deadline, self.received[-200:]
            self.received += os.read(self.far, at_once)
            time.sleep(pause_s)
        return self.received

    def reading(self, until, **how):
        thread = threading.Thread(target=self.read, args=(until,), kwargs=how)
        thread.start()
        return thread

    def unplug(self):
        os.close(self.far)
        os.close(self.near)


@pytest.fixture
def line():
    made = Line()
    yield made
    for end in (made.far, made.near):
        try:
            os.close(end)
        except OSError:
            pass


@pytest.fixture
def output(line):
    made = SerialOutput(port=line.path, write_timeout_s=0.2)
    yield made
    made.close()


def as_it_is(record):
    return record["message"].encode()


def numbered(count):
    return [f"record {at} " + "x" * 80 for at in range(count)]


def test_every_record_arrives_as_a_line(line, output):
    output.open()
    output.write(messages("Sensor 7 reads 21.5 °C", "Door open"))

    assert line.read(b"open\r\n") == "Sensor 7 reads 21.5 °C\r\nDoor open\r\n".encode()


@pytest.mark.parametrize(("ending", "expected"), [("lf", b"a\nb\n"), ("cr", b"a\rb\r")])
def test_the_line_ending_is_the_one_that_was_asked_for(line, ending, expected):
    output = SerialOutput(port=line.path, line_ending=ending)
    output.open()
    output.write(messages("a", "b"))

    assert line.read(expected) == expected
    output.close()


def test_every_line_of_a_text_has_the_line_ending(line, output):
    output.open()
    output.write(messages("Traceback:\n  ValueError", "after", shown=as_it_is))

    assert line.read(b"after\r\n") == b"Traceback:\r\n  ValueError\r\nafter\r\n"


def test_the_device_is_set_up_as_asked(line):
    output = SerialOutput(port=line.path, baud_rate=9600, stop_bits=2, flow_control="xon_xoff")
    output.open()

    iflag, oflag, cflag, _, _, speed, _ = termios.tcgetattr(line.near)
    assert speed == termios.B9600
    assert cflag & termios.CSTOPB
    assert iflag & termios.IXON
    assert not oflag & termios.OPOST
    output.close()


def test_a_slow_reader_slows_the_output_down_and_gets_everything(line, output):
    output.open()
    texts = numbered(300)
    reader = line.reading(texts[-1].encode(), pause_s=0.005, at_once=200)

    begin = time.monotonic()
    output.write(messages(*texts))
    assert time.monotonic() - begin > 0.3
    reader.join(20)
    assert line.received.decode() == "".join(f"{message}\r\n" for message in texts)


def test_a_reader_that_stops_loses_nothing(line, output):
    output.open()
    texts = numbered(1000)
    records = messages(*texts)

    with pytest.raises(BufferFull, match=r"took nothing for 0\.2 s") as stopped:
        output.write(records)
    accepted = stopped.value.accepted
    assert 0 < accepted < 1000
    output.close()

    reader = line.reading(texts[-1].encode())
    output.open()
    output.write(records.after(accepted))
    reader.join(20)
    lines = line.received.decode().removesuffix("\r\n").split("\r\n")
    assert [text for text in lines if text in set(texts)] == texts
    torn = [text for text in lines if text not in set(texts)]
    assert len(torn) <= 1
    assert all(texts[accepted].startswith(text) for text in torn)


def test_a_device_that_vanishes_and_comes_back_gets_the_rest(line, tmp_path):
    link = tmp_path / "ttyUSB0"
    link.symlink_to(line.path)
    output = SerialOutput(port=str(link), write_timeout_s=0.2)
    output.open()
    output.write(messages("before"))
    assert line.read(b"\r\n") == b"before\r\n"

    line.unplug()
    assert not output.is_available()
    with pytest.raises(OutputUnavailable, match="is gone") as gone:
        output.write(messages("while away"))
    assert gone.value.accepted == 0
    output.close()
    with pytest.raises(OutputUnavailable, match="cannot be opened"):
        output.open()

    other = Line()
    link.unlink()
    link.symlink_to(other.path)
    assert output.is_available()
    output.open()
    output.write(messages("while away", "after"))
    assert other.read(b"after\r\n") == b"while away\r\nafter\r\n"
    assert output.statistics()["opened"] == 2
    output.close()
    other.unplug()


def test_a_long_line_is_cut_where_everybody_sees_it(line):
    output = SerialOutput(port=line.path, max_line_bytes=64)
    output.open()
    output.write(messages("°" * 100, "short"))

    cut, short, _ = line.read(b"short\r\n").decode().split("\r\n")
    assert cut == "°" * 22 + "…<156 more bytes>"
    assert len(cut.encode()) <= 64
    assert short == "short"
    assert output.statistics()["cut_lines"] == 1
    output.close()


def test_a_device_has_one_writer(line, output):
    output.open()

    with pytest.raises(OutputUnavailable, match="lock"):
        SerialOutput(port=line.path).open()


def test_a_forked_child_does_not_keep_the_device(line, journal):
    treering.configure(directory=journal, console=False)
    treering.add_output(SerialOutput(port=line.path, components="app"))
    treering.get_logger("app").info("opens the device")
    assert treering.flush(10)
    (running, child_runs), (ending, parent_ends) = os.pipe(), os.pipe()
    child = os.fork()
    if child == 0:
        os.write(child_runs, b"x")
        os.close(parent_ends)
        os.read(ending, 1)
        os._exit(0)
    os.read(running, 1)
    treering.shutdown()

    next_one = SerialOutput(port=line.path)
    next_one.open()
    next_one.close()
    for end in (running, child_runs, ending, parent_ends):
        os.close(end)
    os.waitpid(child, 0)


def test_a_missing_device_is_unavailable(tmp_path):
    output = SerialOutput(port=str(tmp_path / "ttyS9"))

    assert not output.is_available()
    with pytest.raises(OutputUnavailable, match=r"ttyS9' cannot be opened: .*No such file"):
        output.open()


def test_what_is_no_serial_device_is_unavailable(tmp_path):
    path = tmp_path / "file"
    path.touch()

    with pytest.raises(OutputUnavailable, match="cannot be opened"):
        SerialOutput(port=str(path)).open()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({}, "port of output 'serial' is None: the path of a serial device"),
        ({"port": ""}, "port of output 'serial' is '': the path of a serial device"),
        ({"baud_rate": 10}, "baud_rate of output 'serial' is 10: a whole number from 50"),
        ({"data_bits": 9}, "data_bits of output 'serial' is 9: 5, 6, 7 or 8"),
        ({"parity": "both"}, "parity of output 'serial' is 'both': none, even, odd"),
        ({"stop_bits": 3}, "stop_bits of output 'serial' is 3: 1, 1.5 or 2"),
        ({"flow_control": "some"}, "flow_control of output 'serial' is 'some': none, xon_xoff"),
        ({"line_ending": "\n"}, "line_ending of output 'serial' is '\\n': crlf, lf or cr"),
        ({"write_timeout_s": 0}, "write_timeout_s of output 'serial' is 0: seconds from 0.1"),
        ({"max_line_bytes": 10}, "max_line_bytes of output 'serial' is 10: a size from 64 bytes"),
    ],
)
def test_what_cannot_be_used_is_named(options, message):
    given = {"port": "/dev/ttyS0"} if options and "port" not in options else {}

    with pytest.raises(ConfigurationError) as refused:
        SerialOutput(**given | options)
    assert message in str(refused.value)


def test_a_missing_pyserial_is_told_with_its_remedy():
    program = """
import sys
sys.modules["serial"] = None
from treering.errors import ConfigurationError
from treering.outputs.serial import SerialOutput
try:
    SerialOutput(port="/dev/ttyS0")
except ConfigurationError as error:
    print(error, error.hint)
"""
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )

    assert "pyserial, which is not installed" in done.stdout
    assert "pip install 'treering[serial]'" in done.stdout
