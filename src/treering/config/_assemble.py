"""Settings that other systems have in pieces: a text file, a network output, a list of noisy loggers."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from treering.config._profiles import NOISY

if TYPE_CHECKING:
    from collections.abc import Mapping

FILE_NAME = "treering.log"
# What alone does not mean that somebody wants a text file.
_WEAK = frozenset({"date_format", "compression", "compression_enabled"})


@dataclass(frozen=True, slots=True)
class Part:
    """One piece: its value, what it was called, where it came from, and how late."""

    value: Any
    name: str
    source: str
    rank: int


@dataclass(frozen=True, slots=True)
class Whole:
    """A setting put together: its value, where it came from, and where what is in it came from."""

    value: Any
    source: str
    inner: Mapping[str, str] = field(default_factory=dict)


Parts = dict[str, dict[str, Part]]


def assemble(
    parts: Parts,
    values: Mapping[str, Any],
    ranks: Mapping[str, int],
    sources: Mapping[str, str],
) -> tuple[dict[str, Whole], list[str]]:
    """The settings that the pieces make up; and what had no effect."""
    made: dict[str, Whole] = {}
    notices: list[str] = []
    silence = parts.get("silence")
    if silence and max(part.rank for part in silence.values()) >= ranks["silence"]:
        made["silence"] = _silence(silence)
    specs = {name: dict(spec) for name, spec in values["outputs"].items()}
    inner = {at: source for at, source in sources.items() if at.startswith("outputs.")}
    first = ""
    for group, pieces in parts.items():
        kind, _, name = group.partition(".")
        if kind != "outputs":
            continue
        known = specs.get(name, {})
        if name == "file" and not known and not _wants_file(pieces):
            notices += _unused(pieces)
            continue
        later = {
            key: part
            for key, part in pieces.items()
            if part.rank >= ranks["outputs"] or key not in known
        }
        if later:
            specs[name] = _SPECS[name](later, known, values)
            first = first or next(iter(later.values())).source
            inner |= {f"outputs.{name}.{key}": part.source for key, part in later.items()}
            inner.setdefault(f"outputs.{name}", next(iter(later.values())).source)
    if first:
        source = first if sources["outputs"] == "default" else sources["outputs"]
        made["outputs"] = Whole(specs, source, inner)
    return made, notices


def _silence(parts: Mapping[str, Part]) -> Whole:
    given = {key: part.value for key, part in parts.items()}
    loggers = given.get("loggers", NOISY) if given.get("enabled", True) else ()
    level = given.get("level", "WARNING")
    return Whole(dict.fromkeys(loggers, level), next(iter(parts.values())).source)


def _wants_file(parts: Mapping[str, Part]) -> bool:
    return any(key not in _WEAK for key in parts)


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
