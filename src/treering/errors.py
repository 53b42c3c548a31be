"""Every exception of Treering.

```text
TreeringError
├── ConfigurationError (ValueError)   a setting or an argument cannot be used
├── JournalUnavailable (OSError)      a journal is missing, unreadable, unwritable or unsafe
├── JournalDamaged                    a file of a journal does not hold what it should
├── VerificationFailed                a proof or a tree is not what a trusted key signed
├── QueryTimeout (TimeoutError)       a query took longer than it may
├── QueryCancelled                    a query was cancelled
├── QueryTooLarge                     a query needs more memory or files than it may
├── AnchorError                       nobody outside confirmed a checkpoint
├── QueryError (ValueError)           a query cannot be understood
└── OutputError                       an output could not take records
    ├── OutputUnavailable (OSError)   there is nobody to take them: no device, no directory, no service
    ├── BufferFull                    it holds as much as it may
    ├── FormatFailed                  a formatter could not render a record
    ├── FileWriteFailed (OSError)     a file could not be written
    ├── NetworkFailed (OSError)       a connection could not be made, broke, or was answered badly
    └── SetupRefused                  the destination does not accept how the output is set up
```
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, ClassVar


_LONGEST = 2_000


def _one_line(message: str) -> str:
    """A message that forges no other line: it may quote a key or an answer that somebody else wrote."""
    cut = message if len(message) <= _LONGEST else message[: _LONGEST - 1] + "…"
    if cut.isprintable():
        return cut
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in cut)


class TreeringError(Exception):
    """Anything Treering reports.

    Attributes:
        code: Stable name of the kind of error, snake_case.
        path: The file or directory concerned, if any.
        field: The setting or argument concerned, if any.
        hint: What would help, in one line, if anything is known to; tracebacks show it as a note.
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
        super().__init__(_one_line(message))
        self.code = code
        self.path = path
        self.field = field
        self.hint = hint
        if hint:
            self.add_note(f"hint: {_one_line(hint)}")

    def __reduce__(self) -> tuple[Any, ...]:
        # Process pools pickle what their workers raise, and hang on what cannot be read back.
        return _revive, (type(self), self.args, self.__dict__)


def _revive(
    kind: type[TreeringError], args: tuple[Any, ...], attributes: dict[str, Any]
) -> TreeringError:
    error = kind.__new__(kind, *args)
    error.args = args
    error.__dict__.update(attributes)
    return error


class ConfigurationError(TreeringError, ValueError):
    """A setting or an argument cannot be used; the message says what would be right."""


class JournalUnavailable(TreeringError, OSError):
    """A journal is missing, cannot be read or written, or is open to others."""


class JournalDamaged(TreeringError):
    """A file of a journal does not hold what it should."""


class VerificationFailed(TreeringError):
    """A proof or a tree of tiles is not what a trusted key signed."""


class QueryTimeout(TreeringError, TimeoutError):
    """A query took longer than it may."""


class QueryCancelled(TreeringError):
    """Somebody cancelled the query."""


class QueryTooLarge(TreeringError):
    """A query needs more memory or files than it may."""


class AnchorError(TreeringError):
    """A witness, time stamp authority or command did not confirm a checkpoint; logging goes on."""


class QueryError(TreeringError, ValueError):
    """A query cannot be understood; the message says what is wrong at which column.

    Attributes:
        column: Where, from 1; `None` when the whole query is meant.
        excerpt: The place in the query, and below it a caret; tracebacks show it as a note.
    """

    def __init__(
        self,
        message: str,
        *,
        code: str = "query_invalid",
        path: object = None,
        field: str | None = None,
        hint: str | None = None,
        column: int | None = None,
        excerpt: str | None = None,
    ) -> None:
        super().__init__(message, code=code, path=path, field=field, hint=hint)
        self.column = column
        self.excerpt = excerpt
        if excerpt:
            self.add_note(excerpt)


class OutputError(TreeringError):
    """An output could not take records; they are tried again, or go to its fallback.

    Attributes:
        accepted: How many records of the batch, from its first on, were taken before that.
        retry_after_s: For how many seconds at least it should not be tried again, if that is known.
    """

    kind: ClassVar[str] = "unavailable"
    """Under which the output counts it: one of `OUTPUT_ERROR_KINDS`."""

    def __init__(
        self,
        message: str,
        *,
        code: str = "",
        path: object = None,
        field: str | None = None,
        hint: str | None = None,
        accepted: int = 0,
        retry_after_s: float | None = None,
    ) -> None:
        code = code or f"output_{self.kind}"
        super().__init__(message, code=code, path=path, field=field, hint=hint)
        self.accepted = accepted
        self.retry_after_s = retry_after_s


class OutputUnavailable(OutputError, OSError):
    """There is nobody to take records: no device, no directory, no service."""


class BufferFull(OutputError):
    """An output holds as much as it may."""

    kind = "buffer_full"


class FormatFailed(OutputError):
    """A formatter could not render a record."""

    kind = "format"


class FileWriteFailed(OutputError, OSError):
    """A file could not be written."""

    kind = "file_write"


class NetworkFailed(OutputError, OSError):
    """A connection could not be made, broke, or was answered badly."""

    kind = "network"


class SetupRefused(OutputError):
    """The destination answered, and does not accept how the output is set up: address, credentials."""

    kind = "configuration"


OUTPUT_ERROR_KINDS = (
    "unavailable",
    "buffer_full",
    "format",
    "file_write",
    "network",
    "configuration",
)
"""The kinds of error that every output counts."""
