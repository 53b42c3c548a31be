"""A catalog of events, and what is wrong with it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

from treering.errors import ConfigurationError

if TYPE_CHECKING:
    import os

    from treering.catalog._event import Event

Scheme = Literal["cee9", "plain"]


class Finding(NamedTuple):
    """Something that `treering events check` reports.

    Attributes:
        line: Where in the file, from 1.
        code: What kind of thing, snake_case; the guide lists them.
        severity: An `error` makes the check fail, a `warning` does not.
        message: What was found, and what would be right.
    """

    line: int
    code: str
    severity: Literal["error", "warning"]
    message: str


class Category(NamedTuple):
    """Events that belong together: those whose ids lie in a range.

    Attributes:
        name: As the catalog writes it.
        line: Where it is declared.
        first: Lowest id; `None` when the catalog declares no range.
        last: Highest id, inclusive.
    """

    name: str
    line: int
    first: int | None = None
    last: int | None = None


@dataclass(frozen=True, slots=True, repr=False)
class Catalog:
    """Events by id and name.

    Attributes:
        path: The file.
        title: What the catalog calls itself.
        id_scheme: `cee9`: nine digits, two for the category, one for the syslog level, three reserved,
            three for the number. `plain`: any number.
        categories: In the order of the file.
        events: All that are written, in the order of the file, those with findings included.
        findings: What is wrong, by line.
        by_id: Events by id as it is written; of two with equal numbers the first.
        by_name: Events by name; of two the first.
    """

    path: str
    title: str
    id_scheme: Scheme
    categories: tuple[Category, ...]
    events: tuple[Event[...], ...]
    findings: tuple[Finding, ...]
    by_id: dict[str, Event[...]]
    by_name: dict[str, Event[...]]

    def __repr__(self) -> str:
        return f"<Catalog '{self.path}': {len(self.events)} events, {len(self.findings)} findings>"

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> Catalog:
        """Reads a catalog, ours or PoseidonOS's `pos_event.yaml`, whatever is wrong with its entries.

        Raises:
            ConfigurationError: The file cannot be read, is not YAML, or has no list of events.
        """
        try:
            text = Path(path).read_text(encoding="utf-8")
        except UnicodeDecodeError as error:
            raise ConfigurationError(
                f"catalog {path} is not UTF-8 at byte {error.start}",
                code="catalog_unreadable",
                path=path,
            ) from None
        except OSError as error:
            raise ConfigurationError(
                f"catalog {path} cannot be read: {error.strerror}",
                code="catalog_unreadable",
                path=path,
            ) from None
        return cls.parse(text, path)

    @classmethod
    def parse(cls, text: str, path: object = "<text>") -> Catalog:
        """As `load`, of text; `path` is for messages."""
        from treering.catalog import _lint, _native, _poseidonos
        from treering.catalog._yaml import is_mapping, pairs_of, root_of

        root = root_of(text, path)
        keys = {key.text: value.node for key, value in pairs_of(root)}
        if is_mapping(keys.get("Root")):
            draft = _poseidonos.read(keys["Root"], text)
        elif "events" in keys:
            draft = _native.read(root)
        else:
            raise ConfigurationError(
                f"catalog {path} has no list of events:"
                " a key 'events', or PoseidonOS's 'Root' with 'Event' in it, would be right",
                code="catalog_unreadable",
                path=path,
            )
        _lint.check(draft)
        by_id: dict[int, Event[...]] = {}
        by_name: dict[str, Event[...]] = {}
        for event in draft.events:
            if event.id:
                by_id.setdefault(int(event.id), event)
            if event.name:
                by_name.setdefault(event.name, event)
        return cls(
            str(path),
            draft.title,
            draft.id_scheme,
            tuple(draft.categories),
            tuple(draft.events),
            tuple(sorted(draft.findings)),
            {event.id: event for event in by_id.values()},
            by_name,
        )


@dataclass
class Draft:
    """A catalog that is being read."""

    title: str
    id_scheme: Scheme
    categories: list[Category]
    events: list[Event[...]]
    findings: list[Finding]
    is_foreign: bool
    """PoseidonOS's: what is usual there is no error."""

    def error(self, line: int, code: str, message: str) -> None:
        """Notes an error."""
        self.findings.append(Finding(line, code, "error", message))

    def warn(self, line: int, code: str, message: str) -> None:
        """Notes a warning."""
        self.findings.append(Finding(line, code, "warning", message))

    def lacks(self, line: int, code: str, message: str) -> None:
        """Notes what only our own format demands."""
        (self.warn if self.is_foreign else self.error)(line, code, message)


def quoted(text: Any) -> str:
    """Foreign text in a message, cut and with its control characters visible."""
    text = str(text)
    return repr(text if len(text) <= _QUOTED_CHARS else text[:_QUOTED_CHARS] + "…")


_QUOTED_CHARS = 60
