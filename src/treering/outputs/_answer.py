"""What an HTTP destination answers, and what it means for the records that it was sent."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, NamedTuple

from treering.errors import NetworkFailed, SetupRefused

if TYPE_CHECKING:
    from treering.errors import OutputError

TOO_LARGE = 413
UNREADABLE = frozenset({400, TOO_LARGE, 422})
"""It does not take the body: fewer records may do."""

MISCONFIGURED_RETRY_S = 60.0
"""Somebody has to change something; until then requests only fill the destination's log."""

_MISCONFIGURED = frozenset({401, 403, 404, 405, 407, 410, 415})
_LONGEST_PATIENCE_S = 3600.0
_EXCERPT_BYTES = 300


class Answer(NamedTuple):
    """What the destination answered."""

    status: int
    retry_after: str | None
    location: str | None
    body: bytes

    @property
    def is_about_records(self) -> bool:
        """Whether it took them, or does not take them as they are."""
        return self.status in range(200, 300) or self.status in UNREADABLE

    def __str__(self) -> str:
        return f"{self.status} {self.body[:_EXCERPT_BYTES].decode(errors='replace')!r}"


def failure(answer: Answer, name: str) -> OutputError:
    """The error for an answer that says nothing about the records."""
    if answer.status in range(300, 400):
        return SetupRefused(
            f"{name} answered {answer.status} and points to {answer.location!r}: redirects are not"
            " followed, the final url would be right",
            code="http_redirect",
            retry_after_s=MISCONFIGURED_RETRY_S,
        )
    if answer.status in _MISCONFIGURED:
        return SetupRefused(
            f"{name} answered {answer}",
            code="http_refused",
            retry_after_s=MISCONFIGURED_RETRY_S,
        )
    return NetworkFailed(
        f"{name} answered {answer}",
        code="http_failed",
        retry_after_s=_patience_s(answer.retry_after),
    )


def _patience_s(text: str | None) -> float | None:
    """Retry-After, as seconds or as a date (RFC 9110, 10.2.3); at most an hour."""
    from email.utils import parsedate_to_datetime

    if text is None:
        return None
    if text.strip().isdecimal():
        return min(float(text), _LONGEST_PATIENCE_S)
    try:
        until = parsedate_to_datetime(text)
    except ValueError:
        return None
    left = (until - datetime.now(UTC if until.tzinfo else None)).total_seconds()
    return min(max(0.0, left), _LONGEST_PATIENCE_S)
