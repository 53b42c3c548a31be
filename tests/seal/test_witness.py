"""A witness answers as C2SP's tlog-witness says, and never goes back behind what it answered."""

import re
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
from transparency import Log, ask, log_path, post, size_of

from treering import _core
from treering.errors import ConfigurationError, TreeringError
from treering.witness import Witness, WitnessServer

NAME = "witness.example/w1"
LOG = Log()
FORK = Log(fork=b"another")
STRANGER = Log(seed=bytes(range(100, 132)))
NAMESAKE = Log("example.com/logs/namesake")
EPOCH = Log(seed=bytes(range(200, 232)))
ELSEWHERE = Log("example.com/logs/other", seed=bytes(range(50, 82)))


@pytest.fixture
def directory(tmp_path):
    return tmp_path / "witness"


@pytest.fixture
def witness(directory):
    return Witness(directory, NAME, logs=[LOG.vkey])


@pytest.fixture
def url(witness):
    with WitnessServer(witness) as server:
        yield server.url


def seen(witness):
    return size_of(witness.newest(log_path(LOG).split("/")[1]))


def test_a_consistent_checkpoint_is_cosigned(url, witness):
    before = int(time.time())
    assert post(url, LOG.request(0, 3))[0] == 200

    status, kind, line = post(url, LOG.request(3, 7))

    assert (status, kind) == (200, "text/plain; charset=utf-8")
    cosigned_at = _core.cosignature_verify(LOG.checkpoint(7), line.decode(), witness.vkey)
    assert before <= cosigned_at <= time.time()


def test_the_newest_checkpoint_is_served_with_its_cosignature(url, witness):
    post(url, LOG.request(0, 3))
    line = post(url, LOG.request(3, 7))[2]

    status, _, checkpoint = ask(url, "GET", log_path(LOG))

    assert status == 200
    assert checkpoint == LOG.checkpoint(7) + line


def test_the_same_checkpoint_is_cosigned_again(url):
    post(url, LOG.request(0, 3))

    assert post(url, LOG.request(3, 3))[0] == 200


def test_an_empty_tree_can_be_cosigned_and_grow(url):
    assert post(url, LOG.request(0, 0))[0] == 200
    assert post(url, LOG.request(0, 5))[0] == 200


def broken_signature(size):
    text, _, line = LOG.checkpoint(size).rpartition(b" ")
    return text + b" " + line[:40] + (b"A" if line[40:41] != b"A" else b"B") + line[41:]


CHECKPOINT = LOG.checkpoint(7)
REFUSALS = {
    "no old line": (400, b"\n" + CHECKPOINT),
    "old with a leading zero": (400, LOG.request("03", 7, proof=[])),
    "negative old": (400, LOG.request("-3", 7, proof=[])),
    "old of a thousand digits": (400, LOG.request("9" * 1000, 7, proof=[])),
    "no checkpoint": (400, b"old 3\n\n"),
    "no empty line": (400, b"old 3\n" + CHECKPOINT.replace(b"\n\n", b"\n")),
    "proof line without padding": (400, LOG.request(3, 7).replace(b"=\n", b"\n", 1)),
    "proof line that is short": (400, b"old 3\nAAAA\n\n" + CHECKPOINT),
    "proof line of other bits": (400, b"old 3\n" + b"A" * 42 + b"B=\n\n" + CHECKPOINT),
    "64 proof lines": (400, LOG.request(3, 7, proof=[bytes(32)] * 64)),
    "size with a leading zero": (
        400,
        b"old 3\n\n" + LOG.signed(LOG.text(7).replace(b"\n7\n", b"\n07\n")),
    ),
    "old above the size": (400, LOG.request(8, 7, proof=[])),
    "another log": (404, ELSEWHERE.request(0, 3)),
    "an unknown key": (403, STRANGER.request(3, 7)),
    "a trusted key's signature that fails": (
        403,
        LOG.request(3, 7, checkpoint=broken_signature(7)),
    ),
    "another log's signature": (
        403,
        b"old 3\n\n" + LOG.text(7) + b"\n" + ELSEWHERE.checkpoint(7).rpartition(b"\n\n")[2],
    ),
    "old below what is known": (409, LOG.request(2, 7)),
    "old zero": (409, LOG.request(0, 7)),
    "old above what is known": (409, LOG.request(5, 7)),
    "no proof": (422, LOG.request(3, 7, proof=[])),
    "a wrong proof": (422, LOG.request(3, 7, proof=[bytes(32)] * 4)),
    "a proof that is too long": (422, LOG.request(3, 7, proof=[*LOG.proof(3, 7), bytes(32)])),
    "a proof of another size": (422, LOG.request(3, 7, proof=LOG.proof(4, 7))),
    "another history": (422, FORK.request(3, 7)),
    "another history of the same size": (422, FORK.request(3, 3)),
    "a proof for the same size": (422, LOG.request(3, 3, proof=[bytes(32)])),
}


@pytest.mark.parametrize(("status", "body"), REFUSALS.values(), ids=REFUSALS)
def test_refused(url, witness, status, body):
    assert post(url, LOG.request(0, 3))[0] == 200

    answer = post(url, body)

    assert answer[0] == status
    if status == 409:
        assert answer[1:] == ("text/x.tlog.size", b"3\n")
    assert seen(witness) == 3


FIRST_REFUSALS = {
    "size 0 with a root": LOG.request(0, 0, checkpoint=LOG.checkpoint(0, root=bytes(32))),
    "a proof from nothing": LOG.request(0, 7, proof=[bytes(32)]),
}


@pytest.mark.parametrize("body", FIRST_REFUSALS.values(), ids=FIRST_REFUSALS)
def test_refused_as_the_first_of_a_log(url, witness, body):
    assert post(url, body)[0] == 422
    assert seen(witness) == 0


def test_a_log_that_never_was_here_conflicts_with_size_zero(url):
    assert post(url, LOG.request(3, 7)) == (409, "text/x.tlog.size", b"0\n")


def test_a_size_of_zero_with_a_root_is_refused_after_the_empty_tree(url):
    post(url, LOG.request(0, 0))

    assert post(url, FIRST_REFUSALS["size 0 with a root"])[0] == 422


def test_one_of_several_keys_of_a_log_suffices(directory):
    witness = Witness(directory, NAME)
    witness.add_log([STRANGER.vkey, LOG.vkey])
    checkpoint = EPOCH.checkpoint(3)

    assert witness.add_checkpoint(LOG.request(0, 3))[0] == 200
    assert witness.add_checkpoint(STRANGER.request(3, 7))[0] == 200
    assert witness.add_checkpoint(EPOCH.request(7, 7, checkpoint=checkpoint))[0] == 403


def test_lines_that_no_trusted_key_signed_are_not_served(witness):
    foreign = EPOCH.checkpoint(3).rpartition(b"\n\n")[2]

    line = witness.add_checkpoint(LOG.request(0, 3) + foreign)[2]

    newest = witness.newest(log_path(LOG).split("/")[1])
    assert newest == LOG.checkpoint(3) + line


def test_keys_of_two_logs_are_not_one_log(witness):
    with pytest.raises(ConfigurationError, match="keys of 2 logs"):
        witness.add_log([LOG.vkey, ELSEWHERE.vkey])


UNUSABLE_KEYS = {
    "nonsense": "nonsense",
    "another id": LOG.vkey.replace(LOG.vkey.split("+")[1], "00000000"),
    "a cosigner's": _core.cosignature_vkey(LOG.origin, LOG.seed),
    "cut": LOG.vkey[:-4],
}


@pytest.mark.parametrize("vkey", UNUSABLE_KEYS.values(), ids=UNUSABLE_KEYS)
def test_an_unusable_key_is_named(directory, vkey):
    with pytest.raises(ConfigurationError, match=re.escape(repr(vkey))):
        Witness(directory, NAME, logs=[vkey])
    assert not directory.exists()


def test_logs_of_a_policy_file_are_trusted(directory, tmp_path):
    policy = tmp_path / "policy"
    policy.write_text(
        f"# ours\n\nlog {LOG.vkey} https://example.com/logs/app\n\tlog\t{ELSEWHERE.vkey}\n"
        "witness W1 some+key\ngroup G all W1\nquorum G\n"
    )
    witness = Witness(directory, NAME, policy=policy)

    assert witness.add_checkpoint(LOG.request(0, 3))[0] == 200
    assert witness.add_checkpoint(ELSEWHERE.request(0, 3))[0] == 200


POLICIES = {
    "no log": ("quorum none\n", "no log in it"),
    "unknown line": ("quorum none\nlogs x\n", "line 2: 'logs x' found"),
    "a key twice": (f"log {LOG.vkey}\nlog {LOG.vkey}\n", "line 2: .* again"),
    "a key twice by two names": (f"log {LOG.vkey}\nlog {NAMESAKE.vkey}\n", "line 2: .* again"),
    "a bad key": ("log some+key\n", "log key 'some"),
}


@pytest.mark.parametrize(("text", "found"), POLICIES.values(), ids=POLICIES)
def test_a_policy_that_cannot_be_used_says_where(directory, tmp_path, text, found):
    (tmp_path / "policy").write_text(text)

    with pytest.raises(ConfigurationError, match=found):
        Witness(directory, NAME, policy=tmp_path / "policy")


def test_a_witness_goes_on_after_a_restart(directory, witness):
    witness.add_checkpoint(LOG.request(0, 3))

    again = Witness(directory, NAME, logs=[LOG.vkey])

    assert again.vkey == witness.vkey
    assert again.add_checkpoint(LOG.request(0, 7))[::2] == (409, b"3\n")
    assert again.add_checkpoint(LOG.request(3, 7))[0] == 200


def test_nobody_else_can_read_what_a_witness_keeps(directory, witness):
    witness.add_checkpoint(LOG.request(0, 3))

    modes = {path.name: path.stat().st_mode & 0o777 for path in directory.iterdir()}

    assert directory.stat().st_mode & 0o777 == 0o700
    assert set(modes.values()) == {0o600}
    assert "key" in modes


def test_a_key_serves_one_name(directory, witness):
    with pytest.raises(ConfigurationError, match="not of 'other'"):
        Witness(directory, "other")


@pytest.mark.parametrize("name", ["", "two words", "a+b", "line\n"])
def test_a_name_that_no_key_can_have_is_refused(directory, name):
    with pytest.raises(ConfigurationError, match="cannot be named"):
        Witness(directory, name)


def test_a_key_that_others_could_read_is_refused(directory, witness):
    (directory / "key").chmod(0o640)

    with pytest.raises(ConfigurationError, match="mode 640"):
        Witness(directory, NAME)


def test_a_directory_that_others_can_write_to_is_refused(directory):
    directory.mkdir()
    directory.chmod(0o770)

    with pytest.raises(ConfigurationError, match="mode 770"):
        Witness(directory, NAME)


@pytest.mark.parametrize("damage", [b"", b"\n", b"another\n", LOG.checkpoint(2)])
def test_a_damaged_memory_is_never_taken_for_none(url, directory, witness, damage):
    post(url, LOG.request(0, 3))
    (directory / log_path(LOG).split("/")[1]).write_bytes(damage)

    with pytest.raises(TreeringError, match="does not hold what the witness wrote"):
        witness.add_checkpoint(LOG.request(0, 7))
    assert post(url, LOG.request(0, 7))[0] == 500
    assert ask(url, "GET", log_path(LOG))[0] == 500


def test_a_failure_to_store_promises_nothing_and_is_counted(witness, directory):
    with WitnessServer(witness) as server:
        post(server.url, LOG.request(0, 3))
        (directory / f"{log_path(LOG).split('/')[1]}.new").mkdir()

        assert post(server.url, LOG.request(3, 7))[0] == 500
        assert ask(server.url, "GET", log_path(LOG))[2].startswith(LOG.checkpoint(3))
        assert (server.failures, "directory" in server.last_error) == (1, True)


def test_of_many_who_race_one_wins_each_round_and_nothing_rolls_back(directory):
    """Clients at two servers of one directory, which exclude each other as two processes would."""
    start_together = threading.Barrier(6)
    rounds = [[] for _ in range(8)]

    def race(url, number):
        for answers in rounds:
            start_together.wait(20)
            old = size_of(ask(url, "GET", log_path(LOG))[2])
            start_together.wait(20)
            size = old + 6 - number
            answers.append((post(url, LOG.request(old, size))[0], size))

    witnesses = [Witness(directory, NAME, logs=[LOG.vkey]) for _ in range(2)]
    witnesses[0].add_checkpoint(LOG.request(0, 1))
    with WitnessServer(witnesses[0]) as one, WitnessServer(witnesses[1]) as two:
        with ThreadPoolExecutor(6) as pool:
            for done in [pool.submit(race, (one, two)[n % 2].url, n) for n in range(6)]:
                done.result()

    for answers in rounds:
        assert sorted(status for status, _ in answers) == [200, 409, 409, 409, 409, 409]
    won = [size for answers in rounds for status, size in answers if status == 200]
    assert won == sorted(won)
    assert seen(witnesses[0]) == won[-1]
