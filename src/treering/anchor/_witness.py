"""The client of a witness (C2SP tlog-witness 1.0.0, `add-checkpoint`)."""

from __future__ import annotations

import base64
import re
from http import HTTPStatus
from typing import TYPE_CHECKING

from treering import _core
from treering.anchor._http import Answer, post, shown
from treering.errors import AnchorError

if TYPE_CHECKING:
    from collections.abc import Callable

_SIZE_TYPE = "text/x.tlog.size"
_SIZE = re.compile(rb"(0|[1-9][0-9]{0,19})\n")


def submit(
    checkpoint: bytes,
    proof_for: Callable[[int], list[bytes]],
    *,
    url: str,
    vkey: str,
    known_size: int = 0,
    timeout_s: float = 10.0,
) -> str:
    """Has a witness cosign `checkpoint`; returns the verified signature line, with its LF.

    A witness whose size is not `known_size` says which it is, and is asked once more.

    Args:
        checkpoint: A signed note, as it stands in `seal/checkpoint`.
        proof_for: Gives the consistency proof from a size, above 0 and below the checkpoint's, to
            the checkpoint. Called at most twice.
        url: Submission prefix: what comes before `/add-checkpoint`.
        vkey: The witness's key; a cosignature by any other is none.
        known_size: What the witness cosigned last, as far as the caller knows.
        timeout_s: For each of the requests, of which there are at most two.

    Raises:
        AnchorError: No valid cosignature. With code `witness_ahead` the witness has cosigned more
            than `checkpoint` covers: the journal was cut off, or restored from a copy.
        ConfigurationError: `url` cannot be used.
        ValueError: `checkpoint` is malformed.
    """
    _, size, _ = _core.checkpoint_parse(checkpoint)
    old = known_size
    for _ in range(2):
        if old > size:
            raise AnchorError(
                f"witness {shown(url)} has cosigned size {old}, the journal's checkpoint has {size}",
                code="witness_ahead",
                hint="the journal was cut off or restored from a copy: compare with the witness's"
                " checkpoint",
            )
        proof = proof_for(old) if 0 < old < size else []
        answer = _ask(url, old, proof, checkpoint, timeout_s)
        if answer.status == HTTPStatus.OK:
            return _cosignature(answer, checkpoint, url=url, vkey=vkey)
        old = _size_seen(answer, url)
    raise AnchorError(
        f"witness {shown(url)} has another size, {old}, each time it is asked",
        code="witness_conflict",
        hint="does another process submit checkpoints of this journal?",
    )


def _ask(url: str, old: int, proof: list[bytes], checkpoint: bytes, timeout_s: float) -> Answer:
    lines = [b"old %d" % old, *(base64.b64encode(node) for node in proof)]
    return post(
        f"{url.rstrip('/')}/add-checkpoint",
        b"\n".join(lines) + b"\n\n" + checkpoint,
        content_type="text/plain; charset=utf-8",
        timeout_s=timeout_s,
    )


def _cosignature(answer: Answer, checkpoint: bytes, *, url: str, vkey: str) -> str:
    """The first line that is this witness's cosignature; lines of other keys are to be ignored."""
    for line in answer.body.decode(errors="replace").split("\n"):
        try:
            _core.cosignature_verify(checkpoint, f"{line}\n", vkey)
        except ValueError:
            continue
        return f"{line}\n"
    raise AnchorError(
        f"witness {shown(url)} answered without a valid cosignature by '{vkey}': {answer.excerpt}",
        code="witness_cosignature_invalid",
    )


def _size_seen(answer: Answer, url: str) -> int:
    """The size that the witness has cosigned, when that is why it refused."""
    size = _SIZE.fullmatch(answer.body)
    is_conflict = answer.status == HTTPStatus.CONFLICT and answer.content_type == _SIZE_TYPE
    if size is None or not is_conflict:
        raise AnchorError(
            f"witness {shown(url)} refused with status {answer.status}: {answer.excerpt}",
            code="witness_refused",
        )
    return int(size[1])
