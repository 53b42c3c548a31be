"""Encrypted files of the archive, as people and the stock `age` open them."""

import json
import shutil
import subprocess

import pyarrow.parquet
import pytest

import treering
from treering import _core
from treering.archive import identities, recipients, rewrap
from treering.cli import main
from treering.errors import ConfigurationError, JournalDamaged, JournalUnavailable


def keygen(path):
    """A key of the stock tool: its file and its public half."""
    program = shutil.which("age-keygen")
    assert program, "age-keygen is missing: `make test` installs it"
    subprocess.run([program, "-o", path], check=True, capture_output=True)
    shown = subprocess.run([program, "-y", path], check=True, capture_output=True, text=True)
    return path, shown.stdout.strip()


@pytest.fixture
def key(tmp_path):
    return keygen(tmp_path / "key.txt")


@pytest.fixture
def plain(tmp_path):
    """A Parquet file with 2,000 records."""
    lines = "".join(
        json.dumps(
            {
                "timestamp": f"2026-11-21T10:00:00.{number:09}Z",
                "level": "INFO",
                "category": "app",
                "component": "shop",
                "message": f"order {number}",
                "context": {"user_id": number % 7},
            },
            separators=(",", ":"),
        )
        + "\n"
        for number in range(2000)
    )
    (tmp_path / "lines.jsonl").write_text(lines)
    path = tmp_path / f"{0:020}.parquet"
    _core.archive_write([(0, tmp_path / "lines.jsonl")], path)
    return path


@pytest.fixture
def encrypted(plain, key):
    path = plain.with_name(plain.name + ".age")
    _core.age_encrypt(plain, path, [key[1]])
    return path


def stock_decrypt(path, key_file):
    return subprocess.run(
        ["age", "-d", "-i", key_file, path], check=True, capture_output=True
    ).stdout


def test_the_stock_age_opens_an_encrypted_file(plain, encrypted, key, tmp_path):
    opened = tmp_path / "opened.parquet"

    opened.write_bytes(stock_decrypt(encrypted, key[0]))

    assert opened.read_bytes() == plain.read_bytes()
    assert pyarrow.parquet.read_table(opened).equals(pyarrow.parquet.read_table(plain))


def test_what_the_stock_age_encrypted_is_opened(plain, key, tmp_path):
    path = tmp_path / "stock.age"
    subprocess.run(["age", "-r", key[1], "-o", path, plain], check=True)

    opened = _core.age_decrypt(path, identities([key[0]]))

    assert opened.path.read_bytes() == plain.read_bytes()


def test_duckdb_reads_a_file_that_was_decrypted_in_memory(encrypted, key):
    import duckdb

    opened = _core.age_decrypt(encrypted, identities([key[0]]))

    with duckdb.connect() as connection:
        query = "select count(*), max(message) from read_parquet(?)"
        found = connection.execute(query, [str(opened.path)]).fetchone()
    assert found == (2000, "order 999")


def test_several_recipients_open_a_file_each_alone(plain, key, tmp_path):
    other = keygen(tmp_path / "other.txt")
    path = tmp_path / "both.age"
    _core.age_encrypt(plain, path, [key[1], other[1]])

    for file, _ in (key, other):
        assert stock_decrypt(path, file) == plain.read_bytes()


def test_the_wrong_identity_is_refused_naming_the_file_and_both_keys(encrypted, key, tmp_path):
    other = keygen(tmp_path / "other.txt")

    with pytest.raises(ConfigurationError) as refused:
        _core.age_decrypt(encrypted, identities([other[0]]))

    said = str(refused.value)
    assert str(encrypted) in said
    assert f"not to {other[1]} from '{other[0]}'" in said


def test_a_damaged_file_is_damaged_and_gives_nothing(encrypted, key):
    content = bytearray(encrypted.read_bytes())
    content[len(content) // 2] ^= 1
    encrypted.write_bytes(content)

    with pytest.raises((JournalDamaged, JournalUnavailable)):
        _core.age_decrypt(encrypted, identities([key[0]]))


def test_identity_files_of_the_environment_are_used(key, tmp_path, monkeypatch):
    other = keygen(tmp_path / "other.txt")
    monkeypatch.setenv("TREERING_IDENTITY", f"{key[0]}:{other[0]}")

    assert identities().recipients == [key[1], other[1]]


def test_without_an_identity_file_there_are_no_identities(monkeypatch):
    monkeypatch.delenv("TREERING_IDENTITY", raising=False)

    assert identities() is None


def test_an_identity_file_that_is_none_is_named_with_the_line(tmp_path):
    path = tmp_path / "notes.txt"
    path.write_text("# mine\nAGE-SECRET-KEY-1PARTOFAKEY\n")

    with pytest.raises(ConfigurationError, match=r"notes\.txt': line 2 is no identity") as refused:
        identities([path])

    assert "PARTOFAKEY" not in str(refused.value)


@pytest.mark.parametrize("recipient", ["age1abc", "ssh-ed25519 AAAA", "", "AGE-SECRET-KEY-1QQ"])
def test_a_recipient_that_is_none_is_a_configuration_error(recipient):
    with pytest.raises(ConfigurationError, match="archive_recipients") as refused:
        _core.age_recipients([recipient])

    assert "1QQ" not in str(refused.value)


@pytest.fixture
def archive(plain, key, journal):
    """A journal with an encrypted file in its archive, and that file."""
    treering.configure(directory=journal, console=False)
    treering.get_logger("shop").info("hello")
    treering.shutdown()
    place = journal / "archive" / "date=2026-11-21" / f"{0:020}.parquet.age"
    place.parent.mkdir(parents=True)
    _core.age_encrypt(plain, place, [key[1]])
    facts = json.loads(pyarrow.parquet.read_metadata(plain).metadata[b"treering"])
    shown = {**facts, "promoted": [], "recipients": [key[1]]}
    place.with_name(f"{0:020}.json").write_text(json.dumps(shown))
    return journal, place


def test_files_are_encrypted_anew_for_other_recipients(archive, plain, key, tmp_path, capsys):
    directory, place = archive
    new = keygen(tmp_path / "new.txt")

    arguments = ["keys", "rewrap", str(directory), "--identity", str(key[0]), "--recipient", new[1]]
    assert main(arguments) == 0

    assert capsys.readouterr().out.startswith("1 files (")
    assert recipients(place) == (new[1],)
    assert stock_decrypt(place, new[0]) == plain.read_bytes()
    assert subprocess.run(["age", "-d", "-i", key[0], place], capture_output=True).returncode == 1
    assert [path.name for path in place.parent.iterdir() if "draft" in path.name] == []


def test_the_journal_names_a_file_that_was_encrypted_anew(archive, key, tmp_path):
    import hashlib

    directory, place = archive
    new = keygen(tmp_path / "new.txt")
    rewrap(directory, [new[1]], identities=identities([key[0]]))

    lines = "".join(path.read_text() for path in sorted((directory / "active").glob("*.jsonl")))
    records = [json.loads(line) for line in lines.splitlines()]
    said = [
        record["metadata"]["files"]
        for record in records
        if record["message"] == "segments archived"
    ]
    digest = hashlib.sha256(place.read_bytes()).hexdigest()
    relative = str(place.relative_to(directory))
    beside = place.with_suffix("").with_suffix(".json")
    named = {
        "first": 0,
        "end": 2000,
        "rows": 2000,
        "sha256": digest,
        "path": relative,
        "facts_sha256": hashlib.sha256(beside.read_bytes()).hexdigest(),
    }
    assert said == [[named]]


def test_encrypting_anew_twice_leaves_what_is_done(archive, key, tmp_path):
    directory, place = archive
    new = keygen(tmp_path / "new.txt")
    keys = identities([key[0], new[0]])
    rewrap(directory, [new[1]], identities=keys)
    before = place.read_bytes()

    done = rewrap(directory, [new[1]], identities=keys)

    assert (done.files, done.others, place.read_bytes()) == (0, 1, before)


def test_without_the_right_key_nothing_is_encrypted_anew(archive, tmp_path):
    directory, place = archive
    before = place.read_bytes()
    other = keygen(tmp_path / "other.txt")

    with pytest.raises(ConfigurationError, match="is encrypted to"):
        rewrap(directory, [other[1]], identities=identities([other[0]]))

    assert place.read_bytes() == before
