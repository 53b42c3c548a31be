"""Proofs for single records, and the static tree for mirrors."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from treering import _core
from treering.errors import VerificationFailed

if TYPE_CHECKING:
    import os
    from collections.abc import Sequence


@dataclass(frozen=True, slots=True)
class Proven:
    """What a proof or a tree of tiles has shown."""

    origin: str
    size: int
    """Records under the checkpoint."""
    index: int | None = None
    """The record's index; `None` for a whole tree."""
    anchored_s: int | None = None
    """When the policy's witnesses cosigned, seconds since 1970."""


def prove(
    directory: str | os.PathLike[str],
    index: int,
    *,
    identities: Sequence[str | os.PathLike[str]] = (),
) -> tuple[str, bytes]:
    """The proof of a record, and its canonical line.

    The proof is a C2SP tlog-proof, at most 1.5 KB for a million records; `verify_proof` needs no journal.

    Args:
        directory: The journal.
        index: Of the record.
        identities: Files with age identities, for an archive that is encrypted.

    Raises:
        JournalUnavailable: There is no sealed journal in `directory`.
        JournalDamaged: No checkpoint covers the record, or its content is gone.
        ConfigurationError: The record is encrypted, and none of the identities opens it.
    """
    return _core.seal_prove(directory, index, identities)


def verify_proof(proof: str, record: bytes, *, trust: str) -> Proven:
    """Checks that `record` is in the tree that the proof's checkpoint signs.

    One proof shows nothing about epoch keys: whoever has the journal's identity key could have signed
    it later. A policy with witnesses closes that.

    Args:
        proof: The text of a tlog-proof.
        record: The canonical line, without line feed.
        trust: The pinned line, or the text of a policy.

    Raises:
        VerificationFailed: It is not, or nobody who is trusted signed.
    """
    try:
        index, origin, size, anchored_s = _core.seal_verify_proof(proof, record, trust)
    except ValueError as error:
        raise VerificationFailed(f"{error}", code="proof_invalid") from None
    return Proven(origin, size, index, anchored_s)


def export_tiles(directory: str | os.PathLike[str], target: str | os.PathLike[str]) -> int:
    """Writes the tree under the newest checkpoint as C2SP tlog-tiles; returns its size.

    Tiles hold commitments, never content: a mirror cannot even test guesses.

    Raises:
        JournalUnavailable: There is no sealed journal in `directory`, or `target` cannot be written.
        JournalDamaged: The journal is not what its checkpoint says.
    """
    return _core.seal_export_tiles(directory, target)


def verify_tiles(directory: str | os.PathLike[str], *, trust: str | None = None) -> Proven:
    """Verifies every tile and entry of an exported or mirrored tree.

    Raises:
        VerificationFailed: A file is not what the checkpoint signs; the message names it.
    """
    try:
        origin, size, anchored_s = _core.seal_verify_tiles(directory, trust)
    except ValueError as error:
        raise VerificationFailed(f"{error}", code="tiles_invalid") from None
    return Proven(origin, size, None, anchored_s)
