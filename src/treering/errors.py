"""Every exception of Treering.

```text
TreeringError
├── ConfigurationError (ValueError)   a setting or an argument cannot be used
├── JournalUnavailable (OSError)      a journal is missing, unreadable, unwritable or unsafe
├── JournalDamaged                    a file of a journal does not hold what it should
├── VerificationFailed                a proof or a tree is not what a trusted key signed
└── AnchorError                       nobody outside confirmed a checkpoint
```
"""

from __future__ import annotations


class TreeringError(Exception):
    """Anything Treering reports.

    Attributes:
        code: Stable name of the kind of error, snake_case.
        path: The file or directory concerned, if any.
        field: The setting or argument concerned, if any.
        hint: What would help, in one line, if anything is known to.
    """

    def __init__(
        self,
        message: str,
        *,
        code: str,
        path: object = None,
        field: str | None = None,
        hint: str | None = None,
    ) -> None:
        super().__init__(message)
        self.code = code
        self.path = path
        self.field = field
        self.hint = hint


class ConfigurationError(TreeringError, ValueError):
    """A setting or an argument cannot be used; the message says what would be right."""


class JournalUnavailable(TreeringError, OSError):
    """A journal is missing, cannot be read or written, or is open to others."""


class JournalDamaged(TreeringError):
    """A file of a journal does not hold what it should."""


class VerificationFailed(TreeringError):
    """A proof or a tree of tiles is not what a trusted key signed."""


class AnchorError(TreeringError):
    """A witness, time stamp authority or command did not confirm a checkpoint; logging goes on."""
