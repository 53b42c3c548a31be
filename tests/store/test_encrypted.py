"""Searching archives that are encrypted, and journals of more files than may be open."""

import shutil
import subprocess

import pytest
from journals import archive, lines, segments, write
from programs import command, run

from treering import _core
from treering.errors import ConfigurationError
from treering.store import open_store


@pytest.fixture(scope="module")
def sealed(tmp_path_factory):
    """A journal whose archive is encrypted, its key file, and its records."""
    directory = tmp_path_factory.mktemp("encrypted") / "logs"
    write(directory, 600)
    known = lines(directory)
    archive(directory, len(segments(directory)) - 2)
    program = shutil.which("age-keygen")
    assert program, "age-keygen is missing: `make test` installs it"
    key = directory.with_name("key.txt")
    subprocess.run([program, "-o", key], check=True, capture_output=True)
    asked = [program, "-y", key]
    public = subprocess.run(asked, check=True, capture_output=True, text=True).stdout.strip()
    for path in list(directory.glob("archive/date=*/*.parquet")):
        _core.age_encrypt(path, path.with_name(f"{path.name}.age"), [public])
        path.unlink()
    return directory, key, [line for _, line in known if b"treering.journal" not in line]


def test_an_encrypted_archive_is_searched_with_its_identity(sealed):
    directory, key, known = sealed
    with open_store(directory, identities=[key]) as store:
        found = list(store.search(limit=None, order="oldest").lines())
        assert found == known
        assert store.count("failed") == sum(b'"message":"failed ' in line for line in known)
        rows = store.sql("SELECT count(*) AS n FROM records WHERE component <> 'treering.journal'")
        assert rows.to_list() == [{"n": len(known)}]


def test_the_environment_names_the_identity(sealed, monkeypatch):
    directory, key, known = sealed
    monkeypatch.setenv("TREERING_IDENTITY", str(key))
    with open_store(directory) as store:
        assert store.count() == len(known)


def test_without_an_identity_the_store_says_what_is_missing(sealed, monkeypatch):
    monkeypatch.delenv("TREERING_IDENTITY", raising=False)
    with pytest.raises(ConfigurationError, match="no identity was given") as caught:
        open_store(sealed[0])
    assert "--identity" in str(caught.value.hint)


def test_the_commands_take_an_identity(sealed):
    directory, key, known = sealed
    counted = command("search", directory, "--count", "--identity", key)
    assert counted.stdout.strip() == str(len(known))

    asked = "SELECT count(*) AS n FROM records WHERE component <> 'treering.journal'"
    shown = command("sql", directory, asked, "--csv", "--identity", key)
    assert shown.stdout.splitlines() == ["n", str(len(known))]


FEW = """
import resource, sys
from treering.errors import QueryTooLarge
from treering.store import open_store
import duckdb, pyarrow.parquet
resource.setrlimit(resource.RLIMIT_NOFILE, (int(sys.argv[2]), 4096))
try:
    with open_store(sys.argv[1]) as store:
        store.count()
except QueryTooLarge as error:
    print(error.hint)
"""


def test_more_files_than_may_be_open_are_a_question_too_large(tmp_path):
    write(tmp_path / "logs", 2000)
    archive(tmp_path / "logs", together=1)
    files = len(list(tmp_path.glob("logs/archive/date=*/*.parquet")))

    _, out, _ = run(FEW, tmp_path / "logs", files + 5)
    assert "ulimit -n" in out
