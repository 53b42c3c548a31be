"""Our own format: `events:`, a list of id, name, level, message, cause, solution, variables."""

from __future__ import annotations

import keyword
from typing import TYPE_CHECKING, Any

from treering._levels import Level
from treering.catalog import _entries
from treering.catalog._catalog import Category, Draft, quoted
from treering.catalog._event import _OPTIONS, Event, Variable, placeholders
from treering.catalog._filter import number_of
from treering.catalog._yaml import is_list, is_mapping, pairs_of

if TYPE_CHECKING:
    from treering.catalog._yaml import Entry, Value

_KEYS = ("id", "name", "level", "message", "cause", "solution", "variables")
_TYPES = ("str", "int", "float", "bool", "object")
_CATEGORY = 10_000_000
"""Ids of a category: what its two digits stand before."""

# Syslog's digits (RFC 3164) as S3 and `treering` use them.
LEVEL_OF_DIGIT = {
    "2": Level.CRITICAL,
    "3": Level.ERROR,
    "4": Level.WARNING,
    "6": Level.INFO,
    "7": Level.DEBUG,
}


def read(root: Any) -> Draft:
    """The catalog with these keys."""
    draft = Draft("", "cee9", [], [], [], is_foreign=False)
    items: list[Any] = []
    for key, value in pairs_of(root):
        match key.text:
            case "catalog" if value.text:
                draft.title = value.text
            case "id_scheme":
                _scheme(draft, value)
            case "categories" if is_mapping(value.node):
                draft.categories = _categories(draft, value.node)
            case "events" if is_list(value.node):
                items += value.node.value
            case _:
                draft.error(
                    key.line,
                    "unknown_key",
                    f"key {quoted(key.text)} is unknown or its value unfit: 'catalog', 'id_scheme',"
                    " 'categories' (a mapping) and 'events' (a list) would be right",
                )
    for entry in _entries.all_entries(draft, items, "id"):
        draft.events.append(_event(draft, entry))
    return draft


def _scheme(draft: Draft, value: Value) -> None:
    if value.text == "plain":
        draft.id_scheme = "plain"
    elif value.text != "cee9":
        draft.error(value.line, "unknown_id_scheme", "'cee9' or 'plain' would be right")


def _categories(draft: Draft, node: Any) -> list[Category]:
    """`03: allocator` in nine-digit ids, or `3000-3099: Journal`."""
    categories = []
    for key, value in pairs_of(node):
        first, dash, last = (key.text or "").partition("-")
        low, high = number_of(first), number_of(last if dash else first)
        if low is None or high is None or not value.text:
            draft.error(
                key.line,
                "bad_category",
                f"category {quoted(key.text)} is unfit: '03: name' or '3000-3099: name' would be right",
            )
            continue
        if not dash:
            low, high = low * _CATEGORY, high * _CATEGORY + _CATEGORY - 1
        categories.append(Category(value.text, key.line, low, high))
    return categories


def _event(draft: Draft, entry: Entry) -> Event[...]:
    _entries.unknown_keys(draft, entry, _KEYS)
    id_text = _entries.id_of(draft, entry, "id")
    level = _entries.level_of(draft, entry, "level")
    if draft.id_scheme == "cee9" and id_text:
        level = _agreed(draft, entry, id_text, level)
    elif level is None and not entry.text("level"):
        draft.warn(entry.line, "missing_level", "the level is missing")
    number = int(id_text or -1)
    names = (
        category.name
        for category in draft.categories
        if category.first is not None and category.first <= number <= (category.last or 0)
    )
    event: Event[...] = Event(
        id_text,
        entry.text("name"),
        level,
        _entries.text_of(draft, entry, "message"),
        _entries.text_of(draft, entry, "cause"),
        _entries.text_of(draft, entry, "solution"),
        next(names, ""),
        _variables(draft, entry),
        entry.line,
    )
    declared = {variable.name for variable in event.variables}
    for key, text in (("message", event.message), ("cause", event.cause)):
        for name in placeholders(text):
            if name not in declared:
                draft.error(
                    entry.line_of(key),
                    "undeclared_variable",
                    f"'{{{name}}}' is not among the variables",
                )
    return event


def _agreed(draft: Draft, entry: Entry, id_text: str, level: int | None) -> int | None:
    """The level by the id's third digit, with findings about ids that are not as they should be."""
    line = entry.line_of("id")
    full = id_text.zfill(9)
    if len(id_text) != len("ccLrrrnnn"):
        draft.error(
            line,
            "id_digits",
            f"id {id_text} has {len(id_text)} digits: nine would be right, such as {full[-9:]}",
        )
    if full[3:6] != "000":
        draft.warn(line, "reserved_digits", f"digits 4 to 6 of id {full} are {full[3:6]}, not 000")
    digit = full[2]
    if (level, digit) in {(Level.AUDIT, "5"), (Level.SECURITY, "4"), (Level.TRACE, "7")}:
        return level
    told = LEVEL_OF_DIGIT.get(digit)
    if told is None:
        draft.error(
            line,
            "undefined_level_digit",
            f"digit 3 of id {full} is {digit}: 2 (critical), 3 (error), 4 (warning), 6 (info) or"
            " 7 (debug) would be right",
        )
    elif level is not None and level != told:
        right = {of: digit for digit, of in LEVEL_OF_DIGIT.items()}.get(Level(level))
        id_right = f" or id {full[:2]}{right}{full[3:]}" if right else ""
        draft.error(
            line,
            "level_disagrees",
            f"digit 3 of id {full} says {told.name}, the level {Level(level).name}:"
            f" level {told.name}{id_right} would be right",
        )
    return told if level is None else level


def _variables(draft: Draft, entry: Entry) -> tuple[Variable, ...]:
    value = entry.values.get("variables")
    if value is None or _entries.is_nothing(value.node):
        return ()
    if not is_mapping(value.node):
        draft.error(
            value.line, "bad_value", "'variables' is no mapping: 'name: type' would be right"
        )
        return ()
    variables: dict[str, Variable] = {}
    for name, kind in pairs_of(value.node):
        text, type_of = name.text or "", (kind.text or "object").strip()
        base = type_of.removesuffix("?").strip()
        if not text.isidentifier() or keyword.iskeyword(text) or text in _OPTIONS:
            draft.error(
                name.line,
                "bad_variable",
                f"variable {quoted(text)} cannot be an argument: a Python name other than"
                f" {', '.join(sorted(_OPTIONS))} would be right",
            )
        elif base not in _TYPES:
            draft.error(
                kind.line,
                "unknown_type",
                f"type {quoted(type_of)} is unknown: {', '.join(_TYPES)}, with '?' for one that may"
                " be left out, would be right",
            )
            variables[text] = Variable(text)
        else:
            variables[text] = Variable(text, base + (" | None" if type_of.endswith("?") else ""))
    return tuple(variables.values())
