"""Readers of the settings of retention: times as people write them, shares, what is kept longer."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import urlsplit

from treering.config import _values

_UNITS = {"": 1, "s": 1, "m": 60, "h": 3600, "d": 86_400, "w": 604_800, "y": 365 * 86_400}
_DURATION = re.compile(r"\s*(\d+(?:\.\d+)?)\s*([smhdwy]?)\s*")
_FACTOR = re.compile(r"(\d+(?:\.\d+)?)x")
_PERCENT = re.compile(r"(\d+(?:\.\d+)?)\s*%")
_MOST_S = 1 << 40
_MOST_FACTOR = 1e6
_MOST_PERCENT = 90
_AUDIT_DAYS = _values.whole(1, 36_500)
_FREE_BYTES = _values.bytes_between(0, 1 << 60)


def duration(value: object) -> int:
    """Whole seconds: a number, or text such as `30d` (s, m, h, d, w, y; a year has 365 days)."""
    if isinstance(value, str):
        match = _DURATION.fullmatch(value)
        if match is None:
            raise ValueError
        value = round(float(match[1]) * _UNITS[match[2]])
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= _MOST_S:
        raise ValueError
    return value


def min_free(value: object) -> str:
    """Bytes as digits, or a share such as `5%`."""
    match = _PERCENT.fullmatch(value.strip()) if isinstance(value, str) else None
    if match is None:
        return str(_FREE_BYTES(value))
    if float(match[1]) > _MOST_PERCENT:
        raise ValueError
    return f"{match[1]}%"


def keep(value: object) -> dict[str, str]:
    """What is kept longer, as the journal stores it: `{"ERROR": "4x", "category:security": "…s"}`."""
    if isinstance(value, str):
        pairs = [part.rpartition("=") for part in value.split(",") if part.strip()]
        value = {subject.strip(): horizon.strip() for subject, _, horizon in pairs}
    if not isinstance(value, Mapping):
        raise ValueError  # noqa: TRY004 - readers have one exception
    return {_subject(subject): _horizon(horizon) for subject, horizon in value.items()}


def _subject(value: object) -> str:
    kind, colon, name = str(value).partition(":")
    if not colon:
        from treering._levels import level_name

        return level_name(_values.level(value))
    if kind.strip() != "category" or not name.strip():
        raise ValueError
    return f"category:{name.strip()}"


def _horizon(value: object) -> str:
    match = _FACTOR.fullmatch(value) if isinstance(value, str) else None
    if match is None:
        return f"{duration(value)}s"
    if not 1 <= float(match[1]) <= _MOST_FACTOR:
        raise ValueError
    return f"{match[1]}x"


def place(value: object) -> str:
    """An absolute path, or an address `s3://bucket/prefix`; empty for no second place."""
    if isinstance(value, str) and "://" in value:
        parts = urlsplit(value)
        if parts.scheme != "s3" or not parts.netloc:
            raise ValueError
        if parts.username or parts.password:
            raise _values.Unusable(
                "has credentials in it, which the journal would store: the environment"
                " (AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY) would be right"
            )
        return value
    if not isinstance(value, (str, os.PathLike)):
        raise ValueError  # noqa: TRY004 - readers have one exception
    path = os.fspath(value)
    if "\0" in path:
        raise ValueError
    return str(Path(path).absolute()) if path else ""


def audit_days(value: object) -> dict[str, str]:
    """NetLink's `audit_retention_days`: AUDIT records for so many days, and the rest as by default."""
    days = _AUDIT_DAYS(value)
    assert isinstance(days, int)  # noqa: S101 - for the type checker
    return {"ERROR": "4x", "AUDIT": f"{days * 86_400}s"}
