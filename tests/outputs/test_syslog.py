"""Records as syslog messages: a real daemon has them all, and trouble on the way loses none."""

import socket
import struct
import threading
from contextlib import suppress

import pytest
from authority import Authority
from batches import batch, deliver, line, of
from programs import wait_for
from syslogd import Syslogd, free_port

from treering.errors import ConfigurationError, NetworkFailed, OutputUnavailable
from treering.outputs.syslog import SyslogOutput


@pytest.fixture(scope="module")
def authority(tmp_path_factory):
    return Authority(tmp_path_factory.mktemp("authority"))


@pytest.fixture(scope="module")
def certificate(authority):
    return authority.issue("server")


@pytest.fixture
def daemon(tmp_path, authority, certificate):
    """Starts rsyslogd for a protocol; stops it at the end."""
    started = []

    def start(protocol, *, files=certificate, demands=False):
        files = (authority.file, *files)
        started.append(Syslogd(tmp_path, protocol, files=files, demands=demands))
        started[-1].start()
        return started[-1]

    yield start
    for one in started:
        one.stop()


@pytest.fixture
def output(authority):
    """Makes outputs that trust `authority`, and closes them at the end."""
    made = []

    def make(protocol, port, **options):
        trusted = {"ca_file": authority.file} if protocol == "tls" else {}
        options = {"host": "127.0.0.1", "timeout_s": 5, **trusted, **options}
        made.append(SyslogOutput(protocol=protocol, port=port, **options))
        return made[-1]

    yield make
    for one in made:
        one.close()


class Listener:
    """A TCP server of the test's own; `serve` gets each connection, which is closed after it."""

    def __init__(self, serve, port=0):
        self.frames = []
        self._connection = None
        self._serve = serve
        self._listening = socket.create_server(("127.0.0.1", port))
        self.port = self._listening.getsockname()[1]
        self._thread = threading.Thread(target=self._run)
        self._thread.start()

    def _run(self):
        while True:
            try:
                connection, _ = self._listening.accept()
            except OSError:
                return
            with connection, suppress(OSError):
                self._connection = connection
                self._serve(connection)

    def read(self, connection, most=None):
        """Reads frames until the end, or until there are `most`."""
        with connection.makefile("rb") as stream:
            count = 0
            while count != most:
                length = b""
                while (byte := stream.read(1)) not in {b" ", b""}:
                    length += byte
                if not length:
                    return
                self.frames.append(stream.read(int(length)).decode())
                count += 1

    @property
    def numbers(self):
        return [int(frame.rsplit(" ", 1)[1]) for frame in self.frames]

    def stop(self):
        self._listening.shutdown(socket.SHUT_RDWR)
        self._listening.close()
        if self._connection is not None:
            with suppress(OSError):
                self._connection.shutdown(socket.SHUT_RDWR)
        self._thread.join()


@pytest.fixture
def listener():
    """Serves each connection with a function of listener and connection."""
    made = []

    def make(serve, port=0):
        made.append(Listener(lambda connection: serve(made[-1], connection), port))
        return made[-1]

    yield make
    for one in made:
        one.stop()


def broken(connection):
    """Ends a connection as a program does that dies with something unread."""
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    connection.close()


@pytest.mark.parametrize("protocol", ["udp", "tcp", "tls"])
def test_a_real_daemon_has_every_record_with_its_structured_data(daemon, output, protocol):
    rsyslogd = daemon(protocol)
    sent = output(protocol, rsyslogd.port, facility="local3", hostname="web-1", app_name="shop")

    for at in range(0, 300, 50):
        sent.write(batch(at, at + 50))
        if protocol == "udp":
            # Nothing holds a sender of datagrams back but seeing them arrive.
            wait_for(lambda: len(rsyslogd.numbers()) == at + 50, "datagrams")  # noqa: B023

    wait_for(lambda: rsyslogd.numbers() == list(range(300)), "300 records in order")
    priority, host, program, process, data, message = rsyslogd.received()[7]
    assert (priority, host, program, process) == ("158", "web-1", "shop", "4711")
    assert 'n="7"' in data
    assert message == "number 7"


def test_a_daemon_that_wants_lines_gets_lines(daemon, output):
    rsyslogd = daemon("tcp")

    output("tcp", rsyslogd.port, framing="lf").write(batch(0, 20))

    wait_for(lambda: rsyslogd.numbers() == list(range(20)), "20 records")


def test_the_old_format_is_understood(daemon, output):
    rsyslogd = daemon("tcp")
    sent = output(
        "tcp", rsyslogd.port, format="rfc3164", hostname="web-1", app_name="shop", facility=1
    )

    sent.write(batch(0, 1))

    (received,) = wait_for(rsyslogd.received, "a record")
    assert received[:4] == ("14", "web-1", "shop", "4711")
    assert "number 0" in received[5]


def test_an_erased_record_is_no_message(daemon, output):
    rsyslogd = daemon("tcp")

    output("tcp", rsyslogd.port).write(of([line(0), b"", line(2)], range(3)))

    wait_for(lambda: rsyslogd.numbers() == [0, 2], "2 records")
    assert len(rsyslogd.received()) == 2


def test_no_message_forges_another(daemon, output):
    rsyslogd = daemon("tcp")
    forged = "in\n<0>1 2026-11-21T01:18:00Z root su 1 - - password is x\r\n5 <0>hi"

    output("tcp", rsyslogd.port, framing="lf").write(batch(0, 3, message=forged))

    wait_for(lambda: rsyslogd.numbers() == [0, 1, 2], "3 records")
    assert len(rsyslogd.received()) == 3
    assert {received[0] for received in rsyslogd.received()} == {"14"}


def test_a_local_socket_gets_one_datagram_for_each_record(output, tmp_path):
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as device:
        device.bind(str(tmp_path / "log"))

        output("unix", None, path=str(tmp_path / "log")).write(batch(0, 3))

        received = [device.recv(9000).decode() for _ in range(3)]
    assert [text.rsplit(" ", 1)[1] for text in received] == ["0", "1", "2"]
    assert all(text.startswith("<14>1 2026-11-21T01:18:00") for text in received)


def test_a_local_socket_that_is_missing_is_unavailable(output, tmp_path):
    with pytest.raises(OutputUnavailable, match="absent"):
        output("unix", None, path=str(tmp_path / "absent")).open()


def test_a_local_socket_that_is_full_takes_the_rest_later(output, tmp_path):
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as device:
        device.bind(str(tmp_path / "log"))
        sent = output("unix", None, path=str(tmp_path / "log"), timeout_s=0.1)

        with pytest.raises(NetworkFailed) as caught:
            sent.write(batch(0, 1000))

        taken = caught.value.accepted
        assert 0 < taken < 1000
        for at in range(taken):
            assert device.recv(9000).decode().endswith(f"number {at}")
        sent.write(batch(taken, taken + 1))
        assert device.recv(9000).decode().endswith(f"number {taken}")


@pytest.mark.parametrize(("protocol", "most"), [("udp", 2048), ("tcp", 8192)])
def test_a_message_that_is_too_long_is_cut_between_characters(output, listener, protocol, most):
    long = line(0, message="größer " * 2000)
    lines = of([long, line(1)], range(2))
    if protocol == "udp":
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as receiver:
            receiver.bind(("127.0.0.1", 0))
            sent = output("udp", receiver.getsockname()[1])
            sent.write(lines)
            received = receiver.recv(70_000).decode()
    else:
        server = listener(lambda self, connection: self.read(connection))
        sent = output("tcp", server.port)
        sent.write(lines)
        received = wait_for(lambda: server.frames, "a message")[0]

    assert most - 20 < len(received.encode()) <= most
    assert 'n="0"' in received
    assert received.endswith(" more bytes>")
    assert sent.statistics()["truncated"] == 1


def test_structured_data_that_is_too_long_stays_well_formed(daemon, output):
    rsyslogd = daemon("tcp")
    fields = {f"field{at}": '"]\\' * 200 for at in range(100)}

    output("tcp", rsyslogd.port).write(batch(0, 2, **fields))

    wait_for(lambda: rsyslogd.numbers() == [0, 1], "2 records")
    for *_, data, message in rsyslogd.received():
        assert data.startswith("[")
        assert data.endswith('"]')
        assert message.startswith("number ")
        assert message.endswith(" more bytes>")


CASES = {
    "a stranger's": ({}, {}),
    "an expired one": ({"expired": True}, {}),
    "another host's": ({"hosts": ("example.org",)}, {}),
}


@pytest.mark.parametrize("case", CASES)
def test_a_daemon_that_does_not_prove_who_it_is_gets_nothing(
    daemon, output, authority, tmp_path, case
):
    issuer = Authority(tmp_path, "stranger") if case == "a stranger's" else authority
    rsyslogd = daemon("tls", files=issuer.issue(case.replace("'", ""), **CASES[case][0]))

    with pytest.raises(NetworkFailed, match="certificate verify failed"):
        output("tls", rsyslogd.port).write(batch(0, 3))

    assert rsyslogd.received() == []


def test_the_name_in_the_certificate_can_be_said(daemon, output, authority):
    rsyslogd = daemon("tls", files=authority.issue("named", hosts=("logs.example",)))

    output("tls", rsyslogd.port, server_name="logs.example").write(batch(0, 3))

    wait_for(lambda: rsyslogd.numbers() == [0, 1, 2], "3 records")


def test_a_daemon_that_demands_a_certificate_is_shown_one(daemon, output, authority):
    rsyslogd = daemon("tls", demands=True)
    ours, key = authority.issue("client")

    output("tls", rsyslogd.port, client_cert=ours, client_key=key).write(batch(0, 3))

    wait_for(lambda: rsyslogd.numbers() == [0, 1, 2], "3 records")


@pytest.mark.parametrize("shown", ["none", "a stranger's"])
def test_without_the_right_one_no_record_counts_as_delivered(daemon, output, tmp_path, shown):
    rsyslogd = daemon("tls", demands=True)
    options = {}
    if shown != "none":
        ours, key = Authority(tmp_path / "other", "stranger").issue("client")
        options = {"client_cert": ours, "client_key": key}

    with pytest.raises(NetworkFailed, match=r"(?i)alert") as caught:
        output("tls", rsyslogd.port, **options).write(batch(0, 3))

    assert caught.value.accepted == 0
    assert rsyslogd.received() == []


@pytest.mark.parametrize("protocol", ["tcp", "tls"])
def test_a_daemon_that_is_restarted_under_load_misses_nothing(daemon, output, protocol):
    rsyslogd = daemon(protocol)
    sent = output(protocol, rsyslogd.port)
    reached = threading.Semaphore(0)
    marks = [2000, 4000]

    def tell(at):
        if marks and at >= marks[0]:
            marks.pop(0)
            reached.release()

    thread = threading.Thread(target=deliver, args=(sent, 8000), kwargs={"after_each": tell})
    thread.start()
    for _ in range(2):
        assert reached.acquire(timeout=20)
        rsyslogd.stop()
        rsyslogd.start()
    thread.join()

    wait_for(lambda: set(rsyslogd.numbers()) == set(range(8000)), "every record")
    assert sent.statistics()["unconfirmed"] == 0


def test_what_a_dying_daemon_had_not_read_comes_again(output, listener):
    dies = threading.Event()

    def serve(self, connection):
        if self.frames:
            self.read(connection)
            return
        self.read(connection, 10)
        assert dies.wait(20)
        broken(connection)

    server = listener(serve)
    sent = output("tcp", server.port)
    sent.write(batch(0, 500))
    wait_for(lambda: len(server.frames) == 10, "the first messages")

    dies.set()
    deliver(sent, 600, begin=500)

    wait_for(lambda: set(server.numbers) == set(range(600)), "every record")
    assert sent.statistics()["resent"] == 500


def test_a_server_that_takes_connections_and_breaks_them_makes_no_progress(output, listener):
    breaks = threading.Event()
    breaks.set()

    def serve(self, connection):
        if breaks.is_set():
            connection.recv(10)
            broken(connection)
        else:
            self.read(connection)

    server = listener(serve)
    sent = output("tcp", server.port)
    at, stood = 0, []
    while len(stood) < 5:
        try:
            sent.write(batch(at, at + 10))
            at += 10
        except NetworkFailed as error:
            at += error.accepted
            sent.close()
            # Nothing is in doubt as long as its host was quicker to break than to acknowledge.
            stood += [at] if sent.statistics()["unconfirmed"] else []
    assert stood == [stood[0]] * 5, "nothing new before what is in doubt was read"

    breaks.clear()
    sent.write(batch(at, at + 50))
    sent.close()

    wait_for(lambda: set(server.numbers) == set(range(at + 50)), "every record")


def test_a_server_that_closes_in_order_gets_nothing_twice(output, listener):
    server = listener(lambda self, connection: self.read(connection, 5))
    sent = output("tcp", server.port)

    for at in range(0, 50, 5):
        sent.write(batch(at, at + 5))
        wait_for(lambda: len(server.frames) == at + 5, "the batch")  # noqa: B023
        wait_for(lambda: not sent.flush() and sent.statistics()["unconfirmed"] == 0, "the end")

    assert server.numbers == list(range(50))
    assert sent.statistics()["resent"] == 0


def test_a_half_closed_connection_is_replaced_and_loses_nothing(output, listener):
    def serve(self, connection):
        connection.shutdown(socket.SHUT_WR)
        self.read(connection)

    server = listener(serve)
    sent = output("tcp", server.port)

    deliver(sent, 30, step=10)

    wait_for(lambda: server.numbers == list(range(30)), "every record once")


def test_a_server_that_reads_nothing_is_given_up_after_a_while(output, listener):
    done = threading.Event()
    server = listener(lambda self, connection: done.wait(30))
    sent = output("tcp", server.port, timeout_s=0.3)
    text = "x" * 4000

    with pytest.raises(NetworkFailed, match="took no more") as caught:
        for at in range(0, 10_000, 1000):
            sent.write(batch(at, at + 1000, text=text))

    assert caught.value.accepted < 1000
    done.set()


def test_closing_waits_until_everything_was_read(output, listener):
    server = listener(lambda self, connection: self.read(connection))
    sent = output("tcp", server.port)
    sent.write(batch(0, 1000))

    sent.close()

    assert sent.statistics()["unconfirmed"] == 0
    wait_for(lambda: server.numbers == list(range(1000)), "every record")


def test_nobody_listening_is_a_network_error(output):
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))

        with pytest.raises(NetworkFailed, match="could not be reached"):
            output("tcp", probe.getsockname()[1]).open()


def test_datagrams_that_nobody_listens_for_come_again(output):
    sent = output("udp", free_port())

    with pytest.raises(NetworkFailed, match="took no more") as caught:
        sent.write(batch(0, 20))

    assert caught.value.accepted == 0


@pytest.mark.parametrize(
    ("options", "wanted"),
    [
        ({"protocol": "sctp"}, "udp, tcp, tls or unix"),
        ({"port": 0}, "a number from 1 to 65535"),
        ({"facility": "local8"}, "local0"),
        ({"facility": 24}, "0 to 23"),
        ({"framing": "nul"}, "octet or lf"),
        ({"format": "netlink"}, "rfc5424 or rfc3164"),
        ({"max_message_bytes": 100}, "480"),
        ({"max_message_bytes": "1MB"}, "at most 65000 over udp"),
        ({"protocol": "tls", "ca_file": "/nowhere.pem"}, "nowhere.pem"),
        ({"protocol": "tls", "client_key": "/nowhere.pem"}, "client_cert"),
    ],
    ids=str,
)
def test_an_option_that_cannot_be_used_is_named(options, wanted):
    with pytest.raises(ConfigurationError) as caught:
        SyslogOutput(**options)

    assert wanted in str(caught.value)
    assert list(options)[-1] in str(caught.value)
