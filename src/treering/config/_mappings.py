"""Readers of the settings that hold settings by name: noisy loggers, outputs."""

from __future__ import annotations

import json
from collections.abc import Mapping

from treering._levels import Level
from treering.config import _values


def silence(value: object) -> dict[str, int]:
    """Levels by logger: a mapping, a list of names (from WARNING up), or `urllib3,asyncio=ERROR`."""
    if isinstance(value, str):
        pairs = [part.partition("=") for part in value.split(",") if part.strip()]
        value = {name: level if equals else "WARNING" for name, equals, level in pairs}
    if isinstance(value, (list, tuple, set, frozenset)):
        value = dict.fromkeys(value, Level.WARNING)
    if not isinstance(value, Mapping):
        raise ValueError  # noqa: TRY004 - readers have one exception
    read = {}
    for name, level in value.items():
        if not isinstance(name, str) or not name.strip():
            raise ValueError
        read[name.strip()] = _values.level(level.strip() if isinstance(level, str) else level)
    return read


def outputs(value: object) -> dict[str, dict[str, object]]:
    """Specifications by output name: a mapping of mappings, a list of mappings with names, or JSON.

    What is in a specification is read where outputs are known.
    """
    if isinstance(value, str):
        value = json.loads(value) if value.strip() else {}
    if isinstance(value, (list, tuple)):
        named = {one["name"]: one for one in value if isinstance(one, Mapping) and "name" in one}
        if len(named) != len(value):
            raise ValueError
        value = {name: {k: v for k, v in one.items() if k != "name"} for name, one in named.items()}
    if not isinstance(value, Mapping):
        raise ValueError  # noqa: TRY004 - readers have one exception
    read = {}
    for name, one in value.items():
        if not isinstance(name, str) or not isinstance(one, Mapping):
            raise ValueError  # noqa: TRY004 - as above
        if not all(isinstance(key, str) for key in one):
            raise ValueError
        read[name] = dict(one)
    return read
