"""A configuration file: what it says, and on which line."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from treering.errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

MOST_BYTES = 1 << 20
DISCOVERED = ("treering.yaml", "treering.yml", "treering.toml", "treering.json")
AUTO = "auto"

type_names = {dict: "a mapping", list: "a list", str: "text", type(None): "nothing"}


class Unreadable(Exception):
    """A parser's complaint; becomes a `ConfigurationError` where the file's name is known."""

    def __init__(
        self, message: str, line: int | None = None, *, code: str = "file_invalid"
    ) -> None:
        super().__init__(message)
        self.line = line
        self.code = code


@dataclass(frozen=True, slots=True)
class Document:
    """What a file says about logging, before anything in it is read as a setting."""

    name: str
    path: Path
    content: Mapping[str, Any]
    lines: Mapping[tuple[str, ...], int] = field(default_factory=dict)
    root: tuple[str, ...] = ()

    def source(self, *keys: str) -> str:
        """The place of a value, for messages: `file logging.yaml, line 7`."""
        at = (*self.root, *keys)
        while at and at not in self.lines:
            at = at[:-1]
        return f"file {self.name}, line {self.lines[at]}" if at else f"file {self.name}"


def find(directory: Path) -> Path:
    """The configuration file of a directory: `treering.yaml`, `.yml`, `.toml`, `.json`, `pyproject.toml`.

    Raises:
        ConfigurationError: There is none, or more than one.
    """
    found = [directory / name for name in DISCOVERED if (directory / name).is_file()]
    project = directory / "pyproject.toml"
    if not found and project.is_file():
        return project
    if len(found) == 1:
        return found[0]
    wanted = f"one of {', '.join(DISCOVERED)}"
    here = ", ".join(path.name for path in found) or "none"
    raise ConfigurationError(
        f"configuration file 'auto' means {wanted} in '{directory}', where there is {here}",
        code="file_missing" if not found else "file_ambiguous",
        path=str(directory),
        field="config_file",
    )


def read(path: str | os.PathLike[str], suffix: str | None = None) -> Document:
    """Reads a file by its suffix, or as if it had another one.

    Raises:
        ConfigurationError: It cannot be read, or is not what its suffix says.
    """
    place = find(Path.cwd()) if os.fspath(path) == AUTO else Path(path)
    name = _printable(os.fspath(place))
    parse = _parser(place, name, (suffix or place.suffix).lower())
    try:
        text = _text(place)
        content, lines = parse(text)
        return _section(name, place, content, lines)
    except Unreadable as found:
        where = f"file {name}" + (f", line {found.line}" if found.line else "")
        raise ConfigurationError(
            f"{where}: {found}", code=found.code, path=str(place), field="config_file"
        ) from None


def _parser(
    path: Path, name: str, suffix: str
) -> Callable[[str], tuple[object, Mapping[tuple[str, ...], int]]]:
    if suffix in {".yaml", ".yml"}:
        from treering.config._yaml import parse

        return parse
    if suffix in {".toml", ".json"}:
        from treering.config import _lines

        return _lines.parse_toml if suffix == ".toml" else _lines.parse_json
    raise ConfigurationError(
        f"file {name} has the suffix '{suffix}': .yaml, .yml, .toml or .json would be right",
        code="file_unknown_format",
        path=str(path),
        field="config_file",
    )


def _text(path: Path) -> str:
    try:
        with path.open("rb") as file:
            data = file.read(MOST_BYTES + 1)
    except OSError as error:
        reason = error.strerror or str(error)
        raise Unreadable(f"it cannot be read: {reason}", code="file_unreadable") from None
    if len(data) > MOST_BYTES:
        raise Unreadable(f"it has more than {MOST_BYTES:,} bytes, more than a configuration needs")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise Unreadable("it is not UTF-8: saving it as UTF-8 would be right", line) from None


def _section(
    name: str, path: Path, content: object, lines: Mapping[tuple[str, ...], int]
) -> Document:
    """Takes the section that is ours out of a file that is not ours alone."""
    content = {} if content is None else content
    if not isinstance(content, dict):
        what = type_names.get(type(content), "a single value")
        raise Unreadable(f"it holds {what}: settings by name would be right", 1)
    root: tuple[str, ...] = ()
    if path.name == "pyproject.toml":
        root = ("tool", "treering")
    else:
        root = next(((key,) for key in ("treering", "logging") if key in content), ())
    for key in root:
        content = content.get(key) if isinstance(content, dict) else None
    if not isinstance(content, dict):
        section = ".".join(root)
        line = lines.get(root)
        raise Unreadable(f"section '{section}' is missing or holds no settings by name", line)
    return Document(name, path.absolute(), content, lines, root)


def _printable(text: str) -> str:
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)
