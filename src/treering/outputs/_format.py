"""Formats by name, by template, or by a function of the user's."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING

from treering import _core
from treering.errors import ConfigurationError, FormatFailed
from treering.outputs._batch import Record, split

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from treering.outputs._output import Formatter

_presets, _shapes = _core.formats()

PRESETS: Mapping[str, str] = MappingProxyType(dict(_presets))
"""Templates by name. `CONSOLE` by its name has colours and shows exceptions besides."""

SHAPES: tuple[str, ...] = tuple(_shapes)
"""Formats by name that are no templates."""


class CallableFormatter:
    """A function of the user's: takes a record, gives text or bytes.

    Text is put on one line, with control characters spelled out; bytes are taken as they are.

    Args:
        function: The function.
        failed: Told when the function cannot format a record, which then comes as its canonical line;
            without it that is an error.
    """

    def __init__(
        self,
        function: Callable[[Record], str | bytes],
        failed: Callable[[FormatFailed], object] | None = None,
    ) -> None:
        self._function = function
        self._failed = failed

    def __repr__(self) -> str:
        return f"<CallableFormatter {self._function!r}>"

    def lines(self, data: bytes, indexes: Sequence[int]) -> list[bytes]:
        """One text for each canonical line in `data`; empty for an erased record.

        Raises:
            FormatFailed: The function raised, or gave neither text nor bytes; names the record.
        """
        return [
            self._one(Record(index, line)) if line else b""
            for index, line in zip(indexes, split(data), strict=True)
        ]

    def text(self, data: bytes, indexes: Sequence[int]) -> bytes:
        """The same in one piece, each ended by a line feed, without the erased ones.

        Raises:
            FormatFailed: As `lines`.
        """
        return b"".join(line + b"\n" for line in self.lines(data, indexes) if line)

    def _one(self, record: Record) -> bytes:
        if self._failed is None:
            return self._made(record)
        try:
            return self._made(record)
        except FormatFailed as error:
            self._failed(error)
            return record.line

    def _made(self, record: Record) -> bytes:
        try:
            made = self._function(record)
        except Exception as error:  # a formatter is foreign code: whatever it raises has one name
            raise FormatFailed(
                f"formatter {self._function!r} failed at record {record.index}:"
                f" {type(error).__name__}: {error}"
            ) from error
        if isinstance(made, bytes):
            return made
        if isinstance(made, str):
            return _core.neutralise(made.encode("utf-8", "backslashreplace").decode())
        raise FormatFailed(
            f"formatter {self._function!r} gave {type(made).__name__} for record {record.index}:"
            " str or bytes would be right"
        )


def formatter(
    spec: str | Callable[[Record], str | bytes],
    *,
    date_format: str | None = None,
    utc: bool = False,
    options: Mapping[str, str] | None = None,
    failed: Callable[[FormatFailed], object] | None = None,
) -> Formatter:
    """What makes lines of records.

    Args:
        spec: A name of `PRESETS` or `SHAPES`, a template such as `[%t] %-8l %c: %m`, a format string
            of the standard library such as `%(asctime)s %(message)s`, or a function that takes a
            record.
        date_format: For templates and `CONSOLE`: as `strftime` takes it, and `%3f` for milliseconds.
        utc: Times in UTC where the format leaves it open; else those of this process's zone.
        options: What only some formats know, such as `facility` of `rfc5424`.
        failed: For a function: see `CallableFormatter`.

    Raises:
        ConfigurationError: It is none of these; names the place, what stands there and what would be
            right.
    """
    if callable(spec):
        return CallableFormatter(spec, failed)
    try:
        return _core.Formatter(spec, date_format=date_format, utc=utc, options=options)
    except (ValueError, TypeError) as error:
        raise ConfigurationError(
            f"format {spec!r} cannot be used: {error}",
            code="format_invalid",
            field="format",
            hint=_hint(spec),
        ) from None


def _hint(spec: object) -> str | None:
    from difflib import get_close_matches

    names = {name.lower(): name for name in (*PRESETS, *SHAPES)}
    # `JSON` is a template with four keys, `json` the whole record.
    if not isinstance(spec, str) or "%" in spec:
        return None
    if "{" in spec or "$" in spec:
        return "templates are written with %t %l %c %m, or as %(message)s"
    close = get_close_matches(spec.lower(), names, n=1)
    return f"did you mean {names[close[0]]}?" if close else None
