"""What makes a catalog a good one: rules on all its events, whatever its format."""

from __future__ import annotations

import re
from itertools import pairwise
from typing import TYPE_CHECKING

from treering._levels import Level
from treering.catalog._catalog import quoted

if TYPE_CHECKING:
    from treering.catalog._catalog import Category, Draft
    from treering.catalog._event import Event

_NAME = re.compile(r"[A-Z][A-Z0-9]*(_[A-Z0-9]+)+")


def check(draft: Draft) -> None:
    """Adds findings on ids, names, ranges and sentences."""
    _categories(draft)
    _ids(draft)
    _names(draft)
    for event in draft.events:
        _sentences(draft, event)
        _remedy(draft, event)


def _categories(draft: Draft) -> None:
    names: dict[str, Category] = {}
    for category in draft.categories:
        first = names.setdefault(category.name, category)
        if first is not category:
            draft.warn(
                category.line,
                "repeated_section",
                f"section {quoted(category.name)} was there in line {first.line}",
            )
        if category.first is not None and category.first > (category.last or 0):
            draft.error(
                category.line, "bad_range", f"{category.first} is more than {category.last}"
            )
    with_range = [category for category in draft.categories if category.first is not None]
    with_range.sort(key=lambda category: (category.first or 0, category.line))
    for one, other in pairwise(with_range):
        if (one.last or 0) >= (other.first or 0):
            late, early = sorted((one, other), key=lambda category: -category.line)
            draft.warn(
                late.line,
                "overlapping_ranges",
                f"{_range(late)} overlaps {_range(early)} in line {early.line}",
            )


def _range(category: Category) -> str:
    return f"{quoted(category.name)} {category.first}-{category.last}"


def _ids(draft: Draft) -> None:
    seen: dict[int, Event[...]] = {}
    sections = {category.name: category for category in reversed(draft.categories)}
    for event in draft.events:
        if not event.id:
            continue
        line = event.line or 0
        first = seen.setdefault(int(event.id), event)
        if first is not event:
            draft.error(
                line,
                "duplicate_id",
                f"id {event.id} of {quoted(event.name)} is that of {quoted(first.name)}"
                f" in line {first.line}: the first stays",
            )
        if draft.is_foreign:
            above = [section for section in draft.categories if section.line < line]
            section = above[-1] if above else None
        else:
            section = sections.get(event.category)
            if section is None and draft.categories:
                draft.error(
                    line, "undeclared_category", f"id {event.id} is in no declared category"
                )
        if section is None or section.first is None:
            continue
        if not section.first <= int(event.id) <= (section.last or 0):
            draft.error(
                line,
                "id_out_of_range",
                f"id {event.id} of {quoted(event.name)} lies outside {_range(section)}",
            )


def _names(draft: Draft) -> None:
    seen: dict[str, Event[...]] = {}
    for event in draft.events:
        line = event.line or 0
        if not event.name:
            draft.error(line, "missing_name", f"event {event.id} has no name")
            continue
        first = seen.setdefault(event.name, event)
        if first is not event:
            draft.error(
                line, "duplicate_name", f"name {quoted(event.name)} was there in line {first.line}"
            )
        if not _NAME.fullmatch(event.name):
            draft.warn(
                line,
                "bad_name",
                f"name {quoted(event.name)} is not of the form CATEGORY_EVENT_CAUSE",
            )


def _sentences(draft: Draft, event: Event[...]) -> None:
    line = event.line or 0
    if not event.message:
        draft.lacks(line, "missing_message", f"{quoted(event.name)} has no message")
    for what, text in (
        ("message", event.message),
        ("cause", event.cause),
        ("solution", event.solution),
    ):
        if text and text[0].islower():
            draft.warn(
                line,
                "no_capital",
                f"the {what} {quoted(text)} does not begin with a capital letter",
            )
        if text and not text.endswith((".", "!", "?")):
            draft.warn(
                line, "no_full_stop", f"the {what} {quoted(text)} does not end with a full stop"
            )


def _remedy(draft: Draft, event: Event[...]) -> None:
    """Cause and solution are for erroneous events, and come together."""
    line = event.line or 0
    is_fine = event.level is not None and event.level < Level.WARNING
    if is_fine and (event.cause or event.solution):
        draft.warn(
            line,
            "cause_of_success",
            f"{quoted(event.name)} is no error, so it needs no cause and no solution",
        )
    if event.cause and not event.solution:
        draft.warn(line, "missing_solution", f"{quoted(event.name)} has a cause and no solution")
    if event.solution and not event.cause:
        draft.warn(line, "missing_cause", f"{quoted(event.name)} has a solution and no cause")
