"""A witness or a command confirms a checkpoint, or it is said why not."""

import threading
import time

import pytest
from foreign import foreign
from programs import wait_for
from transparency import Log

from treering import _core
from treering.anchor import run_command, submit
from treering.errors import AnchorError, ConfigurationError
from treering.witness import Witness, WitnessServer

LOG = Log()
CHECKPOINT = LOG.checkpoint(7)


@pytest.fixture
def server(tmp_path):
    witness = Witness(tmp_path / "witness", "witness.example/w1", logs=[LOG.vkey])
    with WitnessServer(witness) as server:
        server.vkey = witness.vkey
        yield server


class Proofs:
    """Consistency proofs to a size, and which were asked for."""

    def __init__(self, size):
        self.size = size
        self.asked = []

    def __call__(self, old):
        self.asked.append(old)
        return LOG.proof(old, self.size)


def submitted(server, size, **options):
    proofs = Proofs(size)
    line = submit(LOG.checkpoint(size), proofs, url=server.url, vkey=server.vkey, **options)
    assert _core.cosignature_verify(LOG.checkpoint(size), line, server.vkey)
    return proofs.asked


def test_the_first_checkpoint_needs_no_proof(server):
    assert submitted(server, 3) == []


def test_a_client_that_knows_nothing_learns_the_size_and_proves(server):
    submitted(server, 3)

    assert submitted(server, 7) == [3]


def test_a_client_that_knows_the_size_proves_at_once(server):
    submitted(server, 3)

    assert submitted(server, 7, known_size=3) == [3]


def test_a_client_that_knows_an_old_size_is_put_right(server):
    submitted(server, 3)
    submitted(server, 5)

    assert submitted(server, 7, known_size=3) == [3, 5]


def test_a_witness_that_knows_nothing_puts_the_client_right(server):
    assert submitted(server, 7, known_size=3) == [3]


def test_the_same_checkpoint_is_confirmed_again(server):
    submitted(server, 7)

    assert submitted(server, 7, known_size=7) == []


def test_a_journal_that_was_cut_off_is_told_so(server):
    submitted(server, 7)

    with pytest.raises(AnchorError, match=r"has cosigned size 7, .* has 3") as raised:
        submitted(server, 3)
    assert raised.value.code == "witness_ahead"


def test_another_history_is_not_confirmed(server):
    submitted(server, 3)
    fork = Log(fork=b"another")

    with pytest.raises(AnchorError, match="refused with status 422"):
        submit(fork.checkpoint(7), lambda old: fork.proof(old, 7), url=server.url, vkey=server.vkey)


def test_a_log_that_the_witness_does_not_trust_is_told_so(server):
    log = Log("example.com/logs/other")

    with pytest.raises(AnchorError, match="refused with status 404") as raised:
        submit(log.checkpoint(3), Proofs(3), url=server.url, vkey=server.vkey)
    assert raised.value.code == "witness_refused"


WITNESS = bytes(range(32, 64))
WITNESS_VKEY = _core.cosignature_vkey("w", WITNESS)
RIGHT = _core.cosign(CHECKPOINT, "w", WITNESS, 1_750_000_000).encode()
SIZE = "text/x.tlog.size"
ANSWERS = {
    "another key": (
        "witness_cosignature_invalid",
        200,
        "text/plain",
        [_core.cosign(CHECKPOINT, "w", bytes(32), 1_750_000_000).encode()],
    ),
    "another checkpoint": (
        "witness_cosignature_invalid",
        200,
        "text/plain",
        [_core.cosign(LOG.checkpoint(6), "w", WITNESS, 1_750_000_000).encode()],
    ),
    "a broken line": ("witness_cosignature_invalid", 200, "text/plain", RIGHT[:60] + b"\n"),
    "nothing": ("witness_cosignature_invalid", 200, "text/plain", b""),
    "no text": ("witness_cosignature_invalid", 200, "text/plain", b"\xff\xfe\n"),
    "a megabyte": ("witness_cosignature_invalid", 200, "text/plain", [b"x" * 999_999, RIGHT]),
    "a redirection": ("witness_refused", 302, "text/plain", b""),
    "a size of another type": ("witness_refused", 409, "text/plain", b"3\n"),
    "a size with a leading zero": ("witness_refused", 409, SIZE, b"03\n"),
    "no size": ("witness_refused", 409, SIZE, b""),
    "a new size each time": ("witness_conflict", 409, SIZE, b"3\n"),
    "more than the journal has": ("witness_ahead", 409, SIZE, b"8\n"),
}


@pytest.mark.parametrize("answer", ANSWERS.values(), ids=ANSWERS)
def test_a_witness_that_does_not_cosign_is_an_error(answer):
    code, *answer = answer
    with foreign(lambda _: answer) as url, pytest.raises(AnchorError) as raised:
        submit(CHECKPOINT, Proofs(7), url=url, vkey=WITNESS_VKEY)

    assert raised.value.code == code
    assert url in str(raised.value)


def test_cosignatures_of_unknown_keys_are_ignored():
    other = _core.cosign(CHECKPOINT, "w", bytes(32), 1_750_000_000).encode()
    with foreign(lambda _: (200, "text/plain", other + RIGHT)) as url:
        line = submit(CHECKPOINT, Proofs(7), url=url, vkey=WITNESS_VKEY)

    assert line == RIGHT.decode()


def test_a_witness_that_is_not_there_is_an_error(server):
    server.close()

    with pytest.raises(AnchorError, match=r"could not be asked: .*refused") as raised:
        submitted(server, 3)
    assert raised.value.code == "anchor_unreachable"


def test_a_witness_that_drips_is_cut_off_in_time():
    stop = threading.Event()

    def drip(_):
        return 200, "text/plain", (b"x" for _ in iter(lambda: stop.wait(0.05), True))

    began = time.monotonic()
    with foreign(drip) as url, pytest.raises(AnchorError, match=r"within 0\.5 s") as raised:
        try:
            submit(CHECKPOINT, Proofs(7), url=url, vkey=WITNESS_VKEY, timeout_s=0.5)
        finally:
            stop.set()

    assert raised.value.code == "anchor_timed_out"
    assert time.monotonic() - began < 5


@pytest.mark.parametrize(
    "url", ["", "witness", "ftp://host", "http://", "http://u:p@host", "http://host:99999"]
)
def test_an_unusable_url_is_named(url):
    with pytest.raises(ConfigurationError, match="cannot be used"):
        submit(CHECKPOINT, Proofs(7), url=url, vkey=WITNESS_VKEY)


def test_a_command_gets_the_checkpoint(tmp_path):
    kept = tmp_path / "kept copy"

    run_command(["tee", str(kept)], CHECKPOINT)

    assert kept.read_bytes() == CHECKPOINT


def test_a_command_that_reads_nothing_and_prints_much_is_fine(capfd):
    run_command(["sh", "-c", "yes | head -c 1000000"], CHECKPOINT)

    assert capfd.readouterr() == ("", "")


def test_no_shell_reads_the_command(tmp_path):
    run_command(["test", "$(touch x)", "=", "$(touch x)"], CHECKPOINT)

    assert not list(tmp_path.iterdir())


def test_a_command_that_fails_is_quoted():
    with pytest.raises(AnchorError, match=r"ended with 3, .*: 'no space left") as raised:
        run_command(["sh", "-c", "echo no space left >&2; exit 3"], CHECKPOINT)
    assert raised.value.code == "command_failed"


def test_a_command_that_is_killed_has_failed():
    with pytest.raises(AnchorError, match="ended with -9"):
        run_command(["sh", "-c", "kill -9 $$"], CHECKPOINT)


@pytest.mark.parametrize("command", [["./there-is-none"], ["/"]])
def test_a_command_that_cannot_be_started_is_named(command):
    with pytest.raises(AnchorError, match=f"'{command[0]}' could not be started") as raised:
        run_command(command, CHECKPOINT)
    assert raised.value.code == "command_unavailable"


def test_an_empty_command_is_refused():
    with pytest.raises(ConfigurationError, match="is empty"):
        run_command([], CHECKPOINT)


def test_a_command_that_takes_too_long_is_killed_with_what_it_started(tmp_path):
    script = f"sleep 300 & echo $! > {tmp_path}/pid; wait"

    with pytest.raises(AnchorError, match=r"within 0\.5 s") as raised:
        run_command(["sh", "-c", script], CHECKPOINT, timeout_s=0.5)

    assert raised.value.code == "command_timed_out"
    started = int((tmp_path / "pid").read_text())
    wait_for(lambda: not is_running(started), "the end of what the command started")


def is_running(process):
    try:
        with open(f"/proc/{process}/stat") as stat:
            return stat.read().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False
