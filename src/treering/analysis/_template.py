"""Values out of messages: templates with `<*>`, and patterns with named fields as in grok."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from treering.errors import ConfigurationError

_WILD = "<*>"
_LONGEST = 4_000
_NAMED = re.compile(r"%\{(?P<kind>\w+)(?::(?P<name>[\w.]+))?(?::(?P<type>\w+))?\}")
_KINDS = {
    "WORD": r"\w+",
    "NOTSPACE": r"\S+",
    "DATA": r".*?",
    "GREEDYDATA": r".*",
    "INT": r"[+-]?\d+",
    "NUMBER": r"[+-]?(?:\d+(?:\.\d+)?|\.\d+)(?:[eE][+-]?\d+)?",
    "HEX": r"(?:0[xX])?[0-9A-Fa-f]+",
    "UUID": r"[0-9A-Fa-f]{8}-[0-9A-Fa-f]{4}-[0-9A-Fa-f]{4}-[0-9A-Fa-f]{4}-[0-9A-Fa-f]{12}",
    "IPV4": r"\d{1,3}\.\d{1,3}\.\d{1,3}\.\d{1,3}",
    "IPV6": r"[0-9A-Fa-f]*:[0-9A-Fa-f:.]+",
    "IP": r"(?:\d{1,3}\.\d{1,3}\.\d{1,3}\.\d{1,3}|[0-9A-Fa-f]*:[0-9A-Fa-f:.]+)",
    "HOST": r"[\w.-]+",
    "PATH": r"/\S*",
    "QUOTED": r'"(?:[^"\\]|\\.)*"',
    "LEVEL": r"(?i:trace|debug|info|notice|warn(?:ing)?|error|critical|fatal|alert|emerg)",
    "TIME": r"\d{1,2}:\d{2}:\d{2}(?:[.,]\d+)?",
    "TIMESTAMP": r"\d{4}-\d{2}-\d{2}[T ]\d{2}:\d{2}:\d{2}(?:[.,]\d+)?(?:Z|[+-]\d{2}:?\d{2})?",
    "SPACE": r"\s*",
}
_TYPES = {"int": int, "float": float, "str": str}


def parse_template(template: str, line: str) -> list[str] | None:
    """What stands in the places of `<*>`, or `None` when the line is not of this template.

    Each space of the template stands for any white space. Of several ways to read a line it is the one with
    the shortest values from the left on.
    """
    found = []
    at = 0
    parts = re.sub(r"\s+", " ", template.strip()).split(_WILD)
    line = re.sub(r"\s+", " ", line.strip())
    if not line.startswith(parts[0]):
        return None
    at = len(parts[0])
    for place, part in enumerate(parts[1:], 1):
        is_last = place == len(parts) - 1
        # Searching from the end for the last part keeps this linear: there is nothing to try again.
        end = len(line) - len(part) if is_last else line.find(part, at)
        if end < at or (not line.endswith(part) and is_last):
            return None
        found.append(line[at:end])
        at = end + len(part)
    return found if at == len(line) else None


@dataclass(frozen=True)
class LinePattern:
    """A pattern made by `compile_pattern`.

    Attributes:
        text: The pattern as it was given.
        names: Its fields, in order.
    """

    text: str
    names: tuple[str, ...]
    _regex: re.Pattern[str]
    _types: tuple[str, ...]

    def match(self, line: str) -> dict[str, Any] | None:
        """The fields of a line that is of this pattern from begin to end, else `None`."""
        found = self._regex.fullmatch(line.rstrip("\r\n")[:_LONGEST])
        if found is None:
            return None
        return {
            name: _TYPES[kind](text) if text is not None else None
            for name, kind, text in zip(self.names, self._types, found.groups(), strict=True)
        }


@lru_cache(maxsize=128)
def compile_pattern(pattern: str) -> LinePattern:
    """A pattern as in grok: `%{IP:client} %{WORD:method} %{NUMBER:took_ms:float}`.

    Everything else stands for itself. Kinds: DATA, GREEDYDATA, HEX, HOST, INT, IP, IPV4, IPV6, LEVEL,
    NOTSPACE, NUMBER, PATH, QUOTED, SPACE, TIME, TIMESTAMP, UUID, WORD; types: float, int, str. Of a line
    the first 4,000 characters are read.

    Raises:
        ConfigurationError: A kind or type is unknown, or a name is given twice.
    """
    fields = list(_NAMED.finditer(pattern))
    names: list[str] = []
    out = [re.escape(pattern[: fields[0].start()] if fields else pattern)]
    ends = [field.start() for field in fields[1:]] + [len(pattern)]
    for field, end in zip(fields, ends, strict=True):
        _check(pattern, field, names)
        if field["name"]:
            names.append(field["name"])
        kind = f"({_KINDS[field['kind']]})" if field["name"] else _KINDS[field["kind"]]
        last = r"\Z" if end == len(pattern) else ""
        # Atomic: a field and the text behind it are never tried again, so no line takes for ever.
        out.append(f"(?>{kind}{re.escape(pattern[field.end() : end])}{last})")
    types = tuple(field["type"] or "str" for field in fields if field["name"])
    return LinePattern(pattern, tuple(names), re.compile("".join(out)), types)


def _check(pattern: str, found: re.Match[str], names: list[str]) -> None:
    place = f"pattern '{pattern}', column {found.start() + 1}"
    for what, value, known in (
        ("kind", found["kind"], _KINDS),
        ("type", found["type"] or "str", _TYPES),
    ):
        if value not in known:
            raise ConfigurationError(
                f"{place}: unknown {what} '{value}': one of {', '.join(sorted(known))} would be right",
                code="pattern_invalid",
                field="pattern",
            )
    behind = pattern[found.end() : found.end() + 2]
    if found["kind"] in {"DATA", "GREEDYDATA"} and behind == "%{":
        raise ConfigurationError(
            f"{place}: where {found['kind']} ends is not said: text behind it would be right",
            code="pattern_invalid",
            field="pattern",
        )
    if found["name"] in names:
        raise ConfigurationError(
            f"{place}: the name '{found['name']}' is given twice",
            code="pattern_invalid",
            field="pattern",
        )
