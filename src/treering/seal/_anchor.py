"""Bringing checkpoints to somebody outside: witnesses, time-stamping authorities, a command."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import TYPE_CHECKING

from treering import _core

if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any


def _newest(directory: Path) -> tuple[bytes, int]:
    """The newest checkpoint, after asking a living leader for one."""
    _core.seal_request(directory, 5.0)
    checkpoint = (directory / "seal" / "checkpoint").read_bytes()
    _, size, _ = _core.checkpoint_parse(checkpoint)
    return checkpoint, size


def _keep(directory: Path, name: str, content: bytes) -> Path:
    """Stores what came back, whole or not at all."""
    anchors = directory / "seal" / "anchors"
    owner = directory.stat()
    if not anchors.exists():
        anchors.mkdir(mode=0o700)
        _give(anchors, owner)
    place = anchors / name
    draft = anchors / f".{name}.draft"
    handle = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(handle, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    _give(draft, owner)
    draft.replace(place)
    return place


def _give(path: Path, owner: os.stat_result) -> None:
    """Root gives what it makes to the journal's owner."""
    if os.geteuid() == 0 and owner.st_uid != 0:
        os.chown(path, owner.st_uid, owner.st_gid)


def _declare(directory: Path, **fields: Any) -> None:
    _core.seal_declare(directory, "journal anchored", json.dumps(fields))


def anchor_with_witness(
    directory: str | os.PathLike[str], url: str, vkey: str, *, timeout_s: float = 10.0
) -> int:
    """Has a C2SP witness cosign the newest checkpoint; returns its size.

    The cosigned checkpoint is kept in `seal/anchors/`, where proofs take it from and `verify` looks
    when its policy names the witness.

    Raises:
        AnchorError: There is no valid cosignature; with code `witness_ahead` the witness has seen
            more of this journal than is here.
        JournalUnavailable: There is no sealed journal in `directory`.
    """
    from treering.anchor import submit

    place = Path(directory)
    checkpoint, size = _newest(place)
    kept = place / "seal" / "anchors" / f"{size:020}.cosigned"
    known = max((int(path.stem) for path in kept.parent.glob("*.cosigned")), default=0)
    line = submit(
        checkpoint,
        lambda old: _core.seal_consistency(place, old, size),
        url=url,
        vkey=vkey,
        known_size=min(known, size),
        timeout_s=timeout_s,
    )
    before = kept.read_bytes() if kept.exists() else checkpoint
    if line.encode() not in before:
        _keep(place, kept.name, before + line.encode())
    _declare(place, kind="witness", size=size, witness=vkey)
    return size


def anchor_with_time_stamp(
    directory: str | os.PathLike[str], url: str, ca_file: str | os.PathLike[str]
) -> int:
    """Has a time-stamping authority (RFC 3161) stamp the newest checkpoint; returns its size.

    The token is kept as `seal/anchors/<size>.tsr`, beside the checkpoint that it is about.

    Raises:
        AnchorError: There is no valid time stamp.
        JournalUnavailable: There is no sealed journal in `directory`.
    """
    from treering.anchor import stamp

    place = Path(directory)
    checkpoint, size = _newest(place)
    token = stamp(checkpoint, url=url, ca_file=ca_file)
    _keep(place, f"{size:020}.stamped", checkpoint)
    _keep(place, f"{size:020}.tsr", token)
    _declare(place, kind="rfc3161", size=size, authority=url)
    return size


def anchor_with_command(
    directory: str | os.PathLike[str], command: Sequence[str], *, timeout_s: float = 60.0
) -> int:
    """Gives the newest checkpoint to a command on its standard input; returns its size.

    Raises:
        AnchorError: The command failed or took too long.
        JournalUnavailable: There is no sealed journal in `directory`.
    """
    from treering.anchor import run_command

    place = Path(directory)
    checkpoint, size = _newest(place)
    run_command(command, checkpoint, timeout_s=timeout_s)
    _declare(place, kind="command", size=size, command=command[0])
    return size
