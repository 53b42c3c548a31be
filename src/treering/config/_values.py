"""Readers of setting values: from Python objects and from text, to what the setting means.

A reader returns the value or raises `ValueError`; the message is made where name and source are known.
"""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import TYPE_CHECKING

from treering import _core
from treering._levels import level_number

if TYPE_CHECKING:
    from collections.abc import Callable

_UNITS = {"": 1, "B": 1, "KB": 1 << 10, "MB": 1 << 20, "GB": 1 << 30, "TB": 1 << 40}
_SIZE = re.compile(r"\s*(\d+(?:\.\d+)?)\s*([KMGT]?B?)\s*", re.IGNORECASE)
_TRUE = frozenset({"true", "1", "yes", "on", "enabled"})
_FALSE = frozenset({"false", "0", "no", "off", "disabled"})


def boolean(value: object) -> bool:
    """`True` or `False`, also as the words people write."""
    if isinstance(value, bool):
        return value
    word = str(value).strip().lower()
    if word in _TRUE:
        return True
    if word in _FALSE:
        return False
    raise ValueError


def tristate(value: object) -> bool | None:
    """A boolean, or `None` for automatic."""
    if value is None or str(value).strip().lower() == "auto":
        return None
    return boolean(value)


def path_or_none(value: object) -> str | None:
    """An absolute path, so that a later change of directory does not move the journal."""
    if value is None or value == "":
        return None
    if not isinstance(value, (str, os.PathLike)):
        raise ValueError  # noqa: TRY004 - readers have one exception
    # What no file system has as a name, e.g. half of a pair of surrogates, is a ValueError here.
    if b"\0" in os.fsencode(value):
        raise ValueError
    return str(Path(value).absolute())


def text(value: object) -> str:
    """A word that is not empty."""
    if not isinstance(value, str) or not value:
        raise ValueError
    return value


def level_or_none(value: object) -> int | None:
    """A level's number."""
    return None if value is None else level(value)


def level(value: object) -> int:
    """A level's number."""
    # To the core, true is the number 1.
    if isinstance(value, bool):
        raise ValueError  # noqa: TRY004 - readers have one exception
    return level_number(value)


class Unusable(ValueError):
    """A value whose reader knows better than the table of settings what is wrong with it."""


def words(value: object) -> tuple[str, ...]:
    """Words: a list, or text with commas."""
    parts = value.split(",") if isinstance(value, str) else value
    if not isinstance(parts, (list, tuple, set, frozenset)):
        raise ValueError  # noqa: TRY004 - readers have one exception
    if not all(isinstance(part, str) for part in parts):
        raise ValueError
    return tuple(part.strip() for part in parts if part.strip())


def record_format(value: object) -> str:
    """A format that `treering.outputs` understands, as text."""
    return _formatted(text(value), None)


def date_format(value: object) -> str:
    """A format that `strftime` understands."""
    _formatted("%t", text(value))
    return text(value)


def _formatted(spec: str, dates: str | None) -> str:
    try:
        _core.Formatter(spec, date_format=dates)
    except ValueError as error:
        raise Unusable(str(error)) from None
    return spec


def levels(value: object) -> dict[str, int]:
    """Levels by component: a mapping, or text such as `auth=DEBUG,db=ERROR`."""
    if isinstance(value, str):
        pairs = [part.split("=", 1) for part in value.split(",") if part.strip()]
        if any(len(pair) != 2 for pair in pairs):  # noqa: PLR2004 - a pair
            raise ValueError
        return {name.strip(): level(found.strip()) for name, found in pairs}
    if isinstance(value, dict):
        return {str(name): level(found) for name, found in value.items()}
    raise ValueError


def one_of(*words: str) -> Callable[[object], str]:
    """One of a few words, in any case."""

    def read(value: object) -> str:
        word = str(value).strip().lower()
        if word not in words:
            raise ValueError
        return word

    return read


def bytes_between(least: int, most: int) -> Callable[[object], int]:
    """A size in bytes: a number, or text such as `64MB` (powers of 1024)."""

    def read(value: object) -> int:
        if isinstance(value, bool):
            raise ValueError  # noqa: TRY004 - readers have one exception
        if isinstance(value, str):
            match = _SIZE.fullmatch(value)
            if match is None:
                raise ValueError
            unit = match[2].upper()
            value = float(match[1]) * _UNITS[unit if unit.endswith("B") or not unit else unit + "B"]
        if not isinstance(value, (int, float)) or not least <= value <= most:
            raise ValueError
        return int(value)

    return read


def whole(least: int, most: int) -> Callable[[object], int]:
    """A whole number in a range."""

    def read(value: object) -> int:
        number = int(value) if isinstance(value, str) else value
        if isinstance(number, bool) or not isinstance(number, int) or not least <= number <= most:
            raise ValueError
        return number

    return read


def seconds(least: float, most: float) -> Callable[[object], float]:
    """Seconds, also as text."""

    def read(value: object) -> float:
        if isinstance(value, bool) or not isinstance(value, (int, float, str)):
            raise ValueError  # noqa: TRY004 - readers have one exception
        number = float(value)
        if not least <= number <= most:
            raise ValueError
        return number

    return read


def optional(read: Callable[[object], object]) -> Callable[[object], object]:
    """`None` stays `None`: the setting is left as the journal has it."""

    def read_optional(value: object) -> object:
        return None if value is None else read(value)

    return read_optional


def patterns(value: object) -> dict[str, str | bool]:
    """Patterns by name: a mapping to regular expressions or switches, or a list.

    Of a list, a plain word switches the built-in pattern of that name on, anything else is a regular
    expression. Text is a list with commas, or JSON.
    """
    if isinstance(value, str):
        import json

        is_json = value.lstrip().startswith(("{", "["))
        value = json.loads(value) if is_json else words(value)
    if isinstance(value, (list, tuple)):
        named = {}
        for number, item in enumerate(value, 1):
            is_name = isinstance(item, str) and item.isidentifier()
            named[item if is_name else f"pattern_{number}"] = True if is_name else item
        value = named
    if not isinstance(value, dict) or not all(value):
        raise ValueError
    if not all(isinstance(item, (str, bool)) for pair in value.items() for item in pair):
        raise ValueError
    return dict(value)


def actions(value: object) -> dict[str, str]:
    """What to do with secrets: one word for all, or words by rule; the empty name is for all others."""
    if isinstance(value, str):
        pairs = [part.rpartition("=") for part in value.split(",")]
        value = {name.strip(): action for name, _, action in pairs}
    if not isinstance(value, dict):
        raise ValueError  # noqa: TRY004 - readers have one exception
    read = one_of("mask", "hash", "drop")
    return {str(name): read(action) for name, action in value.items()}


def overflow(value: object) -> str:
    """An overflow policy; `drop_below=WARNING` comes back with the level as a number."""
    word = str(value).strip().lower()
    if word in {"block", "drop_oldest", "drop_newest"}:
        return word
    policy, _, level = word.partition("=")
    if policy != "drop_below":
        raise ValueError
    return f"drop_below={level_number(level)}"
