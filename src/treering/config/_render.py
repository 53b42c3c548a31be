"""Configurations as files: YAML and JSON."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from treering.errors import ConfigurationError

_PLAIN_KEY = re.compile(r"[A-Za-z_][A-Za-z0-9_.-]*")
# Words that some reader of YAML takes for something else.
_WORDS = frozenset({"y", "n", "yes", "no", "on", "off", "true", "false", "null"})


def yaml(values: Mapping[str, Any]) -> str:
    """A mapping of plain values as YAML that every version of YAML reads alike."""
    return "".join(_lines(values, "")) if values else "{}\n"


def _lines(values: Mapping[str, Any], indent: str) -> Iterator[str]:
    for key, value in values.items():
        name = str(key)
        plain = _PLAIN_KEY.fullmatch(name) and name.lower() not in _WORDS
        head = f"{indent}{name if plain else scalar(name)}:"
        if isinstance(value, Mapping) and value:
            yield f"{head}\n"
            yield from _lines(value, indent + "  ")
        else:
            yield f"{head} {scalar(value)}\n"


def scalar(value: object) -> str:
    """One value on one line: JSON, with every character escaped that YAML does not allow."""
    text = json.dumps(value, ensure_ascii=False, default=str)
    if isinstance(value, float):
        # YAML 1.1 knows 1.0e+16, not 1e+16.
        return text if "." in text else text.replace("e", ".0e")
    return "".join(_escaped(character) for character in text)


def _escaped(character: str) -> str:
    if character.isprintable():
        return character
    point = ord(character)
    return f"\\u{point:04x}" if point <= 0xFFFF else f"\\U{point:08x}"  # noqa: PLR2004 - 16 bits


def save(values: Mapping[str, Any], path: str | os.PathLike[str]) -> None:
    """Writes a file whole or not at all; nobody but its owner can read it."""
    place = Path(path)
    suffix = place.suffix.lower()
    if suffix not in {".yaml", ".yml", ".json"}:
        raise ConfigurationError(
            f"file {place} has the suffix '{suffix}': .yaml, .yml or .json would be right",
            code="file_unknown_format",
            path=str(place),
        )
    text = json.dumps(values, indent=2) + "\n" if suffix == ".json" else yaml(values)
    draft = place.with_name(f".{place.name}.{os.getpid()}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(text)
    draft.replace(place)
