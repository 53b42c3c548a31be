"""Who can read encrypted files of the archive: identities that open them, recipients they are for."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING

from treering import _core

if TYPE_CHECKING:
    from collections.abc import Iterable

ENVIRONMENT = "TREERING_IDENTITY"
"""Identity files that are used where none is given, separated as in `PATH`."""


@dataclass(frozen=True, slots=True)
class Rewrapped:
    """What `rewrap` has done."""

    files: int
    bytes: int
    others: int
    """Files that were for exactly these recipients before, and were left as they are."""


def identities(
    files: Iterable[str | os.PathLike[str]] | None = None,
) -> _core.Identities | None:
    """The keys in identity files of age, as `age-keygen` writes them.

    Args:
        files: The files; by default those that the environment variable `TREERING_IDENTITY` names.

    Returns:
        None when there is no file: then only what is not encrypted can be read.

    Raises:
        ConfigurationError: A file holds something else; the message says on which line.
        JournalUnavailable: A file cannot be read.
    """
    paths = identity_files(files)
    return _core.Identities(paths) if paths else None


def identity_files(files: Iterable[str | os.PathLike[str]] | None = None) -> list[str]:
    """The identity files that are given, or else those that `TREERING_IDENTITY` names."""
    if files is None:
        files = [path for path in os.environ.get(ENVIRONMENT, "").split(os.pathsep) if path]
    return [os.fspath(path) for path in files]


def recipients(path: str | os.PathLike[str]) -> tuple[str, ...]:
    """Whose identities open an encrypted file, as the facts beside it say: `age1…`.

    Raises:
        JournalUnavailable: The facts are missing.
        JournalDamaged: They are none.
    """
    return tuple(_core.archive_recipients(path))


def rewrap(
    directory: str | os.PathLike[str],
    to: Iterable[str],
    *,
    identities: _core.Identities,
) -> Rewrapped:
    """Encrypts all encrypted files of a journal's archive anew, for other recipients and nobody else.

    Content and seal stay what they are; the journal names the files with their new digests. Copies of
    the old files elsewhere stay readable for the old recipients. Interrupted, it is finished by calling
    it again.

    Args:
        directory: The journal. Processes that log to it need not stop.
        to: The recipients, `age1…`. New files are for those of the setting `archive_recipients`.
        identities: Open the files as they are now.

    Raises:
        ConfigurationError: A recipient is none, or a file is not for one of the identities.
        JournalDamaged: A file is not what was encrypted.
        JournalUnavailable: The journal's leader does not give the lead away, or a file cannot be
            written.
    """
    return Rewrapped(*_core.archive_rewrap(directory, identities, list(to)))
