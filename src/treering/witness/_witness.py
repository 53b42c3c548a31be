"""The witness itself: what it asks of a checkpoint before it cosigns (C2SP tlog-witness 1.0.0)."""

from __future__ import annotations

import base64
import binascii
import hashlib
import re
import time
from http import HTTPStatus
from typing import TYPE_CHECKING

from treering import _core
from treering.errors import ConfigurationError
from treering.witness._policy import origin_of, policy_logs
from treering.witness._store import Store, damaged, log_id

if TYPE_CHECKING:
    import os
    from collections.abc import Iterable

_TEXT = "text/plain; charset=utf-8"
_SIZE = "text/x.tlog.size"
_MAX_PROOF_LINES = 63
_EMPTY_ROOT = hashlib.sha256(b"").digest()
_OLD = re.compile(rb"old (0|[1-9][0-9]{0,19})")
_NAME = re.compile(r"[^\s+\x00-\x20\x7f]+")


class Witness:
    """A witness with its key and its memory in `directory`.

    Threads and processes may share a directory: a checkpoint is compared, cosigned and stored as
    one step, and is durable before anybody gets the cosignature. A directory that was lost or
    restored from an older copy must not be used again: start anew, with a new key.

    Args:
        directory: Made if there is none, with a new Ed25519 key.
        name: The key's name, recommended to be a URL without scheme: no spaces, no `+`. Stays the
            same for ever.
        logs: vkeys of the logs to cosign for, as for `add_log`.
        policy: A file with `log` lines (C2SP tlog-policy), trusted as well.

    Raises:
        ConfigurationError: A name, key or policy cannot be used, or `directory` is another's.
    """

    def __init__(
        self,
        directory: str | os.PathLike[str],
        name: str,
        *,
        logs: Iterable[str] = (),
        policy: str | os.PathLike[str] | None = None,
    ) -> None:
        if not _NAME.fullmatch(name):
            raise ConfigurationError(
                f"a witness cannot be named {name!r}; 'example.com/witness' would be right",
                code="witness_name_invalid",
                field="name",
            )
        self.name = name
        self._logs: dict[str, tuple[str, ...]] = {}
        self._origins: dict[str, str] = {}
        for vkey in (*logs, *(policy_logs(policy) if policy is not None else ())):
            self.add_log([vkey])
        self._store = Store(directory)
        self._seed = self._store.seed(name)
        self.vkey = _core.cosignature_vkey(name, self._seed)

    def __repr__(self) -> str:
        return f"<Witness {self.name!r} of {len(self._logs)} logs in '{self._store.directory}'>"

    def add_log(self, vkeys: Iterable[str]) -> None:
        """Trusts a log, known by its origin: the name that all its `vkeys` have.

        One signature by any of them is asked for. Of a Treering journal the identity key suffices:
        epoch keys change, and their signatures are then neither checked nor kept.

        Raises:
            ConfigurationError: A vkey cannot be used, or the vkeys are not those of one log.
        """
        trusted = tuple(vkeys)
        origins = {origin_of(vkey) for vkey in trusted}
        if len(origins) != 1:
            raise ConfigurationError(
                f"keys of {len(origins)} logs {sorted(origins)!r}, those of one would be right",
                code="vkey_invalid",
                field="log",
            )
        origin = origins.pop()
        known = self._logs.get(origin, ())
        self._logs[origin] = tuple(dict.fromkeys((*known, *trusted)))
        self._origins[log_id(origin)] = origin

    def add_checkpoint(self, body: bytes) -> tuple[int, str, bytes]:
        """Answers one `add-checkpoint` request with HTTP status, content type and body.

        | status | |
        |---|---|
        | 200 | cosigned and stored; the body is the signature line |
        | 400 | malformed, or the old size is above the checkpoint's |
        | 403 | no trusted key signed, or a trusted key's signature fails |
        | 404 | no such log is trusted |
        | 409 | the old size is not that of the newest checkpoint, which is the body |
        | 422 | not the tree that was cosigned, grown: wrong root, or wrong proof |

        Raises:
            OSError: It could not be stored; nothing was promised.
            TreeringError: What was stored is damaged.
        """
        try:
            return HTTPStatus.OK, _TEXT, self._cosign(body)
        except _Refused as refused:
            return refused.status, refused.content_type, refused.body

    def newest(self, log: str) -> bytes | None:
        """The newest checkpoint cosigned for a log, given as hexadecimal SHA-256 of its origin.

        It has the signatures by keys that were trusted, then this witness's cosignature. `None`
        when there is none, or when the log is not trusted.
        """
        origin = self._origins.get(log)
        if origin is None:
            return None
        checkpoint = self._store.newest(log)
        self._seen(origin, checkpoint)
        return checkpoint

    def _cosign(self, body: bytes) -> bytes:
        old, proof, note = _parse(body)
        try:
            origin, size, root = _core.checkpoint_parse(note)
        except ValueError as error:
            raise _Refused(HTTPStatus.BAD_REQUEST, f"malformed checkpoint: {error}") from None
        vkeys = self._logs.get(origin)
        if vkeys is None:
            raise _Refused(HTTPStatus.NOT_FOUND, "this log is not known here")
        try:
            _core.note_verify(note, list(vkeys))
        except ValueError as error:
            raise _Refused(HTTPStatus.FORBIDDEN, str(error)) from None
        if old > size:
            raise _Refused(HTTPStatus.BAD_REQUEST, f"old size {old} is above size {size}")
        with self._store.held(log_id(origin)) as slot:
            seen, seen_root = self._seen(origin, slot.checkpoint)
            if old != seen:
                raise _Refused(HTTPStatus.CONFLICT, str(seen), content_type=_SIZE)
            if not _core.consistency_verify(old, seen_root, size, root, proof):
                raise _Refused(
                    HTTPStatus.UNPROCESSABLE_ENTITY,
                    f"size {size} is not shown to be size {old}, grown",
                )
            line = _core.cosign(note, self.name, self._seed, int(time.time())).encode()
            slot.replace(_with_trusted_lines(note, vkeys) + line)
        return line

    def _seen(self, origin: str, checkpoint: bytes | None) -> tuple[int, bytes]:
        """Size and root of what was stored; the empty tree when nothing was."""
        if checkpoint is None:
            return 0, _EMPTY_ROOT
        try:
            # Its own cosignature, the last line, tells a stored checkpoint from a damaged one.
            line = checkpoint[checkpoint.rstrip(b"\n").rfind(b"\n") + 1 :]
            _core.cosignature_verify(checkpoint, line.decode(), self.vkey)
            found, size, root = _core.checkpoint_parse(checkpoint)
        except ValueError:
            found = None
        if found != origin:
            raise damaged(self._store.directory / log_id(origin))
        return size, root


class _Refused(Exception):
    def __init__(self, status: HTTPStatus, reason: str, *, content_type: str = _TEXT) -> None:
        super().__init__(reason)
        self.status = status
        self.content_type = content_type
        self.body = f"{reason}\n".encode()


def _parse(body: bytes) -> tuple[int, list[bytes], bytes]:
    """Old size, proof and checkpoint of a request."""
    head, _, note = body.partition(b"\n\n")
    first, *lines = head.split(b"\n")
    old = _OLD.fullmatch(first)
    if old is None:
        raise _Refused(HTTPStatus.BAD_REQUEST, "malformed: 'old SIZE' must come first")
    if len(lines) > _MAX_PROOF_LINES:
        raise _Refused(HTTPStatus.BAD_REQUEST, f"{len(lines)} proof lines, 63 at most")
    return int(old[1]), [_hash(line) for line in lines], note


def _hash(line: bytes) -> bytes:
    try:
        decoded = base64.b64decode(line, validate=True)
    except binascii.Error:
        decoded = b""
    if len(decoded) != hashlib.sha256().digest_size or base64.b64encode(decoded) != line:
        raise _Refused(HTTPStatus.BAD_REQUEST, "malformed: a proof line is no hash in base64")
    return decoded


def _with_trusted_lines(note: bytes, vkeys: tuple[str, ...]) -> bytes:
    """The note without lines that nobody here can vouch for: whoever submits can add any."""
    text, _, signatures = note.rpartition(b"\n\n")
    kept = text + b"\n\n"
    for line in dict.fromkeys(signatures.removesuffix(b"\n").split(b"\n")):
        try:
            _core.note_verify(text + b"\n\n" + line + b"\n", list(vkeys))
        except ValueError:
            continue
        kept += line + b"\n"
    return kept
