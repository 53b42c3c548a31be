"""The query language once more, slowly: plain Python over canonical lines, from its documentation.

Nothing of the compiler is used here, only the tree and the times.
"""

import functools
import json
import math
import re
import unicodedata

from treering.store.query import (
    And,
    Compare,
    Dedup,
    Everything,
    Fields,
    Limit,
    Not,
    OneOf,
    Or,
    Pattern,
    Range,
    Regex,
    Sort,
    Stats,
    Text,
    TimeChart,
    Top,
    Where,
    parse_span,
    parse_time,
)

KEYS = (
    "index timestamp level category component message event_id event_name cause module function file"
    " line process thread host trace_id span_id"
).split()
GROUPS = ("metadata", "context", "performance_data")
LEVELS = {
    "TRACE": 5,
    "DEBUG": 10,
    "INFO": 20,
    "NOTICE": 25,
    "WARNING": 30,
    "ERROR": 40,
    "CRITICAL": 50,
}
LEVELS |= {"WARN": 30, "FATAL": 50, "SECURITY": 60, "AUDIT": 70, "OFF": 100}
ABSENT = object()
NUMBER = re.compile(r"[+-]?[0-9]+(\.[0-9]+)?([eE][+-]?[0-9]+)?")


def search(query, lines, now_ns=0):
    """Names and rows of the answer; without names the rows are indexes of records."""
    records = [json.loads(line) | {"index": index} for index, line in lines]
    rows = [record for record in records if matches(query.filter, record, now_ns)]
    table = Table(None, rows)
    for pipe in query.pipes:
        table = table.after(pipe, now_ns)
    rows = table.sorted()
    if table.names is None:
        return None, [row["index"] for row in rows]
    return table.names, [tuple(row[name] for name in table.names) for row in rows]


def matches(node, record, now_ns=0, names=None):
    def again(inner):
        return matches(inner, record, now_ns, names)

    match node:
        case Everything():
            return True
        case Not():
            return not again(node.node)
        case And():
            return all(map(again, node.nodes))
        case Or():
            return any(map(again, node.nodes))
        case Text():
            return any(says(text, node.value) for text in searched(record))
        case OneOf():
            operator = "=" if node.operator == "!=" else node.operator
            found = any(again(Compare(node.field, operator, value)) for value in node.values)
            if node.operator == "!=":
                return value_of(record, node.field, names) is not ABSENT and not found
            return found
        case Range():
            low, high = ">=" if node.includes_low else ">", "<=" if node.includes_high else "<"
            return (node.low is None or again(Compare(node.field, low, Pattern((node.low,))))) and (
                node.high is None or again(Compare(node.field, high, Pattern((node.high,))))
            )
    return compare(record, node, now_ns, names)


def compare(record, node, now_ns, names):
    value = value_of(record, node.field, names)
    if value is ABSENT:
        return False
    if node.operator == "!=":
        equal = Compare(node.field, "=", node.value)
        return not compare(record, equal, now_ns, names)
    wanted, operator = node.value, node.operator
    if isinstance(wanted, Pattern) and set(wanted.parts) == {""} and len(wanted.parts) > 1:
        return True
    literal = (
        "".join(wanted.parts) if isinstance(wanted, Pattern) and len(wanted.parts) == 1 else None
    )
    if node.field == "timestamp":
        at = value if names is not None else parse_time(value, 0)[0]
        start, end = parse_time(literal, now_ns)
        ordered = {"<": at < start, "<=": at < end, ">": at >= end, ">=": at >= start}
        return ordered.get(operator, start <= at < end)
    if node.field == "level" and literal is not None:
        return order(operator, level(value), level(literal))
    if node.field == "component" and literal is not None and operator == ":":
        return f"{lower(value)}.".startswith(f"{lower(literal)}.")
    if node.field == "message" and operator == ":" and literal != "":
        return says(value, wanted)
    if node.field == "exception" and operator == ":" and literal != "":
        return any(says(text, wanted) for text in leaves(value))
    if isinstance(wanted, Regex):
        return re.search(wanted.source, text_of(value)) is not None
    if literal is None:
        fold = str if operator == "=" else lower
        pattern = ".*".join(re.escape(fold(part)) for part in wanted.parts)
        return re.fullmatch(pattern, fold(text_of(value)), re.DOTALL) is not None
    number = number_of(literal)
    if names is not None and isinstance(value, str) and number is not None:
        value = float(value) if NUMBER.fullmatch(value) else value
        if isinstance(value, str) or operator not in ":=":
            return isinstance(value, float) and order(operator, value, float(number))
        return order(operator, value, float(number))
    if names is not None and isinstance(value, str) and NUMBER.fullmatch(value):
        return operator in ":=" and order("=", lower(value), lower(literal))
    if number is not None and is_number(value):
        value = value if isinstance(value, int) and abs(value) < 2**63 else float(value)
        if isinstance(value, int) and isinstance(number, int):
            return order(operator, value, number)
        return order(operator, float(value), float(number))
    if operator == ":":
        return lower(text_of(value)) == lower(literal)
    if operator == "=":
        return text_of(value) == literal
    return isinstance(value, str) and number is None and order(operator, value, literal)


def order(operator, left, right):
    return {
        "<": left < right,
        "<=": left <= right,
        ">": left > right,
        ">=": left >= right,
        "=": left == right,
        ":": left == right,
    }[operator]


def is_number(value):
    return isinstance(value, int | float) and not isinstance(value, bool)


def number_of(text):
    if not NUMBER.fullmatch(text):
        return None
    if re.fullmatch(r"[+-]?[0-9]+", text) and -(2**63) <= int(text) < 2**63:
        return int(text)
    return float(text)


def level(text):
    text = str(text).strip()
    if text.upper() in LEVELS:
        return LEVELS[text.upper()]
    return int(text.removeprefix("Level "))


def value_of(record, path, names=None):
    """The value of a field, at the first place that has it."""
    if names is not None:
        return ABSENT if record.get(path) is None else record[path]
    if path in KEYS or path == "exception":
        return record.get(path, ABSENT)
    first, _, rest = path.partition(".")
    if rest and first in (*GROUPS, "exception"):
        return next((v for v in walks(record.get(first), rest)), ABSENT)
    steps = path.split(".")
    for at in range(len(steps)):
        for group in GROUPS:
            found = step(record.get(group), [*steps[:at], ".".join(steps[at:])])
            if found is not ABSENT:
                return found
    return ABSENT


def walks(value, path):
    steps = path.split(".")
    for at in range(len(steps)):
        found = step(value, [*steps[:at], ".".join(steps[at:])])
        if found is not ABSENT:
            yield found


def step(value, keys):
    for key in keys:
        if isinstance(value, dict) and key in value:
            value = value[key]
        elif (
            isinstance(value, list) and re.fullmatch("0|[1-9][0-9]*", key) and int(key) < len(value)
        ):
            value = value[int(key)]
        else:
            return ABSENT
    return value


def text_of(value):
    if isinstance(value, str):
        return value
    if isinstance(value, int) and not -(2**63) <= value < 2**64:
        value = float(value)
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def searched(record):
    yield from leaves([record.get("message", ABSENT)])
    for name in (*GROUPS, "exception"):
        yield from leaves(record.get(name, {}))


def leaves(value):
    if isinstance(value, dict | list):
        for inner in value.values() if isinstance(value, dict) else value:
            yield from leaves(inner)
    elif value is not ABSENT:
        yield text_of(value)


@functools.lru_cache(1 << 16)
def lower(text):
    return "".join("i" if char == "\u0130" else char.lower() for char in text)


def is_word_char(char):
    return char == "_" or unicodedata.category(char)[0] in "LN"


@functools.lru_cache(1 << 16)
def words(text, also=""):
    return "".join(c if is_word_char(c) or c in also else " " for c in lower(text)).split()


def says(text, wanted):
    """The words of a pattern, one after the other, among the words of a text."""
    if isinstance(wanted, Regex):
        return re.search(wanted.source, text) is not None
    star = "\ue000"
    asked = words(star.join(wanted.parts), also=star)
    if not asked:
        return lower("".join(wanted.parts)) in lower(text)
    patterns = [
        r"\w+" if set(word) == {star} else re.escape(word).replace(star, r"\w*") for word in asked
    ]
    found = words(text)
    return any(
        all(re.fullmatch(p, w) for p, w in zip(patterns, found[at:], strict=False))
        for at in range(len(found) - len(patterns) + 1)
    )


class Table:
    """Rows between two pipes; without names they are records."""

    def __init__(self, names, rows, by=()):
        self.names, self.rows, self.by = names, rows, tuple(by)

    def after(self, pipe, now_ns):
        match pipe:
            case Where():
                rows = [row for row in self.rows if matches(pipe.node, row, now_ns, self.names)]
                return Table(self.names, rows, self.by)
            case Sort():
                return Table(self.names, self.rows, pipe.by)
            case Limit():
                return Table(self.names, self.sorted()[: pipe.count], self.by)
            case Dedup():
                kept = {}
                for row in self.sorted():
                    kept.setdefault(tuple(self.cell(row, name) for name in pipe.fields), row)
                if isinstance(self, Ordered):
                    return Ordered(self.names, list(kept.values()))
                return Table(self.names, list(kept.values()), self.by)
            case Fields():
                made = [
                    {name: self.cell(row, name) for name in pipe.names} for row in self.sorted()
                ]
                return Ordered(pipe.names, made)
            case Top():
                present = [
                    r for r in self.rows if all(self.cell(r, f) is not None for f in pipe.fields)
                ]
                groups = {}
                for row in present:
                    key = tuple(self.cell(row, f) for f in pipe.fields)
                    groups[key] = groups.get(key, 0) + 1
                made = [
                    dict(zip((*pipe.fields, "count"), (*k, n), strict=True))
                    for k, n in groups.items()
                ]
                table = Table((*pipe.fields, "count"), made)
                first = table.sorted()
                first.sort(key=lambda row: row["count"], reverse=not pipe.is_rare)
                return Ordered(table.names, first[: pipe.limit])
            case TimeChart():
                keys = [
                    ("timestamp", "timestamp", pipe.span),
                    *((k.name, k.field, k.bin) for k in pipe.by),
                ]
                return self.grouped(keys, pipe.aggregates)
            case Stats():
                return self.grouped([(k.name, k.field, k.bin) for k in pipe.by], pipe.aggregates)

    def grouped(self, keys, aggregates):
        groups = {} if keys else {(): []}
        for row in sorted(self.rows, key=lambda row: row.get("index", 0)):
            groups.setdefault(
                tuple(self.key(row, field, span) for _, field, span in keys), []
            ).append(row)
        names = (*(name for name, _, _ in keys), *(a.name for a in aggregates))
        made = [
            (*key, *(self.aggregate(a, rows) for a in aggregates)) for key, rows in groups.items()
        ]
        return Table(names, [dict(zip(names, row, strict=True)) for row in made])

    def key(self, row, field, span):
        value = self.cell(row, field)
        if span is None or value is None:
            return value
        return value - value % parse_span(span)

    def aggregate(self, of, rows):
        if of.field is None:
            return len(rows)
        cells = [cell for row in rows if (cell := self.cell(row, of.field)) is not None]
        if of.function in ("first", "last"):
            return (cells[0] if of.function == "first" else cells[-1]) if cells else None
        if of.function == "count":
            return len(cells)
        if of.function == "count_distinct":
            return len(set(cells))
        if of.field == "timestamp":
            return (
                {"min": min, "max": max}.get(of.function, lambda _: None)(cells) if cells else None
            )
        numbers = sorted(n for row in rows if (n := self.number(row, of.field)) is not None)
        return aggregated(of, numbers) if numbers else None

    def number(self, row, field):
        value = value_of(row, field) if self.names is None else row[field]
        if self.names is not None and isinstance(value, str):
            return float(value) if NUMBER.fullmatch(value) else None
        return float(value) if is_number(value) else None

    def cell(self, row, field):
        """As it stands in a table: whole numbers of the record, times as nanoseconds, else text."""
        if self.names is not None:
            return row[field]
        value = value_of(row, field)
        if value is ABSENT:
            return None
        if field == "timestamp":
            return parse_time(value, 0)[0]
        return value if field in ("index", "line", "process", "thread") else text_of(value)

    def sorted(self):
        """The rows in their order."""
        return sorted(self.rows, key=functools.cmp_to_key(self.ordered))

    def ordered(self, left, right):
        names = ["index"] if self.names is None else self.names
        for name, descending in [
            *((o.field, o.is_descending) for o in self.by),
            *((n, False) for n in names),
        ]:
            if name == "level" and self.names is None:
                pair = [level(row["level"]) if "level" in row else None for row in (left, right)]
            else:
                pair = [self.cell(row, name) for row in (left, right)]
            for one, other in zip(*map(sort_keys, pair), strict=True):
                if one == other:
                    continue
                if one is None or other is None:
                    return 1 if one is None else -1
                return (1 if one > other else -1) * (-1 if descending else 1)
        return 0


class Ordered(Table):
    """Rows whose order comes from columns that are gone."""

    def sorted(self):
        if not self.by:
            return self.rows
        return super().sorted()

    def after(self, pipe, now_ns):
        if isinstance(pipe, Where):
            return Ordered(
                self.names, [r for r in self.rows if matches(pipe.node, r, now_ns, self.names)]
            )
        if isinstance(pipe, Limit):
            return Ordered(self.names, self.rows[: pipe.count])
        return super().after(pipe, now_ns)


def sort_keys(value):
    if isinstance(value, str):
        return (float(value) if NUMBER.fullmatch(value) else None), value
    return value, None


def aggregated(of, numbers):
    match of.function:
        case "sum":
            return math.fsum(numbers)
        case "avg":
            return math.fsum(numbers) / len(numbers)
        case "min":
            return numbers[0]
        case "max":
            return numbers[-1]
    place = (len(numbers) - 1) * of.argument / 100
    below = math.floor(place)
    above = min(below + 1, len(numbers) - 1)
    return numbers[below] + (numbers[above] - numbers[below]) * (place - below)
