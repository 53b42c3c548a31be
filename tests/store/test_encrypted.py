"""Asking a journal whose archive is encrypted."""

import shutil
import subprocess
import sys

import pytest
from programs import command, run

from treering.store import open_store

PROGRAM = """
import sys, treering
treering.configure(directory=sys.argv[1], console=False, archive_recipients=[sys.argv[2]])
log = treering.get_logger("shop")
for number in range(50):
    log.error("late %s", number, order=number)
treering.shutdown()
"""

QUESTIONS = [
    ["search", "{logs}", "level:ERROR", "--limit", "1"],
    ["sql", "{logs}", "SELECT count(*) FROM records"],
    ["export", "{logs}", "level:ERROR", "--proofs", "-o", "{out}"],
    ["patterns", "{logs}", "level:ERROR"],
    ["prove", "{logs}", "3"],
    ["verify", "{logs}"],
]


@pytest.fixture(scope="module")
def key(tmp_path_factory):
    path = tmp_path_factory.mktemp("key") / "archive.key"
    program = shutil.which("age-keygen")
    assert program, "age-keygen is missing: `make test` installs it"
    subprocess.run([program, "-o", path], check=True, capture_output=True)
    return path


@pytest.fixture(scope="module")
def logs(tmp_path_factory, key):
    directory = tmp_path_factory.mktemp("encrypted") / "logs"
    public = subprocess.run(["age-keygen", "-y", key], check=True, capture_output=True, text=True)
    run(PROGRAM, directory, public.stdout.strip())
    done = command("archive", directory, "--all")
    assert done.returncode == 0, done.stderr
    return directory


def test_a_search_opens_encrypted_files_with_an_identity(logs, key):
    with open_store(logs, identities=[key]) as store:
        found = store.search("level:ERROR", order="oldest", limit=None).to_list()

    assert [record["metadata"]["order"] for record in found] == list(range(50))


@pytest.mark.parametrize("words", QUESTIONS, ids=lambda words: words[0])
def test_every_question_takes_an_identity(logs, key, tmp_path, words):
    words = [word.format(logs=logs, out=tmp_path / "out.jsonl") for word in words]

    assert command(*words).returncode == 2
    done = command(*words, "--identity", key)
    assert done.returncode == 0, done.stderr


def test_the_environment_names_an_identity(logs, key):
    words = [sys.executable, "-m", "treering", "search", logs, "level:ERROR", "--count"]
    environment = {"PATH": "/usr/bin:/bin", "TREERING_IDENTITY": str(key)}
    done = subprocess.run(words, env=environment, capture_output=True, text=True, check=False)

    assert done.stdout.split()[0] == "50", done.stderr
