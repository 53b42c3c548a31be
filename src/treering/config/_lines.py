"""TOML and JSON, and on which line their keys stand."""

from __future__ import annotations

import json
import re
from bisect import bisect_left
from collections.abc import Iterable

from treering.config._document import Unreadable

MOST_DEPTH = 32

Path = tuple[str, ...]

_HEADER = re.compile(r"^\s*\[{1,2}([^\[\]]+)\]{1,2}\s*(?:#.*)?$")
_ENTRY = re.compile(
    r"""^\s*((?:[\w-]+|"[^"]*"|'[^']*')(?:\s*\.\s*(?:[\w-]+|"[^"]*"|'[^']*'))*)\s*="""
)
_PART = re.compile(r"""[\w-]+|"[^"]*"|'[^']*'""")
_AT = re.compile(r"\(at line (\d+)")


def parse_toml(text: str) -> tuple[object, dict[Path, int]]:
    """The value of a TOML document, and the line of its keys.

    Raises:
        Unreadable: It is not TOML; a key that occurs twice is one reason.
    """
    import tomllib

    try:
        content = tomllib.loads(text)
        _check_depth(content)
    except (tomllib.TOMLDecodeError, RecursionError, ValueError) as error:
        message = str(error)
        at = _AT.search(message)
        reason = message.partition(" (at ")[0] or "nested too deep"
        line = int(at[1]) if at else None
        raise Unreadable(f"it is not TOML: {reason[:1].lower()}{reason[1:]}", line) from None
    return content, _toml_lines(text)


def _toml_lines(text: str) -> dict[Path, int]:
    lines: dict[Path, int] = {}
    table: Path = ()
    for number, line in enumerate(text.splitlines(), 1):
        header, entry = _HEADER.match(line), _ENTRY.match(line)
        if header:
            table = _parts(header[1])
        keys = table if header else (*table, *_parts(entry[1])) if entry else ()
        for end in range(1, len(keys) + 1):
            lines.setdefault(keys[:end], number)
    return lines


def _parts(dotted: str) -> Path:
    return tuple(part.strip("\"'") for part in _PART.findall(dotted))


def parse_json(text: str) -> tuple[object, dict[Path, int]]:
    """The value of a JSON document, and the line of its keys.

    Raises:
        Unreadable: It is not JSON, or a key occurs twice.
    """
    try:
        content = json.loads(text, object_pairs_hook=_unique, parse_constant=_constant)
        _check_depth(content)
    except json.JSONDecodeError as error:
        reason = f"{error.msg[:1].lower()}{error.msg[1:]}"
        raise Unreadable(f"it is not JSON: {reason}", error.lineno) from None
    except _Twice as found:
        places = [at.start() for at in re.finditer(re.escape(json.dumps(found.key)), text)]
        line = text.count("\n", 0, places[-1]) + 1 if places else None
        message = f"key '{found.key}' stands here again: once would be right"
        raise Unreadable(message, line, code="key_twice") from None
    except (ValueError, RecursionError) as error:
        raise Unreadable(f"it is not JSON: {str(error) or 'nested too deep'}") from None
    return content, _json_lines(text, content)


class _Twice(Exception):
    def __init__(self, key: str) -> None:
        self.key = key


def _unique(pairs: list[tuple[str, object]]) -> dict[str, object]:
    found: dict[str, object] = {}
    for key, value in pairs:
        if key in found:
            raise _Twice(key)
        found[key] = value
    return found


def _constant(word: str) -> float:
    raise ValueError(f"{word} is no value")


def _check_depth(content: object) -> None:
    waiting: list[tuple[object, int]] = [(content, 0)]
    while waiting:
        value, depth = waiting.pop()
        if depth > MOST_DEPTH:
            raise ValueError(f"it is nested more than {MOST_DEPTH} deep")
        inner = value.values() if isinstance(value, dict) else value
        if isinstance(inner, Iterable) and not isinstance(inner, str):
            waiting += [(one, depth + 1) for one in inner]


def _json_lines(text: str, content: object) -> dict[Path, int]:
    """Keys are looked for one after the other, in the order in which they stand in the file."""
    lines: dict[Path, int] = {}
    ends = [found.start() for found in re.finditer("\n", text)]
    at = 0

    def walk(value: object, path: Path) -> None:
        nonlocal at
        if isinstance(value, dict):
            for key, inner in value.items():
                pattern = re.compile(re.escape(json.dumps(key, ensure_ascii=False)) + r"\s*:")
                found = pattern.search(text, at)
                if found:
                    at = found.end()
                    lines[(*path, key)] = bisect_left(ends, found.start()) + 1
                walk(inner, (*path, key))
        elif isinstance(value, list):
            for number, inner in enumerate(value):
                walk(inner, (*path, str(number)))

    walk(content, ())
    return lines
