"""What lies beside files of the archive, and who can read them: indexes of words, age identities."""

import shutil
import subprocess
import zlib

import pytest
from archiving import archived_journal, file_of, files

import treering
from treering import _core
from treering.cli import main
from treering.seal import erase, prove, prune, verify, verify_proof


def checksummed(index):
    """An index of words with the checksum that belongs to it."""
    index[20:24] = zlib.crc32(index[24:], zlib.crc32(index[:20])).to_bytes(4, "little")
    return bytes(index)


@pytest.fixture
def indexed(journal):
    """A journal, its pin, and one of its files with an index of words."""
    trust = archived_journal(journal)
    path, _ = file_of(journal, "record of epoch 1")
    _core.token_build(path)
    return trust, path.with_suffix(".tokens")


def test_an_index_of_words_that_is_complete_is_no_matter(journal, indexed):
    assert verify(journal, trust=indexed[0]).code == 0


def test_an_index_that_hides_records_from_searches_fails(journal, indexed):
    trust, path = indexed
    content = bytearray(path.read_bytes())
    blocks = int.from_bytes(content[64:68], "little")
    filters = 72 + 32 * blocks
    content[filters:] = bytes(len(content) - filters)
    path.write_bytes(checksummed(content))
    verdict = verify(journal, trust=trust)
    assert verdict.code == 1
    assert path.name in verdict.reason
    assert "hides records" in verdict.reason
    path.unlink()
    assert verify(journal, trust=trust).code == 0


def test_a_damaged_index_is_never_believed(journal, indexed):
    trust, path = indexed
    content = bytearray(path.read_bytes())
    content[-3] ^= 255
    path.write_bytes(content)
    assert verify(journal, trust=trust).code == 0
    assert _core.token_ranges([path.with_suffix(".parquet")], ["nowhere"])[0][0][0] == 0


def test_an_erasure_takes_the_words_out_of_the_index_too(journal, indexed):
    trust, path = indexed
    _, index = file_of(journal, "record of epoch 1")
    erase(journal, [index], reason="asked for")
    found = _core.token_check(path.with_suffix(".parquet"))[0]
    assert found in {"missing", "complete"}
    assert verify(journal, trust=trust).code == 0


def test_a_file_that_goes_takes_its_index_along(journal, indexed):
    path = files(journal)[0]
    _core.token_build(path)
    prune(journal, _core.archive_list(journal)[0]["end"])
    assert not path.exists()
    assert not path.with_suffix(".tokens").exists()


@pytest.fixture
def key(tmp_path):
    """A file with an age identity, and its recipient."""
    program = shutil.which("age-keygen")
    assert program, "age-keygen is missing: `make test` installs it"
    path = tmp_path / "key.txt"
    subprocess.run([program, "-o", path], check=True, capture_output=True)
    shown = subprocess.run([program, "-y", path], check=True, capture_output=True, text=True)
    return path, shown.stdout.strip()


@pytest.fixture
def encrypted(journal, key):
    """The pin of a journal whose archive only the key opens."""
    trust = archived_journal(journal, archive_recipients=[key[1]])
    assert list(journal.glob("archive/*/*.age"))
    return trust


def test_an_encrypted_journal_is_verified_with_its_identity(journal, encrypted, key):
    assert verify(journal, trust=encrypted).code == 2
    verdict = verify(journal, trust=encrypted, identities=[key[0]])
    assert verdict.code == 0, verdict.reason
    assert verdict.details["unread"] == 0


def test_a_record_of_an_encrypted_file_is_proven_with_its_identity(journal, encrypted, key):
    proof, line = prove(journal, 3, identities=[key[0]])
    assert verify_proof(proof, line, trust=encrypted).index == 3
    with pytest.raises(treering.ConfigurationError, match="identit"):
        prove(journal, 3)


def test_the_command_proves_with_an_identity(journal, encrypted, key, tmp_path, capsys):
    record = tmp_path / "record"
    arguments = ["prove", str(journal), "3", "--record", str(record), "--identity", str(key[0])]
    assert main(arguments) == 0
    proof = capsys.readouterr().out
    shown = record.read_bytes().removesuffix(b"\n")
    assert verify_proof(proof, shown, trust=encrypted).index == 3
