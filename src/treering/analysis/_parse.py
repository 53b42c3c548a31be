"""Reading logs of others: lines to records, and values out of messages."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from treering import _core
from treering.errors import ConfigurationError

if TYPE_CHECKING:
    import os
    from collections.abc import Iterable, Iterator

_CHUNK_BYTES = 256 << 10
_FORMS = ("json", "logfmt", "syslog", "prefixed", "plain")


@dataclass(frozen=True)
class Format:
    """The form that most lines have.

    Attributes:
        name: `json`, `logfmt`, `syslog`, `prefixed` (begins with a time), or `plain`.
        share: Of all records, those that have it.
        counts: Records by form; also `joined`, `cut` and `not_utf8` lines.
    """

    name: str
    share: float
    counts: dict[str, int]


def parse_lines(
    lines: str | os.PathLike[str] | Iterable[str | bytes],
    *,
    component: str = "parsed",
    utc: bool = False,
) -> Iterator[dict[str, Any]]:
    """Records of foreign lines, as `treering pipe` reads them; tracebacks are joined to their record.

    Args:
        lines: A path, or lines with or without line feeds; a `str` is a path.
        component: For lines that name none.
        utc: Times without a zone are UTC, not local.

    Raises:
        OSError: The file cannot be read.
    """
    for canonical in parse_canonical(lines, component=component, utc=utc):
        yield json.loads(canonical)


def parse_canonical(
    lines: str | os.PathLike[str] | Iterable[str | bytes],
    *,
    component: str = "parsed",
    utc: bool = False,
) -> Iterator[bytes]:
    """The same as canonical lines, which `patterns` and the others take."""
    recogniser = _core.Recogniser(component, utc)
    for chunk in _chunks(lines):
        yield from recogniser.parse(chunk).splitlines()
    yield from recogniser.parse_rest().splitlines()


def parse_many(
    paths: Iterable[str | os.PathLike[str]], *, utc: bool = False
) -> Iterator[tuple[Path, dict[str, Any]]]:
    """Records of many files, each with its path; the component is the file's name without ending.

    Raises:
        OSError: A file cannot be read.
    """
    for path in map(Path, paths):
        for record in parse_lines(path, component=path.stem, utc=utc):
            yield path, record


def detect_format(
    lines: str | os.PathLike[str] | Iterable[str | bytes], sample: int = 1000
) -> Format:
    """The form of most of the first `sample` lines.

    Raises:
        ConfigurationError: There is no line.
        OSError: The file cannot be read.
    """
    from itertools import islice

    recogniser = _core.Recogniser("detect")
    for line in islice(_each(lines), sample):
        recogniser.parse(line)
    recogniser.parse_rest()
    counts = recogniser.counts()
    if not counts["records"]:
        raise ConfigurationError(
            "no line to detect a format of: lines with text would be right",
            code="lines_empty",
            field="lines",
        )
    name = max(_FORMS, key=counts.__getitem__)
    return Format(name, counts[name] / counts["records"], counts)


def _chunks(lines: Any) -> Iterator[bytes]:
    if not _is_path(lines):
        yield from _each(lines)
        return
    with Path(lines).open("rb") as file:
        while chunk := file.read(_CHUNK_BYTES):
            yield chunk


def _each(lines: Any) -> Iterator[bytes]:
    if _is_path(lines):
        with Path(lines).open("rb") as file:
            yield from file
        return
    for line in lines:
        data = line.encode("utf-8", "surrogateescape") if isinstance(line, str) else bytes(line)
        yield data if data.endswith(b"\n") else data + b"\n"


def _is_path(lines: object) -> bool:
    return isinstance(lines, str | Path) or hasattr(lines, "__fspath__")
