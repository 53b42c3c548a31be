"""PoseidonOS's catalog: `Root: Event:`, a list of Id, Name, Severity, Description, Cause, Solution.

Source: `src/event/pos_event.yaml` of `poseidonos/poseidonos`. Its categories are only comments, such as
`# Journal: 3000 - 3099`.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from treering.catalog import _entries
from treering.catalog._catalog import Category, Draft
from treering.catalog._event import Event
from treering.catalog._yaml import is_list, pairs_of

if TYPE_CHECKING:
    from treering.catalog._yaml import Entry

_SECTION = re.compile(
    r"\s*#\s*(?P<name>\S.*?)\s*[:(]\s*(?P<first>\d{1,18})\s*-\s*(?P<last>\d{1,18})\s*\)?\s*$"
)
_TITLE = re.compile(r"\s*#\s*(?P<name>[A-Za-z][\w ]*?)\s*$")
_KEYS = ("Id", "Name", "Severity", "Description", "Cause", "Solution")


def read(root: Any, text: str) -> Draft:
    """The catalog under `Root`; `text` is the file, for its comments."""
    draft = Draft("PoseidonOS", "plain", _sections(text), [], [], is_foreign=True)
    items: list[Any] = []
    for key, value in pairs_of(root):
        if key.text == "Event" and is_list(value.node):
            items += value.node.value
        else:
            draft.error(key.line, "unknown_key", "a list under 'Event' would be right")
    for entry in _entries.all_entries(draft, items, "Id"):
        draft.events.append(_event(draft, entry))
    return draft


def _event(draft: Draft, entry: Entry) -> Event[...]:
    _entries.unknown_keys(draft, entry, _KEYS)
    level = _entries.level_of(draft, entry, "Severity")
    if not entry.text("Severity"):
        draft.warn(entry.line_of("Severity"), "missing_level", "the severity is missing")
    above = [section for section in draft.categories if section.line < entry.line]
    return Event(
        _entries.id_of(draft, entry, "Id"),
        entry.text("Name"),
        level,
        _entries.text_of(draft, entry, "Description"),
        _entries.text_of(draft, entry, "Cause"),
        _entries.text_of(draft, entry, "Solution"),
        above[-1].name if above else "",
        line=entry.line,
    )


def _sections(text: str) -> list[Category]:
    sections = []
    lines = text.split("\n")
    for number, line in enumerate(lines, 1):
        if not line.lstrip().startswith("#"):
            continue
        if found := _SECTION.match(line):
            sections.append(
                Category(found["name"], number, int(found["first"]), int(found["last"]))
            )
        elif (found := _TITLE.match(line)) and _begins_a_list(lines[number:]):
            sections.append(Category(found["name"], number))
    return sections


def _begins_a_list(lines: list[str]) -> bool:
    """A comment is a section's title when the next thing is an entry."""
    return next((line.split()[0] == "-" for line in lines if line.strip()), False)
