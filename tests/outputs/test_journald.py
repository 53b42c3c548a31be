"""Records in systemd's journal: against a reader of its protocol, and against journald itself."""

import array
import json
import os
import shutil
import socket
import struct
import subprocess
import threading
import time

import pytest
from batches import messages, record

from treering.errors import BufferFull, ConfigurationError, OutputUnavailable
from treering.outputs.journald import JournaldOutput


class Receiver:
    """A socket that reads entries as the protocol's page describes them."""

    def __init__(self, path):
        self.path = str(path)
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._socket.bind(self.path)
        self._socket.settimeout(10)
        self.files = 0

    def entry(self):
        data, ancillary, _, _ = self._socket.recvmsg(1 << 20, 1024)
        for level, kind, descriptors in ancillary:
            assert (level, kind) == (socket.SOL_SOCKET, socket.SCM_RIGHTS)
            assert data == b""
            (descriptor,) = array.array("i", descriptors)
            with open(descriptor, "rb") as file:
                with pytest.raises(PermissionError):
                    os.write(descriptor, b"x")
                file.seek(0)
                data = file.read()
            self.files += 1
        return dict(self._fields(data))

    def _fields(self, data):
        while data:
            line, _, data = data.partition(b"\n")
            name, equals, value = line.partition(b"=")
            if not equals:
                (length,) = struct.unpack_from("<Q", data)
                value, data = data[8 : 8 + length], data[8 + length :]
                assert data[:1] == b"\n"
                data = data[1:]
            yield name.decode(), value

    def close(self):
        self._socket.close()
        os.unlink(self.path)


@pytest.fixture
def receiver(tmp_path):
    made = Receiver(tmp_path / "socket")
    yield made
    made.close()


@pytest.fixture
def output(receiver):
    made = JournaldOutput(socket_path=receiver.path, identifier="shop", write_timeout_s=0.2)
    made.open()
    yield made
    made.close()


FULL = record(
    "Payment failed",
    level="ERROR",
    component="shop.till",
    category="api",
    module="shop",
    function="pay",
    file="shop.py",
    line=7,
    process=12,
    thread=13,
    trace_id="0af7651916cd43dd8448eb211c80319c",
    context={"request-id": "r-1"},
    metadata={"order": 42, "tags": ["a", None], "ok": True, "note": "two\nlines"},
)


def test_a_record_is_an_entry_with_fields(receiver, output):
    output.write(messages(FULL, first=5))

    assert receiver.entry() == {
        "MESSAGE": b"Payment failed",
        "PRIORITY": b"3",
        "SYSLOG_IDENTIFIER": b"shop",
        "TREERING_INDEX": b"5",
        "TREERING_TIMESTAMP": b"2026-11-21T01:18:00.123456789Z",
        "TREERING_LEVEL": b"ERROR",
        "TREERING_COMPONENT": b"shop.till",
        "TREERING_CATEGORY": b"api",
        "TREERING_MODULE": b"shop",
        "CODE_FUNC": b"pay",
        "CODE_FILE": b"shop.py",
        "CODE_LINE": b"7",
        "SYSLOG_PID": b"12",
        "TID": b"13",
        "TREERING_TRACE_ID": b"0af7651916cd43dd8448eb211c80319c",
        "TREERING_CONTEXT_REQUEST_ID": b"r-1",
        "TREERING_METADATA_ORDER": b"42",
        "TREERING_METADATA_TAGS": b'["a",null]',
        "TREERING_METADATA_OK": b"true",
        "TREERING_METADATA_NOTE": b"two\nlines",
    }


@pytest.mark.parametrize(
    ("level", "priority"),
    [
        ("TRACE", b"7"),
        ("DEBUG", b"7"),
        ("INFO", b"6"),
        ("NOTICE", b"5"),
        ("WARNING", b"4"),
        ("Level 33", b"4"),
        ("ERROR", b"3"),
        ("CRITICAL", b"2"),
        ("SECURITY", b"4"),
        ("AUDIT", b"5"),
        ("whatever", b"5"),
    ],
)
def test_the_priority_is_that_of_the_level(receiver, output, level, priority):
    output.write(messages(record("m", level=level)))

    assert receiver.entry()["PRIORITY"] == priority


def test_nothing_in_a_record_adds_a_field(receiver, output):
    hostile = "m\nPRIORITY=0\nX\n\x01\0\0\0\0\0\0\0y"
    fields = {"a=b\nPRIORITY": hostile, "": "empty"}
    output.write(messages(record(hostile, metadata=fields), shown=lambda r: r["message"].encode()))

    entry = receiver.entry()
    assert entry["MESSAGE"] == hostile.encode()
    assert entry["PRIORITY"] == b"6"
    assert entry["TREERING_METADATA_A_B_PRIORITY"] == hostile.encode()
    assert entry["TREERING_METADATA_"] == b"empty"


def test_names_are_such_as_journald_takes(receiver, output):
    output.write(messages(record("m", metadata={"größe in m²": 1, "x" * 100: 2})))

    names = receiver.entry()
    assert "TREERING_METADATA_GR_SSE_IN_M_" in names
    assert "TREERING_METADATA_" + "X" * 46 in names
    assert all(len(name) <= 64 for name in names)


def test_an_exception_is_told_as_python_tells_it(receiver, output):
    frame = {"file": "shop.py", "line": 3, "function": "pay"}
    exception = {"type": "ValueError", "message": "no\nmoney", "stack": [frame]}
    output.write(messages(record("m", exception=exception)))

    entry = receiver.entry()
    assert entry["TREERING_EXCEPTION_TYPE"] == b"ValueError"
    assert entry["TREERING_EXCEPTION_MESSAGE"] == b"no\nmoney"
    assert entry["TREERING_EXCEPTION"].decode() == (
        "Traceback (most recent call last):\n"
        '  File "shop.py", line 3, in pay\n'
        "ValueError: no\n"
        "money"
    )


def test_a_record_that_is_too_large_for_a_datagram_arrives_whole(receiver, output):
    large = "x" * (16 << 20)
    output.write(messages(large, "small"))

    assert receiver.entry()["MESSAGE"] == large.encode()
    assert receiver.entry()["MESSAGE"] == b"small"
    assert receiver.files == 1
    assert output.statistics() == {"passed_as_files": 1}


def test_more_fields_than_journald_takes_are_one(receiver, output):
    many = {f"k{at}": at for at in range(2000)}
    output.write(messages(record("m", metadata=many)))

    assert json.loads(receiver.entry()["TREERING_METADATA"]) == many


def test_a_line_that_is_no_record_is_an_entry(receiver, output):
    output.write(messages(b"[1,2]"))

    assert receiver.entry()["TREERING_INDEX"] == b"0"


def test_a_full_queue_tells_what_it_took(receiver, output):
    texts = [f"record {at}" for at in range(20_000)]
    with pytest.raises(BufferFull, match=r"took nothing for 0\.2 s") as full:
        output.write(messages(*texts))

    accepted = full.value.accepted
    assert 0 < accepted < 20_000
    found = [receiver.entry()["MESSAGE"].decode() for _ in range(accepted)]
    assert found == texts[:accepted]


def test_a_slow_journald_is_waited_for(receiver, output):
    texts = [f"record {at}" for at in range(3000)]
    found = []
    reader = threading.Thread(
        target=lambda: found.extend(receiver.entry()["MESSAGE"].decode() for _ in texts)
    )
    reader.start()
    output.write(messages(*texts))
    reader.join(20)

    assert found == texts


def test_a_journald_that_is_restarted_gets_the_rest(tmp_path):
    receiver = Receiver(tmp_path / "socket")
    output = JournaldOutput(socket_path=tmp_path / "socket")
    output.open()
    output.write(messages("before"))
    receiver.close()

    assert not output.is_available()
    with pytest.raises(OutputUnavailable, match="cannot be reached") as gone:
        output.write(messages("after"))
    assert gone.value.accepted == 0
    output.close()
    with pytest.raises(OutputUnavailable, match="No such file"):
        output.open()

    receiver = Receiver(tmp_path / "socket")
    assert output.is_available()
    output.open()
    output.write(messages("after"))
    assert receiver.entry()["MESSAGE"] == b"after"
    output.close()
    receiver.close()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"socket_path": ""}, "socket_path of output 'journald' is '': the path of a socket"),
        ({"identifier": ""}, "identifier of output 'journald' is '': a word"),
        ({"write_timeout_s": "soon"}, "write_timeout_s of output 'journald' is 'soon': seconds"),
    ],
)
def test_what_cannot_be_used_is_named(options, message):
    with pytest.raises(ConfigurationError) as refused:
        JournaldOutput(**options)
    assert message in str(refused.value)


@pytest.fixture
def journald(tmp_path):
    """The root of the file system that a journald of our own sees."""
    program = "/lib/systemd/systemd-journald"
    if not (os.path.exists(program) and shutil.which("journalctl") and shutil.which("unshare")):
        pytest.skip("systemd-journald is not installed")
    private = "mount -t tmpfs tmpfs /run && mount -t tmpfs tmpfs /var/log"
    with (tmp_path / "journald.log").open("w") as log:
        started = subprocess.Popen(
            ["unshare", "--map-root-user", "--mount", "sh", "-c", f"{private} && exec {program}"],
            stderr=log,
        )
    root = f"/proc/{started.pid}/root"
    deadline = time.monotonic() + 10
    while not os.path.exists(f"{root}/run/systemd/journal/stdout"):
        if started.poll() is not None or time.monotonic() > deadline:
            started.kill()
            started.wait()
            pytest.skip("systemd-journald does not run: " + (tmp_path / "journald.log").read_text())
        time.sleep(0.01)
    yield root
    started.terminate()
    started.wait(10)


def entries(root, count):
    """What journalctl shows of identifier `shop`, as soon as it is `count` entries."""
    deadline = time.monotonic() + 10
    while True:
        shown = subprocess.run(
            ["journalctl", "-D", f"{root}/run/log/journal", "-t", "shop", "-o", "json", "--all"],
            capture_output=True,
            check=False,
        ).stdout
        found = [json.loads(line) for line in shown.splitlines()]
        if len(found) >= count:
            return found
        assert time.monotonic() < deadline, found
        time.sleep(0.05)


def test_journald_itself_stores_what_was_logged(journald):
    output = JournaldOutput(socket_path=f"{journald}/run/systemd/journal/socket", identifier="shop")
    output.open()
    large = "y" * (2 << 20)
    output.write(messages(FULL, record(large, level="WARNING"), first=5))
    output.close()

    full, big = entries(journald, 2)
    assert full["MESSAGE"] == "Payment failed"
    assert full["PRIORITY"] == "3"
    assert full["TREERING_INDEX"] == "5"
    assert full["CODE_FUNC"] == "pay"
    assert full["TREERING_METADATA_ORDER"] == "42"
    assert full["TREERING_METADATA_NOTE"] == "two\nlines"
    assert full["_TRANSPORT"] == "journal"
    assert big["MESSAGE"] == large
    assert big["PRIORITY"] == "4"
