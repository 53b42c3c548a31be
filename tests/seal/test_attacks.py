"""What attackers do to a journal, by the names of the threat model, and that it is seen.

Two verifiers judge: Treering's own and the auditor's, which was written from the documents alone.
"""

import json
import re
import shutil
from pathlib import Path

import pytest
from auditor import verify as audit
from forging import Forgery, copy, event, sealed_journal

import treering
from treering import _core
from treering.seal import erase, pin, prune, rotate_key, verify

SEALED, FAILED, NOT_PROVEN = 0, 1, 2


def judged(journal, trust, **outside):
    """The verdict on a journal by somebody who has only the pinned line, agreed by the auditor."""
    verdict = verify(journal, trust=trust, **outside)
    if not outside:
        other = audit(journal, trust)
        assert other.code == verdict.code, (str(verdict), other.reason)
    return verdict


@pytest.fixture
def journal(tmp_path):
    return tmp_path / "logs"


@pytest.fixture
def trust(journal):
    return sealed_journal(journal)


@pytest.fixture
def forgery(journal, trust):
    assert judged(journal, trust).code == SEALED
    return Forgery(journal)


def test_an_untouched_journal_is_sealed_to_its_end(journal, trust):
    verdict = judged(journal, trust)
    assert verdict.ok
    assert verdict.details["epoch"] == 2
    assert verdict.details["closed"]
    assert str(verdict).startswith("SEALED to record ")


def test_a_changed_record_fails_and_is_named(journal, trust, forgery):
    index = forgery.index_of('"number":7')
    path = min(journal.glob("active/*.jsonl"))
    path.write_bytes(path.read_bytes().replace(b'"number":7', b'"number":8', 1))
    verdict = judged(journal, trust)
    assert verdict.code == FAILED
    assert verdict.index == index
    assert str(verdict) == f"FAIL at record {index}: the record is not the one that was sealed"


def test_re_sealing_an_old_epoch_with_the_newest_key(journal, trust, forgery):
    index = forgery.index_of("epoch 0")
    forgery.replace(index, forgery.lines[index].replace(b"epoch 0", b"epoch 9"))
    forgery.notes = [forgery.sign(size) for size in forgery.sizes()]
    forgery.write()
    verdict = judged(journal, trust)
    assert verdict.code == FAILED
    assert "key of epoch 0" in verdict.reason


def test_dropping_epochs_and_going_on(journal, trust, forgery):
    keep = forgery.index_of('"epoch":1,')
    forgery.cut(keep)
    forgery.notes = [note for note in forgery.notes if int(note.split("\n")[1]) <= keep]
    forgery.append(b'{"timestamp":"2026-11-21T10:30:45.123456789Z","level":"INFO","message":"x"}')
    forgery.notes.append(forgery.sign(keep + 1))
    forgery.write()
    assert judged(journal, trust).code == FAILED


def test_a_cut_at_a_closed_epoch_is_seen_by_whoever_saw_more(journal, trust, forgery, tmp_path):
    state = tmp_path / "state"
    assert verify(journal, trust=trust, state=state).ok
    end = forgery.index_of('"epoch":2,') + 1
    forgery.cut(end)
    forgery.notes = [note for note in forgery.notes if int(note.split("\n")[1]) <= end]
    forgery.write()
    without = judged(journal, trust)
    assert without.code == SEALED
    assert "ENDED WITHOUT CLOSE" in without.words
    stale = judged(journal, trust, max_age_s=0)
    assert stale.code == NOT_PROVEN
    assert "STALE" in stale.words
    rolled_back = judged(journal, trust, state=state)
    assert rolled_back.code == FAILED
    assert "rolled back" in rolled_back.reason
    assert verify(journal).code == FAILED, "this host has seen more, too"


def test_rewriting_the_running_epoch_is_seen_by_whoever_saw_it(journal, trust, forgery, tmp_path):
    state = tmp_path / "state"
    assert verify(journal, trust=trust, state=state).ok
    index = forgery.index_of("last of all")
    forgery.replace(index, forgery.lines[index].replace(b"last of all", b"LAST OF ALL"))
    begin = forgery.index_of('"epoch":2,') + 1
    forgery.notes = [
        note if int(note.split("\n")[1]) <= begin else forgery.sign(int(note.split("\n")[1]))
        for note in forgery.notes
    ]
    forgery.write()
    assert judged(journal, trust).code == SEALED, "the running key is the attacker's"
    assert judged(journal, trust, state=state).code == FAILED


def test_swapping_segments_of_two_journals_with_the_same_identity(tmp_path, journal, monkeypatch):
    treering.configure(directory=journal, console=False, segment_max_bytes=4096)
    treering.get_logger("app").audit("before the copy")
    treering.shutdown()
    trust = pin(journal)
    other = copy(journal)
    for directory in (journal, other):
        # Each goes on with what the other has, keys included; this host has seen none of it.
        monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / f"state of {directory.name}"))
        treering.configure(directory=directory, console=False)
        for number in range(40):
            treering.get_logger("app").info("only in %s", directory.name, number=number)
        treering.shutdown()
        assert judged(directory, trust).code == SEALED
    names = [sorted(path.name for path in d.glob("active/*.jsonl")) for d in (journal, other)]
    name = sorted(set(names[0]) & set(names[1]))[1]
    shutil.copy(other / "active" / name, journal / "active" / name)
    assert judged(journal, trust).code == FAILED
    seal = name.replace("jsonl", "seal")
    shutil.copy(other / "seal/commitments" / seal, journal / "seal/commitments" / seal)
    assert judged(journal, trust).code == FAILED


def test_replaying_an_older_checkpoint(journal, trust, forgery):
    for older in forgery.notes[:-1]:
        (journal / "seal" / "checkpoint").write_text(older)
        assert judged(journal, trust).code == NOT_PROVEN, "as after a crash or on a full disk"
    (journal / "seal" / "checkpoint").write_text(
        forgery.sign(forgery.sizes()[-1] - 1, root=bytes(32))
    )
    assert judged(journal, trust).code == FAILED


def test_replaying_older_checkpoints_altogether_leaves_a_tail(journal, trust, forgery):
    forgery.notes = forgery.notes[:-1]
    forgery.write()
    verdict = judged(journal, trust)
    assert verdict.code == NOT_PROVEN
    assert any(word.startswith("UNSEALED tail") for word in verdict.words)


def test_an_unsealed_file_beside_the_segments(journal, trust, forgery):
    end = len(forgery.lines)
    (journal / "active" / f"{end:020}.jsonl").write_bytes(b'{"message":"smuggled"}\n')
    assert judged(journal, trust).code == NOT_PROVEN
    (journal / "active" / f"{end:020}.jsonl").rename(journal / "active" / f"{end + 9:020}.jsonl")
    assert judged(journal, trust).code == FAILED


def test_a_journal_without_its_seal(journal, trust):
    shutil.rmtree(journal / "seal")
    assert verify(journal, trust=trust).code == FAILED


def test_a_wrong_key_is_never_a_pass(journal, trust, tmp_path):
    other = sealed_journal(tmp_path / "other")
    assert judged(journal, other).code == FAILED
    first, second = trust.split()
    assert judged(journal, f"{first} {_renamed(other.split()[1], first)}").code == FAILED
    assert judged(journal, first).code == SEALED
    assert second in verify(journal, trust=first).details["pin"]


def _renamed(vkey, like):
    """A key under another name, as an attacker would present it."""
    import base64
    import hashlib

    name, typed = like.split("+")[0], base64.b64decode(vkey.split("+", 2)[2])
    number = hashlib.sha256(name.encode() + b"\n" + typed).hexdigest()[:8]
    return f"{name}+{number}+{base64.b64encode(typed).decode()}"


def test_an_unknown_key_is_not_a_pass(journal, trust, monkeypatch, tmp_path):
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "elsewhere"))
    verdict = verify(journal)
    assert verdict.code == NOT_PROVEN
    assert "KEYS NOT PINNED" in verdict.words


def test_another_genesis(journal, trust, forgery):
    record = json.loads(forgery.lines[0])
    record["metadata"]["host"] = {"name": "elsewhere"}
    forgery.replace(0, json.dumps(record, separators=(",", ":")).encode())
    forgery.notes = [forgery.sign(size) for size in forgery.sizes()]
    forgery.write()
    assert judged(journal, trust).code == FAILED


def test_a_signature_of_the_identity_alone(journal, trust, forgery):
    forgery.notes[-1] = forgery.sign(forgery.sizes()[-1], key=False)
    forgery.write()
    assert judged(journal, trust).code == FAILED


def test_an_epoch_record_that_is_not_the_last_under_a_checkpoint(journal, trust, forgery):
    seed = _core.ed25519_generate()
    fields = {"epoch": 3, "key": _core.note_vkey(forgery.origin, seed)}
    forgery.append(event("epoch opened", fields))
    forgery.append(event("journal closed", {}))
    forgery.notes.append(forgery.sign(len(forgery.lines)))
    forgery.write()
    verdict = judged(journal, trust)
    assert verdict.code == FAILED
    assert "epoch" in verdict.reason


@pytest.mark.parametrize("number", [0, 1, 2, 4])
def test_an_epoch_number_that_is_not_the_next(journal, trust, forgery, number):
    seed = _core.ed25519_generate()
    fields = {"epoch": number, "key": _core.note_vkey(forgery.origin, seed)}
    forgery.append(event("epoch opened", fields))
    forgery.notes.append(forgery.sign(len(forgery.lines)))
    forgery.write()
    assert judged(journal, trust).code == FAILED


def test_the_next_epoch_forged_whole_passes_only_with_the_running_key(journal, trust, forgery):
    seed = _core.ed25519_generate()
    fields = {"epoch": 3, "key": _core.note_vkey(forgery.origin, seed)}
    forgery.append(event("epoch opened", fields))
    forgery.notes.append(forgery.sign(len(forgery.lines)))
    forgery.write()
    assert judged(journal, trust).code == SEALED, "the control: this is what a leader does"
    forgery.append(event("journal closed", {}))
    forgery.notes.append(forgery.sign(len(forgery.lines)))
    forgery.write()
    assert judged(journal, trust).code == FAILED, "the old key signs after its end"


def test_pruning_what_is_younger_than_the_policy(tmp_path):
    journal = tmp_path / "kept"
    trust = sealed_journal(journal, retention_min_age_s=3600)
    with pytest.raises(treering.ConfigurationError, match="retention_min_age_s"):
        prune(journal, 40)
    assert judged(journal, trust).code == SEALED
    forgery = Forgery(journal)
    second = forgery.segments[1][0]["first"]
    time = json.loads(forgery.lines[0])["timestamp"]
    fields = {
        "min_index": second,
        "segments": ["0" * 20],
        "newest": time,
        "oldest_kept": second,
        "policy": {"retention_min_age_s": 3600},
    }
    forgery.append(event("records pruned", fields, time=time))
    forgery.notes.append(forgery.sign(len(forgery.lines)))
    forgery.write()
    assert judged(journal, trust).code == FAILED


def test_content_that_is_gone_without_a_record_of_it(journal, trust, forgery, tmp_path):
    index = forgery.index_of('"number":3')
    honest = copy(journal)
    erase(honest, [index], reason="asked for", request="ticket 4711")
    assert judged(honest, trust).code == SEALED
    name = min(journal.glob("active/*.jsonl")).name
    # The erased segment and its seal, without the record that says so.
    shutil.copy(honest / "active" / name, journal / "active" / name)
    seal = name.replace("jsonl", "seal")
    shutil.copy(honest / "seal/commitments" / seal, journal / "seal/commitments" / seal)
    verdict = judged(journal, trust)
    assert verdict.code == FAILED
    assert verdict.index == index


def test_a_segment_that_is_gone_without_a_record_of_it(journal, trust, forgery):
    for path in sorted(journal.glob("active/*.jsonl"))[:1]:
        path.unlink()
    assert judged(journal, trust).code == FAILED


def test_a_torn_last_line_at_every_byte(journal, trust, forgery):
    path = max(journal.glob("active/*.jsonl"))
    whole = path.read_bytes()
    line = b'{"timestamp":"2026-11-21T10:30:45.123456789Z","level":"INFO","message":"torn"}\n'
    for cut in range(1, len(line) + 1):
        path.write_bytes(whole + line[:cut])
        assert judged(journal, trust).code == NOT_PROVEN, cut
    for cut in range(1, len(whole), 7):
        path.write_bytes(whole[:-cut])
        assert judged(journal, trust).code == FAILED, cut


def test_a_checkpoint_ahead_of_the_data(journal, trust, forgery):
    size = forgery.sizes()[-1]
    forgery.notes.append(forgery.sign(size + 5, root=bytes(32)))
    forgery.write()
    verdict = judged(journal, trust)
    assert verdict.code == FAILED
    assert verdict.index == size


def test_a_cut_and_a_forged_close(journal, trust, forgery, tmp_path):
    state = tmp_path / "state"
    assert verify(journal, trust=trust, state=state).ok
    end = forgery.index_of('"epoch":2,') + 1
    forgery.cut(end)
    forgery.append(event("journal closed", {}))
    forgery.notes = [note for note in forgery.notes if int(note.split("\n")[1]) <= end]
    old = list(forgery.notes)
    forgery.notes.append(forgery.sign(end + 1, key=_core.ed25519_generate()))
    forgery.write()
    assert judged(journal, trust).code == FAILED, "without the running key"
    forgery.notes = [*old, forgery.sign(end + 1)]
    forgery.write()
    assert judged(journal, trust).code == SEALED, "with the running key it is what a leader does"
    assert judged(journal, trust, state=state).code == FAILED


def test_swapped_lines(journal, trust, forgery):
    a, b = forgery.index_of('"number":3'), forgery.index_of('"number":4')
    lines = forgery.lines
    forgery.replace(a, lines[b])
    forgery.replace(b, lines[a])
    path = min(journal.glob("active/*.jsonl"))
    path.write_bytes(b"".join(line + b"\n" for line in forgery.segments[0][1]))
    assert judged(journal, trust).code == FAILED


def test_a_restored_older_directory_says_so(journal, trust, tmp_path):
    treering.configure(directory=journal, console=False)
    treering.get_logger("app").audit("one more")
    treering.shutdown()
    older = copy(journal, "older")
    treering.configure(directory=journal, console=False)
    treering.get_logger("app").audit("and one")
    treering.shutdown()
    shutil.rmtree(journal)
    older.rename(journal)
    treering.configure(directory=journal, console=False)
    treering.get_logger("app").audit("after the restore")
    treering.shutdown()
    first = json.loads(next(journal.glob("active/*.jsonl")).read_bytes().split(b"\n")[0])
    assert "rolled back or restored" in first["metadata"]["previous"]["why"]
    again = verify(journal)
    assert again.code == NOT_PROVEN, "a new generation with keys that nobody pinned"
    assert "NEW GENERATION" in again.words
    assert judged(journal, pin(journal)).code == SEALED
    assert judged(journal / "ended" / "0001", trust).code == SEALED
    assert list((journal / "ended/0001/seal/keys").iterdir()) == []


def test_a_missing_epoch_key_ends_the_generation(journal, trust):
    (journal / "seal" / "keys" / "epoch").unlink()
    treering.configure(directory=journal, console=False)
    treering.get_logger("app").audit("with a new key")
    treering.shutdown()
    previous = json.loads(next(journal.glob("active/*.jsonl")).read_bytes().split(b"\n")[0])
    previous = previous["metadata"]["previous"]
    assert "key" in previous["why"]
    assert re.fullmatch("[0-9a-f]{64}", previous["root"])
    assert judged(journal / "ended" / "0001", trust).code == SEALED


def test_signed_records_that_went_missing_are_never_signed_over(journal, trust):
    path = max(journal.glob("active/*.jsonl"))
    path.write_bytes(b"".join(path.read_bytes().splitlines(keepends=True)[:-1]))
    treering.configure(directory=journal, console=False)
    treering.get_logger("app").audit("goes on")
    treering.shutdown()
    previous = json.loads(next(journal.glob("active/*.jsonl")).read_bytes().split(b"\n")[0])
    assert "signed records are missing" in previous["metadata"]["previous"]["why"]
    assert judged(journal / "ended" / "0001", trust).code == FAILED


def test_an_application_cannot_write_records_of_the_journal(journal, trust):
    treering.configure(directory=journal, console=False)
    spoof = treering.get_logger("treering.journal", category="journal")
    spoof.audit("epoch opened", epoch=3, key="none")
    import logging

    with treering.capture_stdlib():
        logging.getLogger("treering.journal").critical("journal closed")
    treering.shutdown()
    assert judged(journal, trust).code == SEALED
    text = Path(max(journal.glob("active/*.jsonl"))).read_text()
    assert '"component":"application.treering.journal","message":"epoch opened"' in text


def test_rotating_the_key_destroys_the_old_one(journal, trust):
    old = (journal / "seal" / "keys" / "epoch").read_text().split(" ")[1]
    assert rotate_key(journal) == 3
    assert judged(journal, trust).details["epoch"] == 3
    for path in journal.rglob("*"):
        if path.is_file():
            assert old.split("+", 4)[4].encode() not in path.read_bytes()


def test_a_checkpoint_of_the_empty_tree_that_was_seen_excuses_nothing(
    journal, trust, forgery, tmp_path
):
    state = tmp_path / "state"
    state.write_text(forgery.notes[0])
    assert forgery.sizes()[0] == 0
    assert judged(journal, trust, state=state).code == SEALED
    state.write_text(forgery.notes[0])
    index = forgery.index_of("last of all")
    forgery.replace(index, forgery.lines[index].replace(b"last of all", b"LAST OF ALL"))
    forgery.write()
    assert judged(journal, trust, state=state).code == FAILED


@pytest.mark.parametrize("message", ["records erased", "records pruned"])
def test_a_forged_erasure_that_the_next_leader_adopts_erases_nothing(
    journal, trust, forgery, message
):
    """Storage only, no keys: a line of the journal's own kind is appended, the next process seals it."""
    first = json.loads(forgery.lines[0])
    second = forgery.segments[1][0]["first"]
    fields = {
        "records erased": {"indices": [3], "reason": "x", "request": None},
        "records pruned": {
            "min_index": second,
            "newest": first["timestamp"],
            "policy": {"retention_min_age_s": 0},
        },
    }[message]
    with max(journal.glob("active/*.jsonl")).open("ab") as file:
        file.write(event(message, fields) + b"\n")
    treering.configure(directory=journal, console=False, checkpoint_interval_s=0)
    treering.get_logger("app").audit("the next process")
    treering.shutdown()
    assert judged(journal, trust).code == SEALED, "adopted, and sealed as what it is: a line"
    honest = copy(journal)
    if message == "records erased":
        erase(honest, [3], reason="x")
    else:
        prune(honest, second)
    name = f"{0:020}"
    for part in (f"active/{name}.jsonl", f"seal/commitments/{name}.seal"):
        if (honest / part).exists():
            shutil.copy(honest / part, journal / part)
        else:
            (journal / part).unlink()
    assert judged(honest, trust).code == SEALED
    assert judged(journal, trust).code == FAILED


@pytest.mark.parametrize("how", ["emptied", "removed"])
def test_a_journal_whose_records_are_all_gone_ends_its_generation(journal, trust, how):
    for path in journal.glob("active/*.jsonl"):
        path.write_bytes(b"") if how == "emptied" else path.unlink()
    assert verify(journal, trust=trust).code == FAILED
    treering.configure(directory=journal, console=False)
    treering.get_logger("app").audit("goes on")
    treering.shutdown()
    assert verify(journal).code == NOT_PROVEN
    assert "NEW GENERATION" in verify(journal).words
    assert (journal / "ended" / "0001" / "seal" / "checkpoints").exists()


def test_ended_generations_may_be_taken_away(journal, trust):
    (journal / "seal" / "keys" / "epoch").unlink()
    for turn in range(2):
        treering.configure(directory=journal, console=False)
        treering.get_logger("app").audit("turn", turn=turn)
        treering.shutdown()
        shutil.rmtree(journal / "ended", ignore_errors=True)
    assert not (journal / "ended").exists(), "the second turn went on with the new generation"
    assert judged(journal, pin(journal)).code == SEALED


def test_keys_that_cannot_be_reached_never_stop_logging(tmp_path):
    program = """
        import shutil, sys, treering
        directory, vault = sys.argv[1:]
        treering.configure(directory=directory, console=False, seal_keys=vault, epoch_max_age_s=0)
        log = treering.get_logger("a")
        assert log.audit("before").durable
        shutil.rmtree(vault)
        for number in range(20):
            log.info("after", number=number)
            assert treering.flush(5)
        assert treering.statistics()["journal_sync_errors"] > 0
    """
    from programs import records, run

    run(program, tmp_path / "logs", tmp_path / "vault")
    found = [r for r in records(tmp_path / "logs") if r["message"] == "after"]
    assert len(found) == 20
