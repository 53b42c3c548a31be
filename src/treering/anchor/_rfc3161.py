"""Time stamps (RFC 3161): an authority signs that some data existed at a time."""

from __future__ import annotations

from http import HTTPStatus
from pathlib import Path
from typing import TYPE_CHECKING

from treering.anchor._http import post, shown
from treering.errors import AnchorError, ConfigurationError

if TYPE_CHECKING:
    import os
    from datetime import datetime
    from types import ModuleType

    from cryptography.x509 import Certificate
    from rfc3161_client import TimeStampResponse

_GRANTED = bytes.fromhex("3003020100")
"""PKIStatusInfo with status 0, DER: what an authority puts in front of a token it gives."""


def stamp(
    data: bytes, *, url: str, ca_file: str | os.PathLike[str], timeout_s: float = 10.0
) -> bytes:
    """Has an authority time-stamp SHA-256 of `data`; returns the verified token, DER.

    Only the digest leaves the machine. `openssl ts -verify -token_in` checks the token, too.

    Args:
        data: Not empty.
        url: Where the authority takes requests.
        ca_file: Certificates, PEM, one of which must be at the root of the authority's own.
        timeout_s: For the whole request.

    Raises:
        AnchorError: No token, or one that does not verify.
        ConfigurationError: `url` or `ca_file` cannot be used, or `rfc3161-client` is missing.
        OSError: `ca_file` cannot be read.
    """
    client = _client()
    roots = _certificates(ca_file)
    builder = client.TimestampRequestBuilder().data(data)
    request = builder.hash_algorithm(client.HashAlgorithm.SHA256).build()
    answer = post(
        url,
        request.as_bytes(),
        content_type="application/timestamp-query",
        timeout_s=timeout_s,
    )
    if answer.status != HTTPStatus.OK:
        raise AnchorError(
            f"time stamp authority {shown(url)} refused with status {answer.status}:"
            f" {answer.excerpt}",
            code="stamp_refused",
        )
    response = _verified(
        answer.body, data, roots, whose=f"time stamp by {shown(url)}", nonce=request.nonce
    )
    return response.time_stamp_token()


def verify_stamp(token: bytes, data: bytes, *, ca_file: str | os.PathLike[str]) -> datetime:
    """The time, UTC, at which `data` existed by a token that `stamp` returned.

    Certificates must have been valid then, not now.

    Raises:
        AnchorError: The token does not verify, or is about other data.
        ConfigurationError: `ca_file` cannot be used, or `rfc3161-client` is missing.
        OSError: `ca_file` cannot be read.
    """
    roots = _certificates(ca_file)
    response = _der_sequence(_GRANTED + token)
    return _verified(response, data, roots, whose="time stamp").tst_info.gen_time


def _verified(
    encoded: bytes,
    data: bytes,
    roots: list[Certificate],
    *,
    whose: str,
    nonce: int | None = None,
) -> TimeStampResponse:
    client = _client()
    try:
        response: TimeStampResponse = client.decode_timestamp_response(encoded)
        verifier = client.VerifierBuilder(roots=roots, nonce=nonce).build()
        verifier.verify_message(response, data)
    except (ValueError, client.VerificationError) as error:
        raise AnchorError(f"{whose} does not verify: {error}", code="stamp_invalid") from error
    return response


def _client() -> ModuleType:
    try:
        import rfc3161_client
    except ImportError:
        raise ConfigurationError(
            "time stamps need the package rfc3161-client, which is not installed",
            code="package_missing",
            hint="pip install 'treering[rfc3161]'",
        ) from None
    return rfc3161_client


def _certificates(ca_file: str | os.PathLike[str]) -> list[Certificate]:
    from cryptography import x509

    try:
        return x509.load_pem_x509_certificates(Path(ca_file).read_bytes())
    except ValueError:
        raise ConfigurationError(
            f"file '{ca_file}' has no certificates that can be read, PEM would be right",
            code="ca_file_invalid",
            path=ca_file,
            field="ca_file",
        ) from None


def _der_sequence(content: bytes) -> bytes:
    """SEQUENCE of `content`, 128 bytes or more, in DER (X.690 section 8.1.3.5)."""
    length = len(content).to_bytes((len(content).bit_length() + 7) // 8, "big")
    return bytes([0x30, 0x80 | len(length)]) + length + content
