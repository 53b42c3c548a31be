"""Personal data that can be forgotten: encrypted under a key of its subject's (crypto-shredding)."""

from __future__ import annotations

import base64
import hashlib
import json
import os
from pathlib import Path

from treering import _core

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

_KEY_BYTES = 32
_keys: dict[Path, tuple[tuple[int, int], bytes]] = {}


def personal(value: object, *, subject: str) -> dict[str, str | None]:
    """A field's value that `forget` can make unreadable for ever.

    The value is encrypted at once under the subject's key, which is kept in the journal's directory
    beside the records, not among them. What goes into the record is the subject's name and the
    encrypted value, so name subjects by pseudonyms. Without a journal the value is left out.

        log.info("Order placed", customer=treering.personal("Ada Lovelace", subject="user-7"))

    Args:
        value: Anything JSON can hold; other values as their text.
        subject: Whom the value is about.
    """
    from treering._lifecycle import get_logging_config

    directory = get_logging_config().directory
    if directory is None:
        return {"personal": subject, "sealed": None}
    try:
        key = _key(_place(Path(str(directory)), subject), make=True)
        text = json.dumps(value, ensure_ascii=False, default=str).encode(errors="backslashreplace")
        sealed = _core.personal_seal(key, subject, text)
    except (OSError, ValueError, RecursionError):
        # A log call never harms the application, and never shows what should have been hidden.
        return {"personal": subject, "sealed": None}
    return {"personal": subject, "sealed": base64.b64encode(sealed).decode()}


def reveal(record: Any, directory: str | os.PathLike[str]) -> Any:
    """A record (parsed JSON) with its personal values decrypted, as far as their keys still exist.

    Values whose subject was forgotten stay as they are.
    """
    if isinstance(record, dict):
        if record.keys() == {"personal", "sealed"} and isinstance(record["sealed"], str):
            return _opened(record, Path(directory))
        return {name: reveal(value, directory) for name, value in record.items()}
    if isinstance(record, list):
        return [reveal(value, directory) for value in record]
    return record


def forget(subject: str, *, directory: str | os.PathLike[str] | None = None) -> bool:
    """Destroys a subject's key: what was logged about it under `personal` can never be read again.

    No byte of the journal changes, so it verifies as before; an AUDIT record says what was done. Values
    logged afterwards get a new key. Backups of the key's file, and values written without `personal`,
    are out of reach.

    Args:
        subject: Whom to forget.
        directory: The journal; this process's when left out.

    Returns:
        False when there was no key: nothing was logged about the subject, or it was forgotten before.

    Raises:
        JournalUnavailable: There is no journal, or its key cannot be destroyed.
    """
    from treering._lifecycle import get_logging_config
    from treering.errors import JournalUnavailable

    chosen = get_logging_config().directory if directory is None else directory
    if chosen is None:
        raise JournalUnavailable(
            "no journal is configured", code="journal_missing", hint="pass directory="
        )
    journal = Path(str(chosen))
    place = _place(journal, subject)
    _keys.pop(place, None)
    try:
        handle = os.open(place, os.O_WRONLY)
    except FileNotFoundError:
        return False
    try:
        # First the record of it: whoever is interrupted does it again.
        digest = hashlib.sha256(subject.encode()).hexdigest()
        fields = json.dumps({"subject_sha256": digest})
        _core.seal_declare(journal, "personal data forgotten", fields)
        # Then the name, so that nobody takes up a key that is half destroyed.
        place.unlink()
        os.pwrite(handle, bytes(_KEY_BYTES), 0)
        os.fsync(handle)
    finally:
        os.close(handle)
    _sync_directory(place.parent)
    return True


def _place(journal: Path, subject: str) -> Path:
    return journal / "subjects" / (hashlib.sha256(subject.encode()).hexdigest()[:40] + ".key")


def _key(place: Path, *, make: bool) -> bytes:
    """The key in a file, read again when the file is another one: somebody may have forgotten it."""
    try:
        status = place.stat()
    except FileNotFoundError:
        if not make:
            raise
        _make_key(place)
        status = place.stat()
    mark = (status.st_ino, status.st_mtime_ns)
    known = _keys.get(place)
    if known is None or known[0] != mark:
        key = place.read_bytes()
        if len(key) != _KEY_BYTES or not any(key):
            raise ValueError
        known = _keys[place] = (mark, key)
    return known[1]


def _make_key(place: Path) -> None:
    place.parent.mkdir(mode=0o700, exist_ok=True)
    draft = place.with_name(f"{place.name}.{os.getpid()}.{os.urandom(4).hex()}")
    handle = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        os.write(handle, _core.ed25519_generate())
        os.fsync(handle)
    finally:
        os.close(handle)
    try:
        # Of two processes that make a key at the same time, one wins.
        os.link(draft, place)
    except FileExistsError:
        pass
    finally:
        draft.unlink()
    _sync_directory(place.parent)


def _sync_directory(directory: Path) -> None:
    handle = os.open(directory, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _opened(value: dict[str, Any], journal: Path) -> Any:
    try:
        key = _key(_place(journal, value["personal"]), make=False)
        text = _core.personal_open(key, value["personal"], base64.b64decode(value["sealed"]))
        return value if text is None else json.loads(text)
    except (OSError, ValueError):
        return value
