"""The whole road to a destination: log calls of several processes, the journal, an output, a real server."""

import signal
import threading
import time

import pytest
from authority import Authority
from programs import start, wait_for
from sink import Sink, serving
from syslogd import Syslogd

import treering

WORKER = """
    import json, sys, time, treering
    treering.configure(directory=sys.argv[1], console=False, outputs=json.loads(sys.argv[2]))
    log = treering.get_logger("shop")
    first, count = int(sys.argv[3]), int(sys.argv[4])
    for n in range(first, first + count):
        log.info("order paid", n=n)
        if n % 50 == 0:
            time.sleep(0.005)
    print("done", flush=True)
    sys.stdin.read()
"""


def worker(journal, outputs, first, count):
    import json

    return start(WORKER, journal, json.dumps(outputs), first, count, stdin=-1)


def end(workers):
    for process in workers:
        process.stdin.close()
        process.wait(60)
        for stream in (process.stdout, process.stderr):
            stream.close()


@pytest.fixture(scope="module")
def authority(tmp_path_factory):
    return Authority(tmp_path_factory.mktemp("authority"))


@pytest.mark.parametrize("protocol", ["tcp", "tls"])
def test_rsyslogd_stopped_for_a_while_under_load_misses_nothing(
    protocol, journal, tmp_path, authority
):
    files = (authority.file, *authority.issue("server"))
    server = Syslogd(tmp_path, protocol, files=files)
    server.start()
    options = {"ca_file": str(authority.file)} if protocol == "tls" else {}
    outputs = {
        "central": {
            "type": "syslog",
            "protocol": protocol,
            "host": "127.0.0.1",
            "port": server.port,
            "timeout_s": 5,
            **options,
        }
    }
    workers = [worker(journal, outputs, first, 3000) for first in (0, 3000)]
    try:
        wait_for(lambda: len(server.numbers()) > 500, "the first records", timeout=40)
        server.stop()
        time.sleep(1)
        server.start()
        for process in workers:
            assert process.stdout.readline() == "done\n"
        wait_for(lambda: set(server.numbers()) == set(range(6000)), "all records", timeout=60)
        for first in (0, 3000):
            mine = [n for n in server.numbers() if first <= n < first + 3000]
            firsts = list(dict.fromkeys(mine))
            assert firsts == sorted(firsts), "in order, whatever came again"
    finally:
        end(workers)
        server.stop()


def test_rsyslogd_gets_every_record_over_udp(journal, tmp_path):
    server = Syslogd(tmp_path, "udp")
    server.start()
    outputs = {
        "central": {"type": "syslog", "protocol": "udp", "host": "127.0.0.1", "port": server.port}
    }
    # As many as the socket's buffer holds: UDP itself promises nothing.
    process = worker(journal, outputs, 0, 100)
    try:
        assert process.stdout.readline() == "done\n"
        wait_for(lambda: len(server.numbers()) >= 100, "all records", timeout=40)
        assert server.numbers() == list(range(100))
    finally:
        end([process])
        server.stop()


def test_an_http_destination_gets_every_record_once_although_its_shipper_is_killed(journal):
    """The receipts tell a destination what it has got before."""
    got = {}

    def answer(request):
        assert request.headers["Treering-Journal"]
        indexes = []
        for part in request.headers["Treering-Index"].split(","):
            low, _, high = part.partition("-")
            indexes += range(int(low), int(high or low) + 1)
        got.update(zip(indexes, request.lines, strict=True))
        return 200, {}, b""

    with serving(Sink(answer)) as url:
        outputs = {"central": {"type": "http", "url": url}}
        workers = [worker(journal, outputs, first, 3000) for first in (0, 3000, 6000)]
        wait_for(lambda: len(got) > 1000, "the first records", timeout=40)
        (holder,) = [w for w in workers if runs_the_output(journal, w.pid)] or workers[:1]
        holder.send_signal(signal.SIGKILL)
        for process in workers:
            if process is not holder:
                assert process.stdout.readline() == "done\n"
        late = worker(journal, outputs, 9000, 10)
        assert late.stdout.readline() == "done\n"
        end([*workers, late])
        from programs import records

        written = [r for r in records(journal) if r["component"] == "shop"]
        wait_for(lambda: sum(b'"shop"' in line for line in got.values()) == len(written), "all")
    assert list(got) == sorted(got), "in order"


def runs_the_output(journal, process):
    """Whether this process holds the lock of the output."""
    import os

    lock = os.stat(journal / "cursors" / "central.lock")
    with open("/proc/locks") as locks:
        return any(
            line.split()[4] == str(process) and line.split()[5].endswith(f":{lock.st_ino}")
            for line in locks
        )


def test_an_http_destination_that_is_away_gets_everything_in_order_when_it_is_back(journal):
    sink = Sink()
    with serving(sink) as url:
        port = int(url.split(":")[2].split("/")[0])
        treering.configure(
            directory=journal, console=False, outputs={"central": {"type": "http", "url": url}}
        )
        log = treering.get_logger("shop")
        log.info("before", n=0)
        wait_for(lambda: sink.taken == [0], "the first record")
    stop = threading.Event()

    def shop():
        for n in range(1, 20_001):
            log.info("order paid", n=n)
        stop.set()

    thread = threading.Thread(target=shop)
    thread.start()
    wait_for(lambda: not treering.list_outputs()[0]["up"], "the outage")
    thread.join()
    behind = treering.list_outputs()[0]["behind"]
    with serving(sink, port=port):
        wait_for(lambda: len(sink.taken) > 20_000, "the rest", timeout=40)
    treering.shutdown()
    assert behind > 0
    assert sink.taken == list(range(20_001))
