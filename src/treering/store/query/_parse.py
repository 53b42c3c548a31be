"""From text to the tree: filters. Recursive descent, one method for each rule of the grammar.

```text
query  = [or] { "|" pipe }
or     = and { "or" and }
and    = unary { ["and"] unary }
unary  = ("not" | "-" | "!") unary | "(" or ")" | string | regex | word | field
field  = name operator value
value  = word | string | regex | "(" value { [","] value } ")" | ("[" | "{") low "TO" high ("]" | "}")
```
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from treering.store.query._ast import (
    And,
    Compare,
    Everything,
    Node,
    Not,
    OneOf,
    Or,
    Pattern,
    Query,
    Range,
    Text,
    Value,
)
from treering.store.query._check import check
from treering.store.query._explain import refuse
from treering.store.query._names import KEYWORDS, MAX_DEPTH
from treering.store.query._scan import LIST_ENDS, RANGE_ENDS, TERM_ENDS, VALUE_ENDS, Scanner, Word

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from treering.store.query._ast import Operator

_OPERATORS: tuple[Operator, ...] = ("!=", ">=", "<=", ":", "=", "<", ">")


def parse(text: str, *, fields: Iterable[str] | None = None) -> Query:
    """What a query says.

    Args:
        text: The query; an empty one asks for everything.
        fields: Names of fields that there are; any other is then a mistake.

    Raises:
        QueryError: It cannot be understood; the error has the column.
    """
    from treering.store.query._pipes import parse_pipes

    parser = FilterParser(Scanner(text), None if fields is None else frozenset(fields))
    node = parser.whole()
    pipes = parse_pipes(parser)
    return Query(node, pipes)


def parse_filter(text: str, *, fields: Iterable[str] | None = None) -> Node:
    """What the filter says that a query without pipes is.

    Raises:
        QueryError: It cannot be understood, or has pipes.
    """
    parser = FilterParser(Scanner(text), None if fields is None else frozenset(fields))
    node = parser.whole()
    if parser.scanner.peek() == "|":
        refuse(text, parser.scanner.at, "no pipes here, a filter only")
    return node


class FilterParser:
    """Reads filters; the pipes' parser uses it for `where`."""

    def __init__(self, scanner: Scanner, fields: frozenset[str] | None = None) -> None:
        self.scanner = scanner
        self.fields = fields
        self.table: tuple[str, ...] | None = None
        self._depth = 0

    def name(self, ends: frozenset[str]) -> str:
        """A field's name up to one of `ends`, quoted or not; may be empty."""
        return self._name(ends)[0].text

    def whole(self) -> Node:
        """A filter up to a pipe or the end; an empty one is everything."""
        scanner = self.scanner
        scanner.skip()
        node = Everything() if scanner.peek() in {"", "|"} else self._or()
        if scanner.peek() == ")":
            refuse(
                scanner.text, scanner.at, "this parenthesis closes nothing", hint='quote it: ")"'
            )
        return node

    def _or(self) -> Node:
        nodes = [self._and()]
        while self._keyword("or"):
            nodes.append(self._and())
        return nodes[0] if len(nodes) == 1 else Or(tuple(_flat(Or, nodes)))

    def _and(self) -> Node:
        nodes = [self._unary()]
        while self._keyword("and") or self._begins_term():
            nodes.append(self._unary())
        return nodes[0] if len(nodes) == 1 else And(tuple(_flat(And, nodes)))

    def _begins_term(self) -> bool:
        self.scanner.skip()
        if self.scanner.peek() in {"", ")", "|"}:
            return False
        at = self.scanner.at
        is_or = self._keyword("or")
        self.scanner.at = at
        return not is_or

    def _keyword(self, word: str) -> bool:
        """Takes a keyword; before an operator it is a field's name instead."""
        scanner = self.scanner
        scanner.skip()
        at = scanner.at
        if scanner.word(TERM_ENDS).raw.lower() == word and not self._operator_next():
            return True
        scanner.at = at
        return False

    def _operator_next(self) -> bool:
        return self.scanner.peek() in {":", "=", "<", ">"} or self.scanner.peek(2) == "!="

    def _unary(self) -> Node:
        scanner = self.scanner
        scanner.skip()
        begin = scanner.at
        is_negated = self._keyword("not") or (
            scanner.peek(2) != "!=" and (scanner.take("-") or scanner.take("!"))
        )
        if not is_negated and not scanner.take("("):
            return self._term()
        self._enter(begin)
        if is_negated:
            sign = scanner.text[begin : scanner.at]
            if sign in "-!" and (scanner.peek().isspace() or not scanner.peek()):
                refuse(
                    scanner.text, begin, f"`{sign}` says not, and nothing follows", hint="quote it"
                )
            node: Node = Not(self._unary())
        else:
            node = self._or()
            if not scanner.take(")"):
                refuse(
                    scanner.text, begin, "this parenthesis is never closed", hint='quote it: "("'
                )
        self._depth -= 1
        return node

    def _enter(self, at: int) -> None:
        self._depth += 1
        if self._depth > MAX_DEPTH:
            refuse(self.scanner.text, at, f"nested more than {MAX_DEPTH} deep")

    def _term(self) -> Node:
        scanner = self.scanner
        scanner.count_term()
        begin = scanner.at
        char = scanner.peek()
        if char in {"", ")", "|"} or (self._operator_next() and char):
            found = f"`{char}`" if char else "the end"
            refuse(scanner.text, begin, f"a word, a phrase or a field is missing before {found}")
        if char == "/":
            self._no_table(begin)
            return Text(self._regex())
        name, is_quoted = self._name(TERM_ENDS)
        if self._operator_next():
            return self._field(name, begin)
        if is_quoted:
            self._no_table(begin)
            return self._phrase(name.text, begin)
        if name.raw.lower() in KEYWORDS:
            word = name.raw
            refuse(scanner.text, begin, f"`{word}` joins two terms", hint=f'quote it: "{word}"')
        pattern = name.pattern()
        if pattern.is_anything:
            return Everything()
        self._no_table(begin)
        return Text(pattern)

    def _no_table(self, begin: int) -> None:
        if self.table is not None:
            hint = f"ask for a column, as {self.table[0]}:{self.scanner.text[begin : begin + 8]!r}"
            refuse(self.scanner.text, begin, "rows of a table have no text to search", hint=hint)

    def _phrase(self, text: str, begin: int) -> Node:
        if not text:
            refuse(
                self.scanner.text, begin, "an empty phrase is in no record", hint="use * for all"
            )
        return Text(Pattern((text,)))

    def _regex(self) -> Value:
        regex = self.scanner.regex()
        check.regex(self.scanner.text, regex)
        return regex

    def _name(self, ends: frozenset[str]) -> tuple[Word, bool]:
        """A word, or a string, or a path with quoted parts such as `context."user id"`."""
        scanner = self.scanner
        begin = scanner.at
        word = Word((), begin) if scanner.peek() == '"' else scanner.word(ends)
        is_quoted = False
        while scanner.peek() == '"' and (not word.chars or word.chars[-1] == (".", False)):
            is_string = not word.chars
            quoted = tuple((char, True) for char in scanner.string())
            if is_string and scanner.peek() not in {".", ":", "=", "<", ">", "!"}:
                return Word(quoted, begin), True
            rest = scanner.word(ends).chars
            word = Word((*word.chars, *quoted, *rest), begin)
            is_quoted = True
        return word, is_quoted

    def _field(self, name: Word, begin: int) -> Node:
        scanner = self.scanner
        operator = self._operator()
        if any(char == ("*", False) for char in name.chars):
            refuse(scanner.text, begin, "a field's name has no wildcards", hint="quote the star")
        if self.table is None:
            field = check.field(scanner.text, begin, name.text, self.fields)
        else:
            field = check.column(scanner.text, begin, name.text, self.table)
        if operator == ":" and self._operator_next():
            operator = self._operator()
        node = self._value(field, operator)
        return check.meaning(scanner.text, begin, node)

    def _operator(self) -> Operator:
        at = self.scanner.at
        for operator in _OPERATORS:
            if self.scanner.take(operator):
                return operator
        return refuse(self.scanner.text, at, "an operator is missing")

    def _value(self, field: str, operator: Operator) -> Node:
        scanner = self.scanner
        begin = scanner.at
        char = scanner.peek()
        if operator in {":", "=", "!="} and char == "(":
            return self._one_of(field, operator)
        if operator == ":" and char in {"[", "{"}:
            return self._range(field)
        if char == "/" and operator not in {":", "=", "!="}:
            refuse(scanner.text, begin, f"`{operator}` compares with a value, not a pattern")
        value, word = self._one_value(VALUE_ENDS, begin)
        if word is not None and operator == ":" and (bounds := word.split()):
            return self._two_dots(field, *bounds)
        if operator not in {":", "=", "!="} and isinstance(value, Pattern) and not value.literal:
            if value.literal is None:
                refuse(scanner.text, begin, f"`{operator}` compares with a value, not a pattern")
            refuse(scanner.text, begin, f"`{operator}` compares with a value, not with nothing")
        return Compare(field, operator, value)

    def _one_value(self, ends: frozenset[str], begin: int) -> tuple[Value, Word | None]:
        scanner = self.scanner
        if scanner.peek() == "/":
            return self._regex(), None
        if scanner.peek() == '"':
            return Pattern((scanner.string(),)), None
        word = scanner.word(ends)
        if not word.chars:
            refuse(
                scanner.text,
                begin,
                "a value is missing",
                hint='`field:*` asks whether there is one, `field:""` for the empty text',
            )
        return word.pattern(), word

    def _one_of(self, field: str, operator: Operator) -> Node:
        scanner = self.scanner
        begin = scanner.at
        scanner.take("(")
        values: list[Value] = []
        while True:
            while scanner.peek().isspace() or scanner.peek() == ",":
                scanner.at += 1
            if values and scanner.take(")"):
                return OneOf(field, operator, tuple(values))
            if not scanner.peek():
                refuse(scanner.text, begin, "this parenthesis is never closed")
            scanner.count_term()
            value, word = self._one_value(LIST_ENDS, scanner.at)
            if word is None or word.raw.lower() != "or" or not values:
                values.append(value)

    def _range(self, field: str) -> Node:
        scanner = self.scanner
        begin = scanner.at
        includes_low = scanner.peek() == "["
        scanner.at += 1
        low = self._bound(begin)
        scanner.skip()
        if scanner.word(RANGE_ENDS).raw.lower() != "to":
            refuse(scanner.text, scanner.at, "a range is written [low TO high]")
        high = self._bound(begin)
        scanner.skip()
        end = scanner.peek()
        if end not in {"]", "}"}:
            refuse(scanner.text, begin, "this range is never closed", hint="it ends with ] or }")
        scanner.at += 1
        if low is None and high is None:
            refuse(
                scanner.text, begin, "a range needs an end", hint=f"{field}:* asks for any value"
            )
        return Range(field, low, high, includes_low, end == "]")

    def _bound(self, begin: int) -> str | None:
        scanner = self.scanner
        scanner.skip()
        at = scanner.at
        if not scanner.peek():
            refuse(scanner.text, begin, "this range is never closed", hint="it ends with ] or }")
        if scanner.peek() == '"':
            return scanner.string()
        word = scanner.word(RANGE_ENDS)
        if not word.chars:
            refuse(scanner.text, at, "a value is missing", hint="use * for an open end")
        return self._literal(word, at)

    def _literal(self, word: Word, at: int) -> str | None:
        pattern = word.pattern()
        if pattern.is_anything:
            return None
        if pattern.literal is None:
            refuse(self.scanner.text, at, "the end of a range has no wildcards")
        return pattern.literal

    def _two_dots(self, field: str, low: Word, high: Word) -> Node:
        bounds = [self._literal(word, word.at) if word.chars else None for word in (low, high)]
        if bounds == [None, None]:
            refuse(
                self.scanner.text, low.at, "a range needs an end", hint="such as 1..5, 1.. or ..5"
            )
        return Range(field, bounds[0], bounds[1])


def _flat(kind: type[And | Or], nodes: list[Node]) -> Iterator[Node]:
    """Parentheses that change nothing do not make another query."""
    for node in nodes:
        if isinstance(node, kind):
            yield from node.nodes
        else:
            yield node
