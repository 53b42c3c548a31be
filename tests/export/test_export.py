"""Records taken out of a journal, with a manifest and proofs."""

import csv
import io
import json
import stat

import journals
import pyarrow.parquet as pq
import pytest
from programs import command

from treering.errors import ConfigurationError, VerificationFailed
from treering.export import check, export
from treering.journal import Journal
from treering.seal import pin


@pytest.fixture(scope="module")
def journal(tmp_path_factory):
    directory = tmp_path_factory.mktemp("export") / "logs"
    journals.write(directory, 600)
    return directory


def errors(directory):
    return [
        (index, line)
        for index, line in Journal(directory).records()
        if json.loads(line)["level"] == "ERROR"
    ]


def test_an_export_has_the_lines_that_were_sealed(journal, tmp_path):
    made = export(journal, tmp_path / "errors.jsonl", "level:ERROR")

    expected = errors(journal)
    assert (tmp_path / "errors.jsonl").read_bytes() == b"".join(
        line + b"\n" for _, line in expected
    )
    assert (made.count, made.first, made.last) == (len(expected), expected[0][0], expected[-1][0])


def test_the_manifest_says_what_by_whom_and_under_which_checkpoint(journal, tmp_path):
    export(journal, tmp_path / "e.jsonl", "level:ERROR", component="auth", reason="ticket 7")

    said = json.loads((tmp_path / "e.jsonl.manifest.json").read_text())
    assert said["query"] == {"query": "level:ERROR", "component": "auth"}
    assert said["reason"] == "ticket 7"
    assert "@" in said["exported_by"]
    assert said["checkpoint"].startswith(said["journal"] + "\n")


def test_the_journal_says_that_records_were_exported(journal, tmp_path):
    made = export(journal, tmp_path / "said.jsonl", "level:ERROR", reason="audit 2026")

    last = [json.loads(line) for _, line in Journal(journal).records()]
    said = [record for record in last if record["message"] == "records exported"][-1]
    assert said["level"] == "AUDIT"
    assert said["metadata"]["count"] == made.count
    assert said["metadata"]["sha256"] == made.sha256
    assert said["metadata"]["reason"] == "audit 2026"


def test_every_record_of_an_export_can_be_proven_without_the_journal(journal, tmp_path):
    export(journal, tmp_path / "p.jsonl", "level:ERROR", proofs=True)

    said = check(tmp_path / "p.jsonl.manifest.json", trust=pin(journal))
    assert said.count == len(errors(journal))


def test_a_changed_record_is_found_even_with_a_manifest_that_fits(journal, tmp_path):
    from hashlib import sha256

    export(journal, tmp_path / "c.json", "level:ERROR", proofs=True)
    file, manifest = tmp_path / "c.json", tmp_path / "c.json.manifest.json"
    before = file.read_bytes()
    file.write_bytes(before.replace(b'"level":"ERROR"', b'"level":"DEBUG"', 1))
    said = json.loads(manifest.read_text())
    said["sha256"] = sha256(file.read_bytes()).hexdigest()
    manifest.write_text(json.dumps(said))

    with pytest.raises(VerificationFailed):
        check(manifest, trust=pin(journal))


def test_a_changed_file_is_not_what_was_exported(journal, tmp_path):
    export(journal, tmp_path / "f.csv", "level:ERROR")
    (tmp_path / "f.csv").write_text("index\n1\n")

    with pytest.raises(VerificationFailed, match="is not what was exported"):
        check(tmp_path / "f.csv.manifest.json")


def test_csv_has_a_row_for_each_record(journal, tmp_path):
    export(journal, tmp_path / "r.csv", "level:ERROR")

    rows = list(csv.DictReader(io.StringIO((tmp_path / "r.csv").read_text())))
    expected = [(str(index), json.loads(line)["message"]) for index, line in errors(journal)]
    assert [(row["index"], row["message"]) for row in rows] == expected
    assert all("context" in row for row in rows)


def test_a_spreadsheet_takes_no_message_for_a_formula(tmp_path):
    from programs import run

    run(
        "import sys, treering; treering.configure(directory=sys.argv[1], console=False);"
        "treering.get_logger('x').error('=HYPERLINK(1)'); treering.shutdown()",
        tmp_path / "logs",
    )
    export(tmp_path / "logs", tmp_path / "x.csv", "component:x")

    row = next(csv.DictReader(io.StringIO((tmp_path / "x.csv").read_text())))
    assert row["message"] == "'=HYPERLINK(1)"


def test_text_looks_as_asked_for(journal, tmp_path):
    export(journal, tmp_path / "t.txt", "level:ERROR", style="%l|%m")

    first = (tmp_path / "t.txt").read_text().splitlines()[0]
    assert first == "ERROR|" + json.loads(errors(journal)[0][1])["message"]


def test_parquet_has_the_columns_of_the_archive(journal, tmp_path):
    export(journal, tmp_path / "a.parquet", "level:ERROR")

    table = pq.read_table(tmp_path / "a.parquet")
    assert table["index"].to_pylist() == [index for index, _ in errors(journal)]
    assert {"timestamp", "level", "message", "context"} <= set(table.column_names)


def test_an_export_without_records_is_an_empty_array(journal, tmp_path):
    made = export(journal, tmp_path / "none.json", "level:ERROR AND component:nobody")

    assert made.count == 0
    assert json.loads((tmp_path / "none.json").read_text()) == []


def test_files_of_an_export_are_for_their_owner_only(journal, tmp_path):
    export(journal, tmp_path / "o.jsonl", "level:ERROR", proofs=True)

    modes = {stat.S_IMODE(path.stat().st_mode) for path in tmp_path.glob("o.*")}
    assert modes == {0o600}
    assert len(list(tmp_path.glob("o.*"))) == 3


@pytest.mark.parametrize(
    ("name", "options", "said"),
    [
        ("x.docx", {}, "export format 'docx' is not known"),
        ("x.csv", {"proofs": True}, "jsonl or json would be right"),
    ],
)
def test_what_cannot_be_exported_is_said(journal, tmp_path, name, options, said):
    with pytest.raises(ConfigurationError, match=said):
        export(journal, tmp_path / name, **options)

    assert list(tmp_path.iterdir()) == []


def test_a_file_that_is_there_is_not_replaced(journal, tmp_path):
    (tmp_path / "old.csv").write_text("mine")

    with pytest.raises(ConfigurationError, match="is there already"):
        export(journal, tmp_path / "old.csv")

    assert (tmp_path / "old.csv").read_text() == "mine"


def test_the_command_exports_and_checks(journal, tmp_path):
    done = command("export", journal, "level:ERROR", "-o", tmp_path / "c.jsonl", "--proofs")
    assert done.returncode == 0, done.stderr
    checked = command(
        "export", "--check", tmp_path / "c.jsonl.manifest.json", "--trust", pin(journal)
    )

    assert checked.returncode == 0
    assert checked.stdout.startswith("AS EXPORTED: ")
    assert "every record proven" in checked.stdout


def test_the_command_says_when_a_file_was_changed(journal, tmp_path):
    command("export", journal, "level:ERROR", "-o", tmp_path / "d.jsonl")
    with (tmp_path / "d.jsonl").open("ab") as file:
        file.write(b"{}\n")

    checked = command("export", "--check", tmp_path / "d.jsonl.manifest.json")
    assert checked.returncode == 1
    assert checked.stdout.startswith("FAIL: ")


def test_csv_shows_no_control_characters_of_objects(tmp_path):
    from programs import run

    run(
        "import sys, treering; treering.configure(directory=sys.argv[1], console=False);"
        "treering.get_logger('x').error('m', path='\\x9b2J\\x7f\\u202e'); treering.shutdown()",
        tmp_path / "logs",
    )
    export(tmp_path / "logs", tmp_path / "x.csv", "component:x")

    row = next(csv.DictReader(io.StringIO((tmp_path / "x.csv").read_text())))
    assert row["metadata"].isprintable()
    assert json.loads(row["metadata"]) == {"path": "\x9b2J\x7f\u202e"}


def test_proofs_of_another_export_are_never_overwritten(journal, tmp_path):
    (tmp_path / "w.jsonl.proofs").write_text("of another")

    with pytest.raises(ConfigurationError, match="is there already"):
        export(journal, tmp_path / "w.jsonl", "level:ERROR", proofs=True)
    assert (tmp_path / "w.jsonl.proofs").read_text() == "of another"
