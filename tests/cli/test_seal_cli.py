"""`treering verify`, `prove`, `keys`, `erase`, `anchor` and their kin, as a person types them."""

import json
import re
import subprocess
import sys

import pytest
from forging import sealed_journal

from treering.seal import pin


def treering(*arguments, data=None, env=None):
    """Runs the command; gives exit code, standard output and standard error."""
    import os

    done = subprocess.run(
        [sys.executable, "-m", "treering", *map(str, arguments)],
        capture_output=True,
        text=True,
        input=data,
        check=False,
        env={**os.environ, **(env or {})},
    )
    return done.returncode, done.stdout, done.stderr


@pytest.fixture
def trust(journal):
    return sealed_journal(journal, records=30, epochs=2)


def test_log_verify_tamper_verify_fails(journal, trust):
    code, out, _ = treering("verify", journal)
    assert code == 0
    assert out.startswith("SEALED to record ")
    assert "as this host saw them made" in out
    code, out, _ = treering("verify", journal, "--trust", trust)
    assert code == 0
    assert "keys pinned: identity and epoch 0\n" in out
    path = min(journal.glob("active/*.jsonl"))
    path.write_text(path.read_text().replace('"number":3', '"number":4', 1))
    code, out, err = treering("verify", journal, "--trust", trust)
    assert (code, err) == (1, "")
    assert out.startswith("FAIL at record ")


def test_verify_needs_something_to_trust(journal, trust, tmp_path):
    code, out, _ = treering("verify", journal, env={"XDG_STATE_HOME": str(tmp_path / "nowhere")})
    assert code == 2
    assert "KEYS NOT PINNED" in out
    assert trust in out


@pytest.mark.parametrize(
    ("arguments", "what"),
    [
        (["--trust", "no-such-file"], "--trust 'no-such-file' is neither a pinned line nor a file"),
        (["--trust", "a+b+c"], "vkey 'a+b+c'"),
        (["--max-age", "soon"], "time 'soon' is not a number with s, m, h or d"),
    ],
)
def test_what_cannot_be_used_is_named(journal, trust, arguments, what):
    code, out, err = treering("verify", journal, *arguments)
    assert (code, out) == (2, "")
    assert what in err


def test_verify_for_programs(journal, trust):
    code, out, _ = treering("verify", journal, "--trust", trust, "--json")
    found = json.loads(out)
    assert code == found["code"] == 0
    assert found["epoch"] == 1
    assert found["sealed"] > 30
    assert found["pin"] == trust


def test_a_stale_journal_and_a_state_that_is_kept(journal, trust, tmp_path):
    state = tmp_path / "seen"
    assert treering("verify", journal, "--state", state, "--max-age", "1d")[0] == 0
    assert state.read_bytes() == (journal / "seal" / "checkpoint").read_bytes()
    code, out, _ = treering("verify", journal, "--max-age", "0s")
    assert code == 2
    assert "STALE" in out


def test_a_proof_is_made_and_checked_without_the_journal(journal, trust, tmp_path):
    code, proof, _ = treering("prove", journal, 7, "--record", tmp_path / "record.json")
    assert code == 0
    for damaged in (proof.replace("\n\n", "\n\r", 1).encode(), proof.encode() + b"\xff"):
        (tmp_path / "r.tlog-proof").write_bytes(damaged)
        code, out, _ = treering(
            *("verify", tmp_path / "r.tlog-proof", "--record", tmp_path / "record.json"),
            *("--trust", trust),
        )
        assert code == 1
        assert out.startswith("FAIL: ")
    (tmp_path / "r.tlog-proof").write_text(proof)
    (tmp_path / "pin").write_text(trust + "\n")
    checked = treering(
        *("verify", tmp_path / "r.tlog-proof", "--record", tmp_path / "record.json"),
        *("--trust", tmp_path / "pin"),
    )
    assert checked[0] == 0
    assert checked[1].startswith("PROVEN: record 7 of ")
    line = (tmp_path / "record.json").read_text()
    code, out, _ = treering(
        *("verify", tmp_path / "r.tlog-proof", "--record", "-", "--trust", trust),
        data=line.replace("record of", "RECORD of"),
    )
    assert code == 1
    assert out.startswith("FAIL: ")
    assert treering("verify", tmp_path / "r.tlog-proof", "--trust", trust)[0] == 2
    code, _, err = treering("prove", journal, 9999)
    assert code == 2
    assert "record 9999 is not sealed" in err
    assert "damaged" not in err


def test_tiles_are_exported_and_checked(journal, trust, tmp_path):
    assert treering("export-tiles", journal, tmp_path / "tiles")[0] == 0
    identity = trust.split()[0]
    code, out, _ = treering("verify", "--tiles", tmp_path / "tiles", "--trust", identity)
    assert code == 0
    assert out.startswith("SEALED: the tree of ")
    code, out, _ = treering("verify", "--tiles", tmp_path / "tiles", "--json")
    assert code == json.loads(out)["code"] == 2
    assert treering("verify", "--tiles", tmp_path / "tiles", "--max-age", "1d")[0] == 2
    nobody = tmp_path / "nobody"
    nobody.write_text("quorum none\n")
    assert treering("verify", "--tiles", tmp_path / "tiles", "--trust", nobody)[0] == 1


def test_tiles_among_a_journals_files_do_not_distract_from_it(journal, trust):
    assert treering("export-tiles", journal, journal)[0] == 0
    path = min(journal.glob("active/*.jsonl"))
    path.write_text(path.read_text().replace('"number":3', '"number":4', 1))
    code, out, _ = treering("verify", journal, "--trust", trust)
    assert code == 1
    assert out.startswith("FAIL at record ")


def test_keys_are_shown_exported_and_rotated(journal, trust, tmp_path):
    assert treering("keys", "show", journal)[1].strip() == trust == pin(journal)
    assert json.loads(treering("keys", "show", journal, "--json")[1])["pin"] == trust
    policy = tmp_path / "policy"
    policy.write_text(treering("keys", "export", journal)[1])
    assert treering("verify", journal, "--trust", policy)[0] == 0
    assert "epoch 2 has begun" in treering("keys", "rotate", journal)[1]
    assert treering("verify", journal, "--trust", trust)[0] == 0


def test_erase_prune_and_forget(journal, trust):
    assert treering("erase", journal, 3, 4, "--reason", "art. 17", "--request", "T-1")[0] == 0
    assert treering("prune", journal, "--before", 1)[0] == 1
    assert treering("forget", journal, "nobody")[0] == 1
    code, out, _ = treering("verify", journal, "--trust", trust)
    assert code == 0
    assert "ERASED 2" in out
    shown = treering("cat", journal, "--json")[1].splitlines()
    assert not any('"number":2}' in line and "epoch 0" in line for line in shown)
    code, _, err = treering("erase", journal, 0, "--reason", "x")
    assert code == 2
    assert "about the journal itself" in err


def test_a_witness_confirms_and_a_policy_asks_for_it(journal, trust, tmp_path):
    identity = trust.split()[0]
    serving = subprocess.Popen(
        [
            sys.executable,
            "-m",
            "treering",
            "witness",
            "serve",
            "--directory",
            tmp_path / "w",
            "--name",
            "witness.test/w",
            "--log",
            identity,
        ],
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        vkey, url = serving.stdout.readline().strip(), serving.stdout.readline().strip()
        policy = tmp_path / "policy"
        policy.write_text(treering("keys", "export", journal)[1].replace("quorum none\n", ""))
        with policy.open("a") as file:
            file.write(f"witness w {vkey}\nquorum w\n")
        code, out, _ = treering("verify", journal, "--trust", policy)
        assert code == 2
        assert "NOT ANCHORED" in out
        assert treering("anchor", journal, "--witness", url, "--key", vkey)[0] == 0
        code, out, _ = treering("verify", journal, "--trust", policy)
        assert code == 0
        assert "ANCHORED to record" in out
        code, proof, _ = treering("prove", journal, 5, "--record", tmp_path / "record")
        (tmp_path / "p.tlog-proof").write_text(proof)
        checked = treering(
            *("verify", tmp_path / "p.tlog-proof", "--record", tmp_path / "record"),
            *("--trust", policy),
        )
        assert checked[0] == 0
    finally:
        serving.terminate()
        assert serving.wait(10) == 0
        serving.stdout.close()
    code, out, _ = treering("anchor", journal, "--witness", url, "--key", vkey)
    assert code == 1
    assert out.startswith("not confirmed: ")


def test_statistics_say_where_the_seal_stands(journal, trust):
    out = treering("stats", journal)[1]
    sealed = json.loads(treering("verify", journal, "--json")[1])["sealed"]
    assert re.search(f"sealed to {sealed:,} records, [0-9]+ s ago, never anchored", out)
    assert json.loads(treering("stats", journal, "--json")[1])["seal"]["sealed"] == sealed


def test_a_command_gets_the_checkpoint(journal, trust, tmp_path):
    kept = tmp_path / "kept"
    command = f"{sys.executable} -c \"import sys; open('{kept}', 'w').write(sys.stdin.read())\""
    assert treering("anchor", journal, "--command", command)[0] == 0
    assert treering("verify", journal, "--state", kept)[0] == 0
    assert treering("anchor", journal)[0] == 2
