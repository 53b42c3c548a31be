"""What goes by the rules of a journal, what stays, and that the journal says so."""

import json
import stat
import time
from pathlib import Path

import pytest
from programs import wait_for
from retaining import SETTINGS, fill, set_rules

import treering
from treering.archive import archive, hold, holds, release, retain
from treering.cli import main
from treering.errors import ConfigurationError, TreeringError
from treering.journal import Journal
from treering.seal import pin, prune, verify


def said(directory, message):
    """What the journal says about itself with this message."""
    found = (json.loads(line) for _, line in Journal(directory).records() if line)
    return [
        record.get("metadata", {})
        for record in found
        if record["component"] == "treering.journal" and record["message"] == message
    ]


def messages(directory):
    """Numbers and levels of the program's records."""
    found = (json.loads(line) for _, line in Journal(directory).records() if line)
    return [(r["metadata"]["number"], r["level"]) for r in found if r["component"] == "app"]


def files(directory):
    """Every file of records with its content."""
    return {p: p.read_bytes() for p in sorted(Path(directory).glob("a*/**/*")) if p.is_file()}


def test_without_rules_nothing_goes(journal):
    fill(journal)
    before = files(journal)
    assert retain(journal).steps == ()
    assert files(journal).keys() >= before.keys()


def test_a_dry_run_shows_what_goes_and_changes_nothing(journal):
    fill(journal)
    before = files(journal)
    total = sum(map(len, before.values()))
    set_rules(journal, retention_max_bytes=total // 2, retention_keep="")
    before = files(journal)
    shown = retain(journal, dry_run=True)
    assert files(journal) == before
    assert shown.steps
    assert all(step.why == "size" and step.kept == 0 and step.oldest for step in shown.steps)
    done = retain(journal)
    assert [step.file for step in done.steps] == [step.file for step in shown.steps]
    assert not any((journal / step.file).exists() for step in shown.steps)


def test_what_went_is_in_the_journal_and_the_rest_verifies(journal):
    fill(journal)
    set_rules(journal, retention_max_files=3, retention_keep="")
    plan = retain(journal)
    assert plan.records == sum(step.records for step in plan.steps) > 0
    assert len(said(journal, "records pruned")) == len(plan.steps)
    assert verify(journal, trust=pin(journal)).code == 0
    assert max(messages(journal))[0] == 199


def test_errors_stay_four_times_as_long_when_the_rest_is_too_old(journal):
    fill(journal)
    set_rules(journal, retention_max_age_s=3600, retention_keep="ERROR=1000000x")
    # The rule of one second comes with the look: no clock is turned.
    set_rules(journal, retention_max_age_s="1s")
    wait_for(lambda: len(retain(journal, dry_run=True).steps) > 3, "the records to be old")
    plan = retain(journal)
    assert any(step.kept for step in plan.steps)
    left = messages(journal)
    assert {number for number, level in left if level == "ERROR"} == {0, 50, 100, 150}
    assert len(left) < 100
    assert verify(journal, trust=pin(journal)).code == 0
    # More has grown old meanwhile; once that is gone there is nothing to do.
    wait_for(lambda: retain(journal).steps == (), "nothing to be left to do")


def test_files_of_the_archive_are_thinned_as_segments_are(journal):
    fill(journal)
    archive(journal)
    set_rules(journal, retention_max_age_s="1s", retention_keep="ERROR=1000000x")
    wait_for(lambda: retain(journal, dry_run=True).steps, "the records to be old")
    plan = retain(journal)
    assert {step.file.partition("/")[0] for step in plan.steps} >= {"archive"}
    assert {n for n, level in messages(journal) if level == "ERROR"} == {0, 50, 100, 150}
    assert verify(journal, trust=pin(journal)).code == 0


def test_what_is_under_a_legal_hold_stays_until_it_is_released(journal):
    fill(journal)
    set_rules(journal, retention_max_files=1, retention_keep="")
    hold(journal, "case 7", reason="letter of 3 March")
    plan = retain(journal)
    assert plan.steps == ()
    assert {(one.because, one.name) for one in plan.spared} == {("held", "case 7")}
    with pytest.raises(TreeringError, match="legal hold 'case 7'"):
        prune(journal, 150)
    release(journal, "case 7", reason="settled")
    assert retain(journal).steps
    assert holds(journal) == []
    assert said(journal, "legal hold placed")[0]["reason"] == "letter of 3 March"
    assert said(journal, "legal hold released")[0]["name"] == "case 7"


def test_a_hold_of_a_time_keeps_only_what_was_logged_then(journal):
    fill(journal, 100)
    time.sleep(0.01)
    begin = time.time_ns()
    fill(journal, 100)
    hold(journal, "later", reason="r", begin_ns=begin)
    set_rules(journal, retention_max_files=1, retention_keep="")
    plan = retain(journal)
    assert plan.steps
    assert plan.spared
    assert len(messages(journal)) >= 100
    assert verify(journal, trust=pin(journal)).code == 0


def test_nobody_else_reads_the_holds(journal):
    fill(journal, 5)
    hold(journal, "h", reason="r")
    assert stat.S_IMODE((journal / "holds.json").stat().st_mode) == 0o600


def test_holds_that_cannot_be_read_hold_everything(journal):
    fill(journal)
    set_rules(journal, retention_max_files=1)
    (journal / "holds.json").write_text("{")
    with pytest.raises(TreeringError, match=r"holds\.json"):
        retain(journal)


def test_the_promised_least_age_is_kept(journal):
    fill(journal, retention_min_age_s=3600, retention_max_files=1, retention_keep="")
    plan = retain(journal)
    assert plan.steps == ()
    assert {one.because for one in plan.spared} == {"too_young"}
    assert plan.missed == ("files",)


def test_what_an_output_has_not_got_stays(journal):
    fill(journal)
    set_rules(journal, retention_max_files=1, retention_keep="")
    cursors = journal / "cursors"
    cursors.mkdir(mode=0o700)
    origin = json.loads((journal / "journal.json").read_text())["origin"]
    (cursors / "siem.json").write_text(json.dumps({"index": 60, "journal": origin}))
    plan = retain(journal)
    assert plan.steps
    assert all(step.end <= 60 for step in plan.steps)
    assert {(one.because, one.name) for one in plan.spared} == {("undelivered", "siem")}


def test_a_journal_without_seal_loses_whole_files(journal):
    fill(journal, seal=False)
    set_rules(journal, seal=False, retention_max_files=3, retention_keep="ERROR=1x")
    plan = retain(journal)
    assert plan.steps
    assert all(step.kept == 0 for step in plan.steps)
    assert said(journal, "records pruned")


def test_a_journal_in_use_keeps_its_rules_itself(journal):
    fill(journal)
    count = len(files(journal))
    treering.configure(directory=journal, **SETTINGS, retention_max_files=3, retention_keep="")
    try:
        wait_for(lambda: treering.statistics()["journal_pruned_records"] > 0, "retention")
        wait_for(lambda: len(list((journal / "active").glob("*.jsonl"))) <= 3, "the last step")
    finally:
        treering.shutdown()
    assert len(files(journal)) < count
    assert said(journal, "records pruned")


def test_the_command_shows_does_holds_and_lists(journal, capsys):
    fill(journal)
    set_rules(journal, retention_max_files=3, retention_keep="")
    assert main(["retain", str(journal), "--dry-run"]) == 0
    assert "would go" in capsys.readouterr().out
    assert main(["retain", str(journal), "--hold", "c", "--reason", "why", "--to", "1h"]) == 0
    assert main(["retain", str(journal), "--holds"]) == 0
    assert "why" in capsys.readouterr().out
    assert main(["retain", str(journal), "--release", "c"]) == 0
    assert main(["retain", str(journal), "--json"]) == 0
    assert json.loads(capsys.readouterr().out.splitlines()[-1])["records"] > 0
    # What it says about itself takes room, too, and goes by the same rule.
    wait_for(lambda: main(["retain", str(journal)]) == 1, "nothing to take")


def test_a_hold_needs_a_reason(journal):
    fill(journal, 5)
    with pytest.raises(SystemExit):
        main(["retain", str(journal), "--hold", "c"])


def test_names_of_holds_do_nothing_to_a_terminal(journal, capsys):
    fill(journal, 5)
    main(["retain", str(journal), "--hold", "a\x1b[2J", "--reason", "b\x9b2J"])
    main(["retain", str(journal), "--holds"])
    main(["retain", str(journal), "--release", "a\x1b[2J"])

    assert capsys.readouterr().out.replace("\n", "").isprintable()


@pytest.mark.parametrize("address", ["s3://AKIA:secret@bucket", "s3://bucket?secret_key=secret"])
def test_credentials_in_an_address_are_refused_and_not_repeated(address):
    pytest.importorskip("obstore")
    from treering.archive._place import place_of

    with pytest.raises(ConfigurationError, match="environment") as refused:
        place_of(address)
    assert "secret" not in str(refused.value)
