"""Settings that other systems have in pieces: a text file, a network output, a list of noisy loggers."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from treering.config._profiles import NOISY

if TYPE_CHECKING:
    from collections.abc import Mapping

FILE_NAME = "treering.log"
# What alone does not mean that somebody wants a text file.
_WEAK = frozenset({"date_format", "compression", "compression_enabled"})

Assembled = dict[str, tuple[Any, str]]


@dataclass(frozen=True, slots=True)
class Part:
    """One piece: its value, what it was called, where it came from, and how late."""

    value: Any
    name: str
    source: str
    rank: int


def assemble(
    parts: Mapping[str, Mapping[str, Part]], values: Mapping[str, Any], ranks: Mapping[str, int]
) -> tuple[Assembled, list[str]]:
    """The settings that the pieces make up, each with its source; and what had no effect."""
    made: Assembled = {}
    notices: list[str] = []
    silence = parts.get("silence")
    if silence and max(part.rank for part in silence.values()) >= ranks["silence"]:
        made["silence"] = _silence(silence)
    specs = {name: dict(spec) for name, spec in values["outputs"].items()}
    source = ""
    for group, pieces in parts.items():
        kind, _, name = group.partition(".")
        if kind != "outputs":
            continue
        if name == "file" and not _wants_file(pieces, specs):
            notices += _unused(pieces)
            continue
        later = {
            key: part
            for key, part in pieces.items()
            if part.rank >= ranks["outputs"] or key not in specs.get(name, {})
        }
        if later:
            specs[name] = _SPECS[name](later, specs.get(name, {}), values)
            source = next(iter(later.values())).source
    if source:
        made["outputs"] = specs, source
    return made, notices


def _silence(parts: Mapping[str, Part]) -> tuple[Any, str]:
    given = {key: part.value for key, part in parts.items()}
    loggers = given.get("loggers", NOISY) if given.get("enabled", True) else ()
    level = given.get("level", "WARNING")
    return dict.fromkeys(loggers, level), next(iter(parts.values())).source


def _wants_file(parts: Mapping[str, Part], specs: Mapping[str, Any]) -> bool:
    if "enabled" in parts:
        return True
    return "file" in specs or any(key not in _WEAK for key in parts)


def _unused(parts: Mapping[str, Part]) -> list[str]:
    return [
        f"setting {part.name} from {part.source} is {part.value!r} and has no effect:"
        " there is no text file; file_enabled makes one"
        for key, part in parts.items()
        if key == "compression_enabled" and part.value
    ]


def _file(
    parts: Mapping[str, Part], known: Mapping[str, Any], values: Mapping[str, Any]
) -> dict[str, Any]:
    given = {key: part.value for key, part in parts.items()}
    if not given.pop("compression_enabled", True):
        given["compression"] = "none"
    elif "compression_enabled" in parts:
        given.setdefault("compression", "gzip")
    directory = values["directory"] or "logs"
    return {"type": "file", "path": str(Path(directory) / FILE_NAME), **known, **given}


def _memory(
    parts: Mapping[str, Part], known: Mapping[str, Any], _: Mapping[str, Any]
) -> dict[str, Any]:
    return {"type": "memory", **known, **{key: part.value for key, part in parts.items()}}


def _network(
    parts: Mapping[str, Part], known: Mapping[str, Any], _: Mapping[str, Any]
) -> dict[str, Any]:
    """A URL tells which output it is: HTTP, or syslog over UDP, TCP or TLS."""
    given = {key: part.value for key, part in parts.items()}
    url, port = str(given.pop("url", "")), given.pop("port", None)
    address = urlsplit(url if "://" in url else f"udp://{url}")
    if address.scheme in {"http", "https"}:
        if port is not None:
            address = address._replace(netloc=f"{address.hostname}:{port}")
        return {"type": "http", "url": address.geturl(), **known, **given}
    place: dict[str, Any] = {"host": address.hostname or "localhost"}
    if port is not None or address.port:
        place["port"] = port if port is not None else address.port
    return {"type": "syslog", "protocol": address.scheme, **place, **known, **given}


_SPECS = {"file": _file, "memory": _memory, "network": _network}
