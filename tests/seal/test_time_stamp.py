"""Time stamps (RFC 3161) by a real authority, and by others."""

import subprocess
import threading
import urllib.request
from datetime import UTC, datetime, timedelta

import pytest
from foreign import foreign
from transparency import Log

from treering.anchor import stamp, verify_stamp
from treering.errors import AnchorError, ConfigurationError

CHECKPOINT = Log().checkpoint(7)


@pytest.fixture(scope="module")
def authority(tmp_path_factory):
    """A directory with a certificate authority and a time stamp authority."""
    directory = tmp_path_factory.mktemp("authority")

    def openssl(*arguments):
        subprocess.run(["openssl", *arguments], cwd=directory, check=True, capture_output=True)

    (directory / "tsa.cnf").write_text(
        "[usage]\nextendedKeyUsage = critical, timeStamping\n"
        "[tsa]\ndefault_tsa = one\n[one]\nserial = serial\nsigner_digest = sha256\n"
        "default_policy = 1.2.3.4\ndigests = sha256\ness_cert_id_alg = sha256\n"
    )
    key = ("-newkey", "rsa:2048", "-nodes")
    for name in ("ca", "other"):
        files = ("-keyout", f"{name}.key", "-out", f"{name}.pem")
        openssl("req", "-x509", *key, *files, "-subj", f"/CN={name}", "-days", "2")
    openssl("req", *key, "-keyout", "tsa.key", "-out", "tsa.csr", "-subj", "/CN=tsa")
    issued = ("-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial", "-days", "2")
    extended = ("-extfile", "tsa.cnf", "-extensions", "usage")
    openssl("x509", "-req", "-in", "tsa.csr", *issued, *extended, "-out", "tsa.pem")
    return directory


@pytest.fixture
def tsa(authority):
    """The URL of the time stamp authority, a real one."""
    lock = threading.Lock()

    def reply(query):
        with lock:
            (authority / "query").write_bytes(query)
            done = subprocess.run(
                "openssl ts -reply -config tsa.cnf -queryfile query"
                " -signer tsa.pem -inkey tsa.key".split(),
                cwd=authority,
                check=True,
                capture_output=True,
            )
        return 200, "application/timestamp-reply", done.stdout

    with foreign(reply) as url:
        yield url


def test_a_time_stamp_tells_when_a_checkpoint_existed(tsa, authority):
    before = datetime.now(UTC)
    token = stamp(CHECKPOINT, url=tsa, ca_file=authority / "ca.pem")

    time_of = verify_stamp(token, CHECKPOINT, ca_file=authority / "ca.pem")

    assert timedelta(seconds=-2) < time_of - before < timedelta(seconds=30)


def test_openssl_accepts_the_token(tsa, authority, tmp_path):
    (tmp_path / "token").write_bytes(stamp(CHECKPOINT, url=tsa, ca_file=authority / "ca.pem"))
    (tmp_path / "data").write_bytes(CHECKPOINT)
    done = subprocess.run(
        f"openssl ts -verify -token_in -in token -data data -CAfile {authority}/ca.pem".split(),
        cwd=tmp_path,
        capture_output=True,
        text=True,
    )

    assert done.returncode == 0, done.stderr


def test_a_time_stamp_is_about_its_data_only(tsa, authority):
    token = stamp(CHECKPOINT, url=tsa, ca_file=authority / "ca.pem")

    with pytest.raises(AnchorError, match="Mismatch between messages"):
        verify_stamp(token, CHECKPOINT + b"\n", ca_file=authority / "ca.pem")


def test_every_byte_of_a_signature_matters(tsa, authority):
    token = bytearray(stamp(CHECKPOINT, url=tsa, ca_file=authority / "ca.pem"))
    token[-1] ^= 1

    with pytest.raises(AnchorError, match="does not verify"):
        verify_stamp(bytes(token), CHECKPOINT, ca_file=authority / "ca.pem")


def test_an_authority_of_another_root_is_not_believed(tsa, authority):
    with pytest.raises(AnchorError, match="does not verify") as raised:
        stamp(CHECKPOINT, url=tsa, ca_file=authority / "other.pem")
    assert raised.value.code == "stamp_invalid"


def test_a_time_stamp_of_another_request_is_not_believed(tsa, authority):
    recorded = []

    def recording(query):
        if not recorded:
            with urllib.request.urlopen(tsa, query) as answer:
                recorded.append(answer.read())
        return 200, "application/timestamp-reply", recorded[0]

    with foreign(recording) as url:
        stamp(CHECKPOINT, url=url, ca_file=authority / "ca.pem")
        with pytest.raises(AnchorError, match="Nonce"):
            stamp(CHECKPOINT, url=url, ca_file=authority / "ca.pem")


NO_STAMPS = {
    "refused": ("stamp_refused", 403, b"no"),
    "empty": ("stamp_invalid", 200, b""),
    "no time stamp": ("stamp_invalid", 200, b"<html>"),
    "rejection": ("stamp_invalid", 200, bytes.fromhex("30053003020102")),
}


@pytest.mark.parametrize("answer", NO_STAMPS.values(), ids=NO_STAMPS)
def test_an_authority_that_gives_no_time_stamp_is_an_error(authority, answer):
    code, status, body = answer
    with foreign(lambda _: (status, "application/timestamp-reply", body)) as url:
        with pytest.raises(AnchorError) as raised:
            stamp(CHECKPOINT, url=url, ca_file=authority / "ca.pem")

    assert raised.value.code == code


@pytest.mark.parametrize("content", [b"", b"no certificate"])
def test_a_file_without_certificates_is_named(tmp_path, content):
    (tmp_path / "ca.pem").write_bytes(content)

    with pytest.raises(ConfigurationError, match=r"ca\.pem"):
        stamp(CHECKPOINT, url="http://127.0.0.1:1", ca_file=tmp_path / "ca.pem")
