"""What an export says about itself, and whether that is so."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

from treering.errors import VerificationFailed

if TYPE_CHECKING:
    import os

_PROOF = "c2sp.org/tlog-proof@v1\n"


@dataclass(frozen=True, slots=True)
class Manifest:
    """What was exported, by whom, and what it can be checked against.

    Attributes:
        format: Version of this file, 1.
        file: Name of the file with the records.
        form: One of `FORMATS`.
        bytes: Of the file.
        sha256: Of the file.
        count: Records in it.
        first, last: Lowest and highest index; `None` without records.
        query: The question, with all its conditions.
        exported_at: RFC 3339, UTC.
        exported_by: User and host.
        reason: As it was given.
        journal: Origin of the journal; its id when it is not sealed.
        checkpoint: The signed checkpoint that the journal had; `None` when it is not sealed.
        unsealed: Records that no checkpoint covered yet.
        proofs: Name of the file with a C2SP tlog-proof for each record, in order; `None` without.
        proofs_sha256: Of that file.
        program: What made it.
    """

    format: int
    file: str
    form: str
    bytes: int
    sha256: str
    count: int
    first: int | None
    last: int | None
    query: dict[str, Any]
    exported_at: str
    exported_by: str
    reason: str | None
    journal: str
    checkpoint: str | None
    unsealed: int
    proofs: str | None
    proofs_sha256: str | None
    program: str

    def text(self) -> str:
        """As it stands in its file."""
        return json.dumps(asdict(self), indent=2, ensure_ascii=False) + "\n"

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> Manifest:
        """Reads a manifest.

        Raises:
            VerificationFailed: The file holds none.
        """
        try:
            value = json.loads(Path(path).read_text(encoding="utf-8"))
        except (UnicodeDecodeError, ValueError) as error:
            raise VerificationFailed(
                f"'{path}' is no manifest: {error}", code="manifest_invalid"
            ) from None
        names = {field.name for field in fields(cls)}
        if not isinstance(value, dict) or set(value) != names or value["format"] != 1:
            raise VerificationFailed(
                f"'{path}' is no manifest of an export: format 1 with {', '.join(sorted(names))}"
                " would be right",
                code="manifest_invalid",
            )
        for key in ("file", "proofs"):
            name = value[key]
            if name is not None and (not isinstance(name, str) or Path(name).name != name):
                raise VerificationFailed(
                    f"'{path}': {key} is not a name beside the manifest", code="manifest_invalid"
                )
        return cls(**value)


def digest(path: Path) -> str:
    """SHA-256 of a file, in hexadecimal digits."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def check(manifest: str | os.PathLike[str], *, trust: str | None = None) -> Manifest:
    """Checks an export without its journal: the file's digest, and with `trust` every record's proof.

    Args:
        manifest: The manifest's path; the other files lie beside it.
        trust: The pinned line of the journal, or the text of a policy. Proofs need it.

    Raises:
        VerificationFailed: A file is not what the manifest says, or a record was not sealed.
    """
    from treering.seal import verify_proof

    place = Path(manifest)
    said = Manifest.load(place)
    file = place.with_name(said.file)
    _compare(file, said.sha256)
    if said.proofs is None or trust is None:
        return said
    proofs = place.with_name(said.proofs)
    _compare(proofs, said.proofs_sha256)
    texts = proofs.read_text(encoding="utf-8").split(_PROOF)[1:]
    lines = _lines(file, said.form)
    if not len(texts) == len(lines) == said.count:
        raise VerificationFailed(
            f"'{place}': {said.count} records are said, {len(lines)} are there with {len(texts)}"
            " proofs",
            code="proof_invalid",
        )
    last = -1
    for text, line in zip(texts, lines, strict=True):
        proven = verify_proof(_PROOF + text, line, trust=trust)
        if proven.index is None or proven.index == last:
            raise VerificationFailed(f"record {last} is there twice", code="proof_invalid")
        last = proven.index
    return said


def _compare(file: Path, sha256: str | None) -> None:
    found = digest(file)
    if found != sha256:
        raise VerificationFailed(
            f"'{file}' is not what was exported: its SHA-256 is {found}, the manifest has {sha256}",
            code="export_changed",
        )


def _lines(file: Path, form: str) -> list[bytes]:
    lines = file.read_bytes().split(b"\n")
    if form == "jsonl":
        return lines[:-1]
    return [line.removesuffix(b",") for line in lines[1:-2]]
