"""The process of a witness: killed, besieged, stopped."""

import json
import os
import re
import signal
import socket
import threading
import time
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from programs import run, start, wait_for
from transparency import Log, ask, log_path, post, size_of

from treering import _core
from treering.witness import Witness, WitnessServer

NAME = "witness.example/w1"
LOG = Log()
TESTS = str(Path(__file__).parent.parent)

COMMAND = """
import argparse, sys
from treering.cli import witness
parser = argparse.ArgumentParser()
witness.add(parser.add_subparsers())
options = parser.parse_args(["witness", "serve", *sys.argv[1:]])
sys.exit(options.run(options))
"""


@pytest.fixture
def directory(tmp_path):
    return tmp_path / "witness"


@pytest.fixture
def server(directory):
    with WitnessServer(Witness(directory, NAME, logs=[LOG.vkey])) as server:
        yield server


def serve(directory, *options):
    """The program, its vkey and its URL."""
    options = options or ("--log", LOG.vkey)
    program = start(COMMAND, "--directory", directory, "--name", NAME, *options)
    return program, program.stdout.readline().strip(), program.stdout.readline().strip()


def seen(directory):
    newest = Witness(directory, NAME, logs=[LOG.vkey]).newest(log_path(LOG).split("/")[1])
    return size_of(newest)


@pytest.mark.parametrize("told", [signal.SIGTERM, signal.SIGINT], ids=["SIGTERM", "SIGINT"])
def test_the_command_serves_until_it_is_told_to_stop(directory, told):
    program, vkey, url = serve(directory)
    line = post(url, LOG.request(0, 3))[2]
    program.send_signal(told)
    out, err = program.communicate(timeout=20)

    assert (program.returncode, out, err) == (0, "", "")
    assert _core.cosignature_verify(LOG.checkpoint(3), line.decode(), vkey)


def test_the_command_takes_its_logs_from_a_policy(directory, tmp_path):
    (tmp_path / "policy").write_text(f"log {LOG.vkey}\nquorum none\n")
    program, _, url = serve(directory, "--policy", tmp_path / "policy")

    assert post(url, LOG.request(0, 3))[0] == 200
    program.terminate()
    program.communicate(timeout=20)


def test_the_command_says_what_it_could_not_store(directory):
    program, _, url = serve(directory)
    post(url, LOG.request(0, 3))
    (directory / f"{log_path(LOG).split('/')[1]}.new").mkdir()
    post(url, LOG.request(3, 7))
    complaint = program.stderr.readline()
    program.terminate()
    program.communicate(timeout=20)

    assert re.match("treering: .*directory", complaint)


def test_a_killed_witness_is_never_behind_what_it_answered(directory):
    answered, sent = [0], [0]

    def submit_on(url):
        while True:
            sent[0] = answered[0] + 1
            try:
                status, _, _ = post(url, LOG.request(answered[0], sent[0]))
            except OSError:
                return
            assert status == 200
            answered[0] = sent[0]

    for _ in range(6):
        program, _, url = serve(directory)
        begin = answered[0] = seen(directory)
        client = threading.Thread(target=submit_on, args=[url])
        client.start()
        wait_for(lambda: answered[0] >= begin + 7, "answers")  # noqa: B023 - waits at once
        program.kill()
        program.communicate()
        client.join(20)

        assert seen(directory) in {answered[0], sent[0]}


def test_a_witness_killed_at_any_step_of_storing_has_the_old_or_the_new(directory):
    done = run(
        """
        import json, os, signal, sys
        from transparency import Log, log_path, size_of
        from treering.witness import Witness

        def witness():
            return Witness(sys.argv[1], "w", logs=[log.vkey])

        def killed_at(step, request):
            steps = iter(range(step))
            def count(frame, event, function):
                named = getattr(function, "__name__", "")
                if event in ("c_call", "c_return") and named in STEPS and next(steps, None) is None:
                    os.kill(os.getpid(), signal.SIGKILL)
            opened = witness()
            sys.setprofile(count)
            status = opened.add_checkpoint(request)[0]
            sys.setprofile(None)
            os._exit(0 if status == 200 else 1)

        STEPS = {"open", "fdopen", "write", "flush", "fsync", "rename", "close", "flock"}
        log, found, ended = Log(), [], -1
        witness().add_checkpoint(log.request(0, 1))
        while ended != 0:
            old = size_of(witness().newest(log_path(log).split("/")[1]))
            child = os.fork()
            if child == 0:
                killed_at(len(found), log.request(old, old + 1))
            ended = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
            new = size_of(witness().newest(log_path(log).split("/")[1]))
            found.append([ended, new - old])
        print(json.dumps(found))
        """,
        directory,
        env={"PYTHONPATH": os.pathsep.join([TESTS, os.environ.get("PYTHONPATH", "")])},
    )
    *killed, answered = json.loads(done[1])

    assert answered == [0, 1]
    assert len(killed) > 12
    assert {ended for ended, _ in killed} == {-signal.SIGKILL}
    grown = [grown for _, grown in killed]
    assert set(grown) == {0, 1}
    assert grown == sorted(grown)


REQUESTS = {
    "no such address": (404, "POST", "/other", b"old 0\n", {}),
    "no such log": (404, "GET", f"/{'0' * 64}/checkpoint", None, {}),
    "an address that is a path": (404, "GET", "/../key/checkpoint", None, {}),
    "the key": (404, "GET", "/key", None, {}),
    "too long": (413, "POST", "/add-checkpoint", None, {"Content-Length": "65537"}),
    "a length that is none": (411, "POST", "/add-checkpoint", None, {"Content-Length": "-1"}),
    "no length": (411, "POST", "/add-checkpoint", None, {"Transfer-Encoding": "chunked"}),
    "another method": (501, "DELETE", "/add-checkpoint", None, {}),
}


@pytest.mark.parametrize("request_", REQUESTS.values(), ids=REQUESTS)
def test_refused_by_http(server, request_):
    status, *request_ = request_

    assert ask(server.url, *request_)[0] == status
    assert server.failures == 0


def test_only_trusted_logs_leave_files(server, directory):
    before = set(directory.iterdir())
    ask(server.url, "GET", f"/{'0' * 64}/checkpoint")
    post(server.url, Log("example.com/other").request(0, 3))

    assert set(directory.iterdir()) == before


def test_a_connection_takes_several_requests(server):
    host, port = urlsplit(server.url).netloc.split(":")
    request = LOG.request(0, 3)
    head = f"POST /add-checkpoint HTTP/1.1\r\nHost: x\r\nContent-Length: {len(request)}\r\n\r\n"
    with socket.create_connection((host, port), timeout=20) as client:
        client.sendall((head.encode() + request) * 2)
        answers = b""
        while answers.count(b"\r\n\r\n") < 2:
            answers += client.recv(65536)

    assert answers.startswith(b"HTTP/1.1 200 ")
    assert b"HTTP/1.1 409 " in answers


def test_idle_connections_neither_stop_the_answers_nor_the_end(directory):
    with WitnessServer(Witness(directory, NAME, logs=[LOG.vkey])) as server:
        address = urlsplit(server.url).netloc.split(":")
        idle = [socket.create_connection(address, timeout=20) for _ in range(20)]
        assert post(server.url, LOG.request(0, 3))[0] == 200
        closing = time.monotonic()
    took_s = time.monotonic() - closing
    for client in idle:
        client.close()

    assert took_s < 5


def test_a_client_that_goes_away_in_the_middle_is_no_failure(server):
    address = urlsplit(server.url).netloc.split(":")
    for sent in (b"", b"POST", b"POST /add-checkpoint HTTP/1.1\r\nContent-Length: 99\r\n\r\nold"):
        with socket.create_connection(address, timeout=20) as client:
            client.sendall(sent)

    assert post(server.url, LOG.request(0, 3))[0] == 200
    assert server.failures == 0


def test_a_request_that_is_cut_short_is_not_carried_out(server, directory):
    request = LOG.request(0, 3)
    head = f"POST /add-checkpoint HTTP/1.1\r\nContent-Length: {len(request) + 1}\r\n\r\n"
    with socket.create_connection(urlsplit(server.url).netloc.split(":"), timeout=20) as client:
        client.sendall(head.encode() + request)
        client.shutdown(socket.SHUT_WR)

        assert client.recv(99) == b""
    assert seen(directory) == 0


def test_more_connections_than_it_takes_are_closed_and_the_others_answered(server):
    address = urlsplit(server.url).netloc.split(":")
    idle = [socket.create_connection(address, timeout=20) for _ in range(80)]
    closed = [client for client in idle[64:] if client.recv(1) == b""]
    idle[0].sendall(b"GET /x HTTP/1.1\r\nHost: x\r\n\r\n")

    assert len(closed) == 16
    assert idle[0].recv(9) == b"HTTP/1.1 "
    for client in idle:
        client.close()
