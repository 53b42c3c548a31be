"""Entries of a file as events: what both formats have in common."""

from __future__ import annotations

from typing import TYPE_CHECKING

from treering._levels import Level
from treering.catalog._catalog import quoted
from treering.catalog._yaml import entries_of, is_mapping

if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Any

    from treering.catalog._catalog import Draft
    from treering.catalog._yaml import Entry

_HEXADECIMAL = 16
_MOST_DIGITS = 19

# What catalogs call levels besides our own names. PoseidonOS's trace ranks between info and warning.
_WORDS = {"WARN": Level.WARNING, "FATAL": Level.CRITICAL, "INFORMATIONAL": Level.INFO}


def all_entries(draft: Draft, items: Iterable[Any], begins: str) -> list[Entry]:
    """The entries of a list, with findings about those that are none or not where they seem."""
    found: list[Entry] = []
    for item in items:
        line = item.start_mark.line + 1
        if not is_mapping(item):
            draft.error(line, "not_an_entry", f"an entry with '{begins}' and more would be right")
            continue
        for entry in entries_of(item, begins):
            if entry.swallowed_by is not None:
                draft.error(
                    entry.line,
                    "swallowed_entry",
                    f"entry {quoted(entry.text(begins))} is part of the one in line"
                    f" {entry.swallowed_by}: its dash is indented wrongly",
                )
            for key in entry.repeated:
                draft.error(
                    key.line,
                    "repeated_key",
                    f"key {quoted(key.text)} is there twice: the first counts",
                )
            found.append(entry)
    return found


def id_of(draft: Draft, entry: Entry, key: str) -> str:
    """The id as decimal digits, leading zeros included; empty when there is none."""
    text, line = entry.text(key), entry.line_of(key)
    digits = text.replace("_", "")
    if text.isascii() and text.isdecimal() and len(text) <= _MOST_DIGITS:
        return text
    if digits[:2].lower() == "0x" and len(digits) <= _HEXADECIMAL + 2:
        try:
            number = str(int(digits, 16))
        except ValueError:
            number = ""
        if number:
            draft.warn(line, "hex_id", f"id {text} is hexadecimal: {number} would be right")
            return number
    draft.error(line, "bad_id", f"id {quoted(text)} is no number: digits would be right")
    return ""


def level_of(draft: Draft, entry: Entry, key: str) -> int | None:
    """The number of a level; `None` when there is none, or it is unknown."""
    text = entry.text(key)
    if not text:
        return None
    word = text.strip().upper()
    if draft.is_foreign and word == "TRACE":
        return Level.NOTICE
    level = _WORDS.get(word) or Level.__members__.get(word)
    if level is None or level is Level.OFF:
        draft.error(
            entry.line_of(key),
            "unknown_level",
            f"level {quoted(text)} is unknown: DEBUG, INFO, WARNING, ERROR or CRITICAL would be right",
        )
        return None
    return level


def text_of(draft: Draft, entry: Entry, key: str) -> str:
    """A sentence on one line; nothing for `none`."""
    value = entry.values.get(key)
    if value is not None and value.text is None and not is_nothing(value.node):
        draft.error(value.line, "bad_value", f"'{key}' is no text: a sentence would be right")
    text = " ".join(entry.text(key).split())
    return "" if text.lower() == "none" else text


def is_nothing(node: Any) -> bool:
    """Whether a node says nothing: null, or a list of nulls, which a stray dash makes."""
    scalars = node.value if node.id == "sequence" else [node]
    return all(scalar.id == "scalar" and not scalar.value for scalar in scalars)


def unknown_keys(draft: Draft, entry: Entry, known: Iterable[str]) -> None:
    """Findings about keys that mean nothing here."""
    from difflib import get_close_matches

    known = list(known)
    for key, value in entry.values.items():
        if key not in known:
            close = get_close_matches(key, known, n=1)
            wanted = f"did you mean '{close[0]}'?" if close else f"known are {', '.join(known)}"
            draft.lacks(value.line, "unknown_key", f"key {quoted(key)} is unknown: {wanted}")
