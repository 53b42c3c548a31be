"""The seal as its users meet it: receipts, proofs, erasing, pruning, personal data, many processes."""

import json
import os
import random
import re
import shutil
import threading

import pytest
from auditor import verify as audit
from forging import sealed_journal
from programs import run, wait_for

import treering
from treering import _core
from treering.journal import Journal
from treering.seal import (
    erase,
    export_tiles,
    keys,
    pin,
    prove,
    prune,
    rotate_key,
    verify,
    verify_proof,
    verify_tiles,
)


def test_every_journal_is_sealed_unless_told_otherwise(journal, tmp_path):
    treering.configure(directory=journal, console=False)
    treering.get_logger("a").info("sealed")
    treering.shutdown()
    assert verify(journal, trust=pin(journal)).ok
    treering.configure(directory=tmp_path / "plain", console=False, seal=False)
    treering.get_logger("a").info("not sealed")
    treering.shutdown()
    assert not (tmp_path / "plain" / "seal").exists()
    verdict = verify(tmp_path / "plain")
    assert verdict.code == 1
    assert "not sealed" in verdict.reason
    with pytest.raises(treering.ConfigurationError, match="not sealed"):
        prove(tmp_path / "plain", 0)


def test_the_line_to_pin_is_shown_when_a_journal_is_made(tmp_path):
    program = f"import treering; treering.configure(directory={str(tmp_path / 'logs')!r})"
    _, _, err = run(program)
    assert err.splitlines()[1].strip() == pin(tmp_path / "logs")
    _, _, again = run(program)
    assert again == ""


def test_a_receipt_proves_its_record_anywhere(journal):
    treering.configure(directory=journal, console=False)
    log = treering.get_logger("roles")
    receipts = []

    def work(number):
        receipts.extend(log.audit("Role granted", number=number, turn=turn) for turn in range(5))

    threads = [threading.Thread(target=work, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    trust = pin(journal)
    lines = dict(Journal(journal).records())
    for receipt in receipts:
        assert receipt.durable
        assert lines[receipt.index] == receipt.record
        proven = verify_proof(receipt.proof(), receipt.record, trust=trust)
        assert proven.index == receipt.index
        with pytest.raises(treering.VerificationFailed):
            verify_proof(
                receipt.proof(), receipt.record.replace(b"granted", b"refused"), trust=trust
            )
    assert len({receipt.index for receipt in receipts}) == 20
    treering.shutdown()


def test_a_receipt_without_a_journal_says_so():
    treering.configure(console=False)
    receipt = treering.get_logger("a").audit("nowhere")
    assert not receipt.durable
    with pytest.raises(treering.JournalUnavailable, match="in no journal"):
        receipt.proof()
    treering.shutdown()


def test_audit_returns_when_a_durable_checkpoint_covers_the_record(journal):
    treering.configure(directory=journal, console=False, checkpoint_interval_s=3600)
    for number in range(3):
        treering.get_logger("a").info("unsealed so far")
        receipt = treering.get_logger("a").audit("sealed now", number=number)
        text = (journal / "seal" / "checkpoint").read_text()
        assert int(text.split("\n")[1]) > receipt.index
    treering.shutdown()


def test_a_checkpoint_comes_in_time_without_being_asked(journal):
    treering.configure(directory=journal, console=False, checkpoint_interval_s=1)
    treering.get_logger("a").info("soon sealed")
    newest = journal / "seal" / "checkpoint"
    wait_for(
        lambda: newest.exists() and int(newest.read_text().split("\n")[1]) >= 2, "a checkpoint", 10
    )
    treering.shutdown()


def test_epochs_end_by_elapsed_time_also_across_short_processes(journal):
    program = """
        import sys, time, treering
        treering.configure(directory=sys.argv[1], console=False, epoch_max_age_s=1)
        treering.get_logger("a").info("short")
        time.sleep(0.4)
    """
    for _ in range(5):
        run(program, journal)
    assert verify(journal, trust=pin(journal)).details["epoch"] >= 1


def test_erasing_and_pruning_leave_no_trace_and_the_rest_verifies(tmp_path):
    directory = tmp_path / "logs"
    treering.configure(directory=directory, console=False, segment_max_bytes=16 << 10)
    log = treering.get_logger("people")
    secrets = [f"secret-{number:05}-{random.randbytes(6).hex()}" for number in range(1000)]
    for secret in secrets:
        log.info("seen", who=secret)
    treering.shutdown()
    trust = pin(directory)
    index_of = {}
    for index, line in Journal(directory).records():
        found = re.search(rb"secret-\d{5}-[0-9a-f]{12}", line)
        if found:
            index_of[found[0].decode()] = index
    erased = random.sample(secrets[500:], 10)
    salts = [_salt(directory, index_of[secret]) for secret in erased]
    erase(directory, [index_of[secret] for secret in erased], reason="art. 17", request="ticket 7")
    pruned = prune(directory, index_of[secrets[500]])
    assert pruned.segments > 5
    verdict = verify(directory, trust=trust)
    assert verdict.ok, verdict
    assert verdict.details["erased"] == 10
    assert verdict.details["pruned_below"] == pruned.min_index
    assert audit(directory, trust).code == 0

    gone = [secret for secret in secrets if index_of[secret] < pruned.min_index] + erased
    everything = b"".join(path.read_bytes() for path in directory.rglob("*") if path.is_file())
    for secret in gone:
        assert secret.encode() not in everything
    for salt in salts:
        assert salt not in everything
        assert salt.hex().encode() not in everything
    kept = [secret for secret in secrets if secret not in gone]
    assert len(kept) > 400
    lines = b"".join(line for _, line in Journal(directory).records())
    assert all(secret.encode() in lines for secret in kept)

    # Whoever guesses the very line cannot tell: no salt that is left confirms it.
    commitments = set()
    for path in directory.glob("seal/commitments/*.seal"):
        body = path.read_bytes().partition(b"\n")[2]
        commitments.update(body[at : at + 32] for at in range(0, len(body), 32))
    line = _line_of(tmp_path, erased[0])
    tries = [bytes(16), *(everything[at : at + 16] for at in range(0, len(everything) - 16, 16))]
    assert not any(_core.seal_commitment(salt, line) in commitments for salt in tries[:20_000])

    with pytest.raises(treering.ConfigurationError, match="was erased"):
        prove(directory, index_of[erased[0]])
    with pytest.raises(treering.ConfigurationError, match="was pruned"):
        prove(directory, 5)
    proof, line = prove(directory, index_of[kept[-1]])
    assert verify_proof(proof, line, trust=trust)


def _salt(directory, index):
    proof, _ = prove(directory, index)
    import base64

    return base64.b64decode(re.search("^extra (.*)$", proof, re.MULTILINE)[1])[2:]


def _line_of(tmp_path, secret):
    treering.configure(directory=tmp_path / "guess", console=False)
    treering.get_logger("people").info("seen", who=secret)
    treering.shutdown()
    return next(
        line for _, line in Journal(tmp_path / "guess").records() if secret.encode() in line
    )


def test_erasing_goes_on_while_processes_log(journal):
    treering.configure(directory=journal, console=False)
    log = treering.get_logger("a")
    for number in range(50):
        log.info("before", number=number)
    assert treering.flush(10)
    erase(journal, [10, 11], reason="asked for")
    for number in range(50):
        log.info("after", number=number)
    treering.shutdown()
    assert verify(journal, trust=pin(journal)).ok
    assert len(list(Journal(journal).records())) == 50 + 50 - 2 + 3


@pytest.mark.parametrize(("index", "what"), [(0, "about the journal"), (9999, "not there")])
def test_what_cannot_be_erased_is_named_and_nothing_changes(journal, index, what):
    trust = sealed_journal(journal, records=10, epochs=1)
    before = (journal / "seal" / "checkpoint").read_bytes()
    with pytest.raises(treering.ConfigurationError, match=what):
        erase(journal, [5, index], reason="x")
    assert (journal / "seal" / "checkpoint").read_bytes() == before
    assert verify(journal, trust=trust).ok


def test_personal_data_can_be_forgotten_and_the_journal_verifies(journal):
    treering.configure(directory=journal, console=False)
    log = treering.get_logger("shop")
    for subject, name in (("user-7", "Ada Lovelace"), ("user-8", "Grace Hopper")):
        log.info("Order placed", customer=treering.personal({"name": name}, subject=subject))
    treering.shutdown()
    trust = pin(journal)
    records = [json.loads(line) for _, line in Journal(journal).records() if b"Order" in line]
    assert "Lovelace" not in json.dumps(records)
    opened = treering.reveal(records, journal)
    assert [r["metadata"]["customer"]["name"] for r in opened] == ["Ada Lovelace", "Grace Hopper"]
    before = b"".join(path.read_bytes() for path in journal.glob("active/*"))
    assert treering.forget("user-7", directory=journal)
    assert b"".join(path.read_bytes() for path in journal.glob("active/*")).startswith(before)
    opened = treering.reveal(records, journal)
    assert "sealed" in opened[0]["metadata"]["customer"]
    assert opened[1]["metadata"]["customer"] == {"name": "Grace Hopper"}
    assert verify(journal, trust=trust).ok
    assert not treering.forget("user-7", directory=journal)
    treering.configure(directory=journal, console=False)
    log.info("Order placed", customer=treering.personal("Ada again", subject="user-7"))
    treering.shutdown()
    last = [json.loads(line) for _, line in Journal(journal).records() if b"Order" in line][-1]
    assert treering.reveal(last, journal)["metadata"]["customer"] == "Ada again"
    assert "sealed" in treering.reveal(records[0], journal)["metadata"]["customer"]


def test_a_personal_value_without_a_journal_is_left_out():
    treering.configure(console=False)
    assert treering.personal("Ada", subject="user-7") == {"personal": "user-7", "sealed": None}
    treering.shutdown()


def test_a_half_destroyed_key_encrypts_nothing(journal):
    treering.configure(directory=journal, console=False)
    treering.personal("Ada", subject="user-7")
    key = next(journal.glob("subjects/*.key"))
    key.write_bytes(bytes(32))
    assert treering.personal("Ada", subject="user-7")["sealed"] is None
    treering.shutdown()


def test_eight_processes_and_their_forked_children_seal_one_journal(journal):
    program = """
        import os, sys, treering
        treering.configure(directory=sys.argv[1], console=False, segment_max_bytes=32768,
                           epoch_max_age_s=0, checkpoint_interval_s=0)
        log = treering.get_logger("many")
        log.info("before the fork")
        child = os.fork()
        for number in range(300):
            log.info("from both", number=number)
            if number % 50 == 0:
                assert log.audit("sealed").durable
        if child:
            os.waitpid(child, 0)
        treering.shutdown()
        if not child:
            os._exit(0)
    """
    threads = [threading.Thread(target=run, args=(program, journal)) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    Journal(journal).recover()
    trust = pin(journal)
    verdict = verify(journal, trust=trust)
    assert verdict.ok, verdict
    assert audit(journal, trust).code == 0
    assert verdict.details["epoch"] > 1
    ours = [line for _, line in Journal(journal).records() if b'"component":"many"' in line]
    assert len(ours) == 8 * (1 + 2 * 306)


def test_a_living_journal_is_verified_up_to_now(journal):
    treering.configure(directory=journal, console=False, checkpoint_interval_s=3600)
    for _ in range(100):
        treering.get_logger("a").info("just now")
    assert treering.flush(10)
    verdict = verify(journal, trust=pin(journal))
    assert verdict.ok, verdict
    assert verdict.details["sealed"] >= 101
    assert verdict.details["live"]
    treering.shutdown()


def test_a_disk_that_is_full_between_data_and_checkpoint(tmp_path):
    program = """
        import os, resource, signal, sys, treering
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        treering.configure(directory=sys.argv[1], console=False, checkpoint_interval_s=0)
        log = treering.get_logger("a")
        assert log.audit("fits").durable
        size = data = 0
        while size < data + 400:
            # Until the next record fits where the next checkpoint does not.
            assert log.audit("fits").durable
            size = os.path.getsize(sys.argv[1] + "/seal/checkpoints")
            data = os.path.getsize(sys.argv[1] + "/active/" + "0" * 20 + ".jsonl")
        before = treering.statistics()["journal_end"]
        resource.setrlimit(resource.RLIMIT_FSIZE, (size + 200, -1))
        log.info("in the segment, and no checkpoint fits")
        assert not treering.flush(1, durable=True)
        assert treering.statistics()["journal_end"] == before + 1
        assert treering.statistics()["journal_sync_errors"] > 0
        resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, -1))
        assert log.audit("fits again").durable
    """
    run(program, tmp_path / "logs")
    assert verify(tmp_path / "logs", trust=pin(tmp_path / "logs")).ok


def test_tiles_of_a_journal_verify_and_hold_no_content(journal, tmp_path):
    trust = sealed_journal(journal, records=600, epochs=2)
    size = export_tiles(journal, tmp_path / "tiles")
    assert verify_tiles(tmp_path / "tiles", trust=trust).size == size
    for path in (tmp_path / "tiles").rglob("*"):
        assert path.is_dir() or b"record of epoch" not in path.read_bytes()
    full = tmp_path / "tiles/tile/0/000"
    whole = full.read_bytes()
    for damage in (whole[:-32], whole + bytes(32), b"", bytes(8192)):
        full.write_bytes(damage)
        with pytest.raises(treering.VerificationFailed, match="tile/0/000"):
            verify_tiles(tmp_path / "tiles", trust=trust)
    full.write_bytes(whole)
    partial = next((tmp_path / "tiles/tile/0").glob("*.p/*"))
    for width in ("0", "256"):
        partial.rename(partial.with_name(width))
        with pytest.raises(treering.VerificationFailed, match=r"tile/0/\d+\.p"):
            verify_tiles(tmp_path / "tiles", trust=trust)
        partial.with_name(width).rename(partial)


def test_a_proof_in_a_large_tree_is_small(journal):
    treering.configure(directory=journal, console=False, segment_max_bytes=1 << 20)
    log = treering.get_logger("a")
    for number in range(20_000):
        log.info("many", number=number)
    treering.shutdown()
    trust = pin(journal)
    for index in (0, 1, 255, 256, 9_999, 20_000):
        proof, line = prove(journal, index)
        assert len(proof) < 1500
        assert verify_proof(proof, line, trust=trust).index == index
    for path in journal.glob("seal/commitments/*.nodes"):
        path.write_bytes(bytes(path.stat().st_size))
    proof, line = prove(journal, 12_345)
    assert verify_proof(proof, line, trust=trust), "a wrong cache is found out and done without"


def test_after_rotation_a_record_costs_33_bytes_and_before_none(journal):
    treering.configure(directory=journal, console=False, segment_max_bytes=1 << 20)
    for number in range(9_000):
        treering.get_logger("a").info("x" * 200, number=number)
    treering.shutdown()
    seals = sorted(journal.glob("seal/commitments/*"))
    closed = [path for path in seals if b'"records":null' not in path.read_bytes()[:300]]
    open_ones = [path for path in seals if path not in closed]
    records = max(int(path.stem) for path in seals)
    assert sum(path.stat().st_size for path in closed) / records < 33
    assert sum(path.stat().st_size for path in open_ones) < 4096


def test_what_a_journal_was_made_with_cannot_be_changed_silently(journal):
    treering.configure(directory=journal, console=False, origin="example.com/logs/app")
    treering.get_logger("a").info("x")
    treering.shutdown()
    assert keys(journal).origin == "example.com/logs/app"
    for setting in ({"seal": False}, {"origin": "elsewhere"}, {"retention_min_age_s": 7}):
        with pytest.raises(treering.ConfigurationError, match=next(iter(setting))):
            treering.configure(directory=journal, console=False, **setting)
    with pytest.raises(treering.ConfigurationError, match="without spaces"):
        treering.configure(directory=journal.with_name("other"), origin="has a space")
    treering.configure(console=False)
    treering.shutdown()


def test_keys_may_live_elsewhere(journal, tmp_path):
    treering.configure(directory=journal, console=False, seal_keys=tmp_path / "vault")
    treering.get_logger("a").audit("signed with keys from the vault")
    treering.shutdown()
    assert not (journal / "seal" / "keys").exists()
    assert {p.name for p in (tmp_path / "vault").glob("*/*")} == {"identity", "epoch"}
    assert rotate_key(journal) == 1
    assert verify(journal, trust=pin(journal)).ok


def test_a_copy_without_keys_can_be_looked_at_and_is_left_as_it_is(journal, tmp_path):
    trust = sealed_journal(journal, records=10, epochs=1)
    copy = tmp_path / "copy"
    shutil.copytree(journal, copy)
    shutil.rmtree(copy / "seal" / "keys")
    assert not Journal(copy).recover()
    assert len(list(Journal(copy).records())) == len(list(Journal(journal).records()))
    assert not (copy / "ended").exists()
    assert verify(copy, trust=trust).ok


def test_an_ended_generation_is_said_out_loud(journal):
    sealed_journal(journal, records=10, epochs=1)
    os.unlink(journal / "seal" / "keys" / "epoch")
    program = """
        import sys, treering
        treering.configure(directory=sys.argv[1], console=False)
        treering.get_logger("a").audit("goes on")
    """
    _, _, err = run(program, journal)
    assert "the seal of" in err
    assert pin(journal) in err
    assert [line for _, line in Journal(journal / "ended" / "0001").records()]


def test_a_busy_journal_is_verified_again_and_again(journal):
    treering.configure(
        directory=journal, console=False, segment_max_bytes=32 << 10, checkpoint_interval_s=0
    )
    log = treering.get_logger("busy")
    log.audit("begin")
    stop = threading.Event()

    def work():
        while not stop.is_set():
            for number in range(200):
                log.info("busy", number=number)
            log.audit("sealed")

    thread = threading.Thread(target=work)
    thread.start()
    try:
        trust = pin(journal)
        verdicts = [verify(journal, trust=trust) for _ in range(20)]
    finally:
        stop.set()
        thread.join()
        treering.shutdown()
    assert [str(verdict) for verdict in verdicts if not verdict.ok] == []
    assert len(list(journal.glob("active/*"))) > 5
