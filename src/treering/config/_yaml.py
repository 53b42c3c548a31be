"""YAML with line numbers, without duplicates, and without anything that runs code."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from treering.config._document import Unreadable
from treering.errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Iterator

    import yaml as yaml_module

MOST_NODES = 20_000
MOST_DEPTH = 32

Path = tuple[str, ...]


def parse(text: str) -> tuple[object, dict[Path, int]]:
    """The value of a document, and the line of every key by its path.

    Words such as `on`, `off` and `no` stay words (YAML 1.2): `level: OFF` is a level.

    Raises:
        Unreadable: It is not YAML, a key occurs twice, or it holds more than plain data.
        ConfigurationError: PyYAML is not installed.
    """
    try:
        import yaml
    except ImportError:
        raise ConfigurationError(
            "YAML files are read with PyYAML, which is not installed",
            code="extra_missing",
            field="config_file",
            hint="pip install treering[yaml], or write TOML or JSON",
        ) from None
    loader = yaml.SafeLoader(_checked(text, yaml))
    try:
        node = loader.get_single_node()
        return _Walk(loader).document(node)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        problem = error.problem or error.context or "it cannot be understood"
        raise Unreadable(f"it is not YAML: {problem}", mark.line + 1 if mark else None) from None
    except yaml.YAMLError as error:
        raise Unreadable(f"it is not YAML: {str(error).splitlines()[0]}") from None
    except RecursionError:
        raise Unreadable(f"it is nested more than {MOST_DEPTH} deep") from None
    finally:
        loader.dispose()


def _checked(text: str, yaml: Any) -> str:
    found = yaml.reader.Reader.NON_PRINTABLE.search(text)
    if found:
        line = text.count("\n", 0, found.start()) + 1
        raise Unreadable(f"it is not YAML: the character {found[0]!r} is not allowed", line)
    return text


class _Walk:
    """Builds plain values from nodes; aliases are followed, but not without end."""

    def __init__(self, loader: yaml_module.SafeLoader) -> None:
        self.loader = loader
        self.lines: dict[Path, int] = {}
        self.count = 0

    def document(self, node: yaml_module.Node | None) -> tuple[object, dict[Path, int]]:
        return (None if node is None else self.value(node, ())), self.lines

    def value(self, node: yaml_module.Node, path: Path) -> object:
        import yaml

        self.count += 1
        line = node.start_mark.line + 1
        if self.count > MOST_NODES:
            raise Unreadable(f"it holds more than {MOST_NODES:,} values", line)
        if len(path) > MOST_DEPTH:
            raise Unreadable(f"it is nested more than {MOST_DEPTH} deep", line)
        if isinstance(node, yaml.MappingNode) and node.tag == "tag:yaml.org,2002:map":
            return self.mapping(node, path)
        if isinstance(node, yaml.SequenceNode) and node.tag == "tag:yaml.org,2002:seq":
            return [self.value(one, (*path, str(at))) for at, one in enumerate(node.value)]
        if isinstance(node, yaml.ScalarNode):
            return self.scalar(node, line)
        raise Unreadable(f"it holds {node.tag}: plain values would be right", line)

    def scalar(self, node: yaml_module.ScalarNode, line: int) -> object:
        words = {"true", "false"}
        if node.tag == "tag:yaml.org,2002:bool" and node.value.lower() not in words:
            return node.value
        try:
            return self.loader.construct_object(node)
        except (ValueError, TypeError, OverflowError):
            raise Unreadable(f"the value {node.value[:80]!r} cannot be read", line) from None

    def mapping(self, node: yaml_module.MappingNode, path: Path) -> dict[str, object]:
        own: dict[str, object] = {}
        merged: dict[str, object] = {}
        for key_node, value_node in node.value:
            line = key_node.start_mark.line + 1
            if key_node.tag == "tag:yaml.org,2002:merge":
                for one in self.merges(value_node, path, line):
                    merged = {**one, **merged}
                continue
            key = self.key(key_node, line)
            if key in own:
                first = self.lines[(*path, key)]
                raise Unreadable(
                    f"key '{key}' stands here again, first on line {first}: once would be right",
                    line,
                    code="key_twice",
                )
            own[key] = None
            self.lines[(*path, key)] = line
            own[key] = self.value(value_node, (*path, key))
        return {**merged, **own}

    def key(self, node: yaml_module.Node, line: int) -> str:
        import yaml

        if not isinstance(node, yaml.ScalarNode):
            raise Unreadable("a key is not text: a name would be right", line)
        return str(node.value)

    def merges(self, node: yaml_module.Node, path: Path, line: int) -> Iterator[dict[str, object]]:
        nodes = node.value if node.tag == "tag:yaml.org,2002:seq" else [node]
        for one in nodes:
            # Under a path of its own: deeper with each step, so that a circle ends.
            value = self.value(one, (*path, "<<"))
            if not isinstance(value, dict):
                raise Unreadable("'<<' wants a mapping", line)
            yield value
