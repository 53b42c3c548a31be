"""YAML as a list of entries with their line numbers, where an ordinary load would lose both.

A mapping that names a key twice is one of two things: an entry whose dash is indented wrongly, so that
it melted into the one before, or a slip. The first is told by the key that begins an entry.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

from treering.errors import ConfigurationError

if TYPE_CHECKING:
    from typing import Any

_NULL = "tag:yaml.org,2002:null"
_MOST_NESTED = 32


class Value(NamedTuple):
    """A scalar's text, as it was written (`None` for nothing), or the node of anything else."""

    text: str | None
    line: int
    node: Any


@dataclass
class Entry:
    """The pairs of a mapping; `swallowed_by` is the line of the entry that this one melted into."""

    line: int
    values: dict[str, Value] = field(default_factory=dict)
    repeated: list[Value] = field(default_factory=list)
    swallowed_by: int | None = None

    def text(self, key: str) -> str:
        """A value's text; empty when there is none."""
        value = self.values.get(key)
        return "" if value is None or value.text is None else value.text

    def line_of(self, key: str) -> int:
        """The line of a value, or of the entry when it has none."""
        value = self.values.get(key)
        return self.line if value is None else value.line


def root_of(text: str, path: object) -> Any:
    """The root node of a document.

    Raises:
        ConfigurationError: PyYAML is not installed, or this is not YAML.
    """
    try:
        import yaml
    except ImportError:
        raise ConfigurationError(
            "event catalogs need the package PyYAML, which is not installed",
            code="package_missing",
            hint="pip install 'treering[yaml]'",
        ) from None
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    try:
        # libyaml's composer recurses without a limit, its parser does not.
        depth = 0
        for event in yaml.parse(text, Loader=loader):
            depth += isinstance(event, yaml.CollectionStartEvent)
            depth -= isinstance(event, yaml.CollectionEndEvent)
            if depth > _MOST_NESTED:
                raise _unusable(path, event.start_mark, f"nested more than {_MOST_NESTED} deep")
        # Nodes are composed, never constructed: no object of any type comes out of a file.
        return yaml.compose(text, Loader=loader)
    except yaml.YAMLError as error:
        problem = getattr(error, "problem", None) or " ".join(str(error).split())
        raise _unusable(path, getattr(error, "problem_mark", None), problem) from None


def _unusable(path: object, mark: Any, problem: str) -> ConfigurationError:
    where = f"{path}:{mark.line + 1}" if mark else str(path)
    return ConfigurationError(
        f"catalog {where} is not usable YAML: {problem}", code="catalog_unreadable", path=path
    )


def is_mapping(node: Any) -> bool:
    """Whether a node is a mapping."""
    return getattr(node, "id", None) == "mapping"


def is_list(node: Any) -> bool:
    """Whether a node is a list."""
    return getattr(node, "id", None) == "sequence"


def pairs_of(node: Any) -> list[tuple[Value, Value]]:
    """The pairs of a mapping in order, repeated keys included; nothing for other nodes."""
    if not is_mapping(node):
        return []
    return [(value_of(key), value_of(value)) for key, value in node.value]


def value_of(node: Any) -> Value:
    """A node's text and line."""
    line = node.start_mark.line + 1
    is_text = node.id == "scalar" and not (node.tag == _NULL and node.style is None)
    return Value(node.value if is_text else None, line, node)


def entries_of(node: Any, begins: str) -> list[Entry]:
    """The entries in one item of a list: more than one where a dash is indented wrongly.

    Args:
        node: The item.
        begins: The key that every entry begins with.
    """
    current = Entry(node.start_mark.line + 1)
    entries = [current]
    for key, value in pairs_of(node):
        name = key.text or ""
        if name not in current.values:
            current.values[name] = value
        elif name == begins:
            current = Entry(key.line, {name: value}, swallowed_by=entries[0].line)
            entries.append(current)
        else:
            current.repeated.append(Value(name, key.line, key.node))
    return entries
