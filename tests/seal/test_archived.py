"""What verifies, and what does not, once segments are files of the archive.

Two verifiers judge, as in test_attacks: the auditor reads Parquet by pyarrow.
"""

import hashlib
import json
import shutil

import pyarrow.parquet
import pytest
from archiving import archived_journal, file_of, files, rewrite
from auditor import verify as audit
from forging import copy, event, sealed_journal

import treering
from treering import _core
from treering.seal import erase, export_tiles, prove, prune, verify, verify_proof, verify_tiles

SEALED, FAILED, NOT_PROVEN = 0, 1, 2


def judged(journal, trust):
    """The verdict by somebody who has only the pinned line, agreed by the auditor."""
    verdict, other = verify(journal, trust=trust), audit(journal, trust)
    assert other.code == verdict.code, (str(verdict), verdict.reason, other.reason)
    return verdict


@pytest.fixture
def journal(tmp_path):
    return tmp_path / "logs"


@pytest.fixture
def trust(journal):
    trust = archived_journal(journal)
    assert len(files(journal)) > 2
    return trust


def test_an_archived_journal_is_sealed_to_its_end(journal, trust):
    assert len(list(journal.glob("active/*.jsonl"))) == 1
    verdict = judged(journal, trust)
    assert verdict.code == SEALED
    assert verdict.details["epoch"] == 2


def test_one_file_that_stands_for_many_segments(tmp_path):
    journal = tmp_path / "quiet"
    trust = sealed_journal(journal)
    # Segments were small, and files may now be larger.
    treering.configure(directory=journal, console=False, segment_max_bytes=1 << 20)
    treering.shutdown()
    _core.archive_now(journal)
    assert any(len(file["segments"]) > 1 for file in _core.archive_list(journal))
    assert judged(journal, trust).code == SEALED


def test_statistics_that_would_hide_records_from_queries(journal, trust):
    path = files(journal)[1]
    rewrite(path, facts={"levels": {}, "max_timestamp": "2000-01-01T00:00:00Z"})
    verdict = judged(journal, trust)
    assert verdict.code == FAILED
    assert path.name in verdict.reason


def test_a_record_that_was_changed_in_the_archive(journal, trust):
    path, _ = file_of(journal, "record of epoch 0")

    def changed(rows):
        for row in rows:
            row["message"] = row["message"].replace("epoch 0", "epoch 9")
        return rows

    rewrite(path, rows=changed)
    verdict = judged(journal, trust)
    assert verdict.code == FAILED
    assert "record" in verdict.reason or path.name in verdict.reason


def test_two_files_swapped(journal, trust):
    first, second = files(journal)[:2]
    content = first.read_bytes()
    first.write_bytes(second.read_bytes())
    second.write_bytes(content)
    assert judged(journal, trust).code == FAILED


def test_the_archive_of_another_journal(journal, trust, tmp_path):
    archived_journal(tmp_path / "other")
    shutil.copy(files(tmp_path / "other")[0], files(journal)[0])
    assert judged(journal, trust).code == FAILED


def test_a_file_that_is_gone_without_a_prune(journal, trust):
    files(journal)[1].unlink()
    assert judged(journal, trust).code == FAILED


def test_a_file_that_nobody_announced(journal, trust):
    (files(journal)[0].parent / "smuggled.parquet").write_bytes(files(journal)[0].read_bytes())
    assert judged(journal, trust).code == FAILED


def test_caches_and_drafts_are_nobodys_word(journal, trust):
    files(journal)[0].with_suffix(".tokens").write_bytes(b"made again when it is missing")
    (journal / "archive" / ".draft").mkdir(exist_ok=True)
    (journal / "archive" / ".draft" / f"{0:020}-1-0.parquet").write_bytes(b"half")
    assert judged(journal, trust).code == SEALED


def test_an_older_file_put_back_after_an_erasure(journal, trust):
    path, index = file_of(journal, "record of epoch 1")
    older = path.read_bytes()
    erase(journal, [index], reason="asked for")
    assert b"PAR1" in path.read_bytes()
    assert judged(journal, trust).code == SEALED
    path.write_bytes(older)
    verdict = judged(journal, trust)
    assert verdict.code == NOT_PROVEN
    assert "ERASURE INTERRUPTED" in verdict.words


def test_an_erased_record_is_nowhere_in_the_archive(journal, trust):
    treering.configure(directory=journal, console=False)
    treering.get_logger("app").info("the password is swordfish-4711")
    treering.shutdown()
    _core.archive_now(journal, True)
    path, index = file_of(journal, "swordfish")
    erase(journal, [index], reason="asked for")
    verdict = judged(journal, trust)
    assert verdict.code == SEALED
    assert "ERASED 1" in verdict.words
    with pytest.raises(LookupError):
        file_of(journal, "swordfish")
    with pytest.raises(treering.ConfigurationError, match="erased"):
        prove(journal, index)
    assert path.exists()


def test_a_forged_announcement_that_the_next_leader_adopts_announces_nothing(journal, trust):
    path = files(journal)[1]
    facts = rewrite(path, facts={"levels": {}})
    said = {key: facts[key] for key in ("first", "end", "rows")}
    said["sha256"] = hashlib.sha256(path.read_bytes()).hexdigest()
    said["path"] = path.relative_to(journal).as_posix()
    with max(journal.glob("active/*.jsonl")).open("ab") as file:
        file.write(event("segments archived", {"files": [said]}) + b"\n")
    treering.configure(directory=journal, console=False, checkpoint_interval_s=0)
    treering.get_logger("app").audit("the next process")
    treering.shutdown()
    verdict = judged(journal, trust)
    assert verdict.code == FAILED
    assert path.name in verdict.reason


def both(directory):
    """A journal as a death between two steps of archiving leaves it, and its pin."""
    trust = sealed_journal(directory)
    before = copy(directory, "before")
    _core.archive_now(directory)
    path = files(directory)[1]
    lines = directory / "active" / f"{path.stem}.jsonl"
    shutil.copy(before / "active" / lines.name, lines)
    return trust, lines


def test_lines_that_lie_beside_their_file_are_an_interrupted_archiving(journal):
    trust, _ = both(journal)
    assert judged(journal, trust).code == SEALED


def test_lines_that_were_changed_while_the_archive_is_right(journal):
    trust, lines = both(journal)
    lines.write_bytes(lines.read_bytes().replace(b"record of", b"RECORD OF", 1))
    assert judged(journal, trust).code == FAILED


def test_going_on_after_everything_was_archived(journal, trust):
    treering.configure(directory=journal, console=False)
    treering.get_logger("app").audit("later")
    treering.shutdown()
    _core.archive_now(journal, True)
    assert judged(journal, trust).code == SEALED
    assert not (journal / "ended").exists()


def test_records_of_the_archive_are_proven_and_exported(journal, trust, tmp_path):
    _, index = file_of(journal, "record of epoch 1")
    proof, line = prove(journal, index)
    assert b"record of epoch 1" in line
    assert verify_proof(proof, line, trust=trust).index == index
    export_tiles(journal, tmp_path / "tiles")
    assert verify_tiles(tmp_path / "tiles", trust=trust).size == verify(journal).details["sealed"]


def mixed_journal(directory, *, archive):
    """Five segments and more with an ERROR among many others now and then; gives the pin."""
    treering.configure(directory=directory, console=False, segment_max_bytes=4096)
    log = treering.get_logger("app")
    for number in range(120):
        log.info("ordinary", number=number)
        if number % 20 == 7:
            log.error("kept", number=number)
    treering.shutdown()
    if archive:
        _core.archive_now(directory)
    from treering.seal import pin

    return pin(directory)


@pytest.fixture(params=["lines", "archive"])
def thinned(request, tmp_path):
    """A journal of which only ERROR and above was kept below record 90."""
    journal = tmp_path / "thin"
    trust = mixed_journal(journal, archive=request.param == "archive")
    pruned = prune(journal, 90, keep_level="ERROR")
    assert pruned.kept >= 2 and pruned.records > 20
    return journal, trust


def kept_indexes(journal):
    """Indexes below 90 at which a kept record lies."""
    found = []
    for path in journal.glob("active/*.jsonl"):
        lines = enumerate(path.read_bytes().split(b"\n"), int(path.stem))
        found += [i for i, line in lines if b'"message":"kept"' in line and i < 80]
    for path in files(journal):
        for row in pyarrow.parquet.ParquetFile(path).read(["index", "message"]).to_pylist():
            found += [row["index"]] if row["message"] == "kept" and row["index"] < 80 else []
    return sorted(found)


def test_what_retention_kept_still_verifies(thinned):
    journal, trust = thinned
    verdict = judged(journal, trust)
    assert verdict.code == SEALED
    assert verdict.details["kept"] >= 2
    assert any(word.startswith("PRUNED below") and "kept" in word for word in verdict.words)
    index = kept_indexes(journal)[0]
    assert b"kept" in prove(journal, index)[1]
    with pytest.raises(treering.ConfigurationError, match="pruned"):
        prove(journal, index - 1)


def take_away(journal, index):
    """Removes a record and its salt, as retention would."""
    for path in journal.glob("active/*.jsonl"):
        lines = path.read_bytes().split(b"\n")
        at = index - int(path.stem)
        if 0 <= at < len(lines) - 1:
            lines[at] = b""
            path.write_bytes(b"\n".join(lines))
    for path in files(journal):
        first, end = int(path.stem), 0
        end = json.loads(pyarrow.parquet.ParquetFile(path).schema_arrow.metadata[b"treering"])[
            "end"
        ]
        if first <= index < end:
            rest = pyarrow.parquet.ParquetFile(path).metadata.num_rows - 1
            rewrite(
                path,
                rows=lambda rows: [row for row in rows if row["index"] != index],
                facts={"rows": rest},
            )
    for path in journal.glob("seal/commitments/*.seal"):
        header, _, body = path.read_bytes().partition(b"\n")
        known = json.loads(header)
        at = index - known["first"]
        if known["salts"] == "table" and 0 <= at < known["records"]:
            place = 32 * known["records"] + 16 * at
            body = body[:place] + bytes(16) + body[place + 16 :]
            path.write_bytes(header + b"\n" + body)


def test_a_kept_error_that_was_taken_away_after_retention(thinned):
    journal, trust = thinned
    take_away(journal, kept_indexes(journal)[0])
    verdict = judged(journal, trust)
    assert verdict.code == FAILED
    assert "retention kept" in verdict.reason


def test_a_kept_record_that_is_erased_later(thinned):
    journal, trust = thinned
    erase(journal, kept_indexes(journal)[:1], reason="asked for")
    assert judged(journal, trust).code == SEALED


def test_what_was_kept_goes_with_a_later_prune(thinned):
    journal, trust = thinned
    assert prune(journal, 90).segments >= 2
    verdict = judged(journal, trust)
    assert verdict.code == SEALED
    assert verdict.details["kept"] == 0
    assert not kept_indexes(journal)


def test_the_same_rule_again_takes_nothing_more(thinned):
    journal, trust = thinned
    kept = kept_indexes(journal)
    again = prune(journal, 90, keep_level="ERROR")
    assert (again.segments, again.records) == (0, 0)
    assert kept_indexes(journal) == kept
    assert judged(journal, trust).code == SEALED


def test_a_stricter_rule_takes_more(thinned):
    journal, trust = thinned
    prune(journal, 90, keep_level="CRITICAL")
    assert not kept_indexes(journal)
    assert judged(journal, trust).code == SEALED


def test_categories_are_kept_too(tmp_path):
    journal = tmp_path / "logs"
    treering.configure(directory=journal, console=False, segment_max_bytes=4096)
    for number in range(80):
        treering.get_logger("app", category="money" if number % 9 == 0 else "").info("n", n=number)
    treering.shutdown()
    _core.archive_now(journal)
    from treering.seal import pin

    prune(journal, 60, keep_categories=["money"])
    rows = [
        row
        for path in files(journal)
        for row in pyarrow.parquet.ParquetFile(path).read(["index", "category"]).to_pylist()
    ]
    assert {row["category"] for row in rows if row["index"] < 40} <= {"money", "journal"}
    assert judged(journal, pin(journal)).code == SEALED


def test_a_prune_that_died_after_its_record_is_no_pass_and_is_finished_by_another(tmp_path):
    journal = tmp_path / "logs"
    trust = mixed_journal(journal, archive=True)
    older = {path: path.read_bytes() for path in files(journal)}
    seals = {path: path.read_bytes() for path in journal.glob("seal/commitments/*.seal")}
    prune(journal, 90, keep_level="ERROR")
    for path, content in (older | seals).items():
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(content)
    verdict = judged(journal, trust)
    assert verdict.code == NOT_PROVEN
    assert "ERASURE INTERRUPTED" in verdict.words
    prune(journal, 90, keep_level="ERROR")
    assert judged(journal, trust).code == SEALED


def test_records_younger_than_the_policy_stay(tmp_path):
    journal = tmp_path / "logs"
    trust = archived_journal(journal, retention_min_age_s=3600)
    with pytest.raises(treering.ConfigurationError, match="retention_min_age_s"):
        prune(journal, 40, keep_level="ERROR")
    with pytest.raises(treering.ConfigurationError, match="retention_min_age_s"):
        prune(journal, 40)
    assert judged(journal, trust).code == SEALED


RECIPIENT = "age1t7rxyev2z3rw82stdlrrepyc39nvn86l5078zqkf5uasdy86jp6svpy7pa"


@pytest.fixture
def encrypted(tmp_path):
    journal = tmp_path / "secret"
    return journal, archived_journal(journal, archive_recipients=[RECIPIENT])


def test_what_nobody_here_can_read_is_no_pass(encrypted):
    journal, trust = encrypted
    verdict = judged(journal, trust)
    assert verdict.code == NOT_PROVEN
    assert verdict.details["unread"] > 30
    assert verdict.details["epoch"] == 2, "what the journal says about itself is kept apart"


@pytest.mark.parametrize("ending", ["parquet.age", "json"])
def test_an_encrypted_file_and_its_facts_are_the_announced_ones(encrypted, ending):
    journal, trust = encrypted
    path = sorted(journal.glob(f"archive/*/*.{ending}"))[1]
    content = path.read_bytes()
    path.write_bytes(content.replace(b'"INFO":', b'"INFO": ') if ending == "json" else content[:-1])
    verdict = judged(journal, trust)
    assert verdict.code == FAILED
    assert path.name in verdict.reason


def test_encrypted_files_go_whole_or_not_at_all(encrypted):
    journal, trust = encrypted
    with pytest.raises(treering.ConfigurationError, match="encrypted"):
        prune(journal, 30, keep_level="ERROR")
    with pytest.raises(treering.ConfigurationError, match="encrypted"):
        erase(journal, [3], reason="asked for")
    assert prune(journal, 30).segments
    assert not list(journal.glob(f"archive/*/{0:020}.*"))
    assert judged(journal, trust).code == NOT_PROVEN
