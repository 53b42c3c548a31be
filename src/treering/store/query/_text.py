"""Searching words in columns, as SQL: first what is cheap and true of every match, then exactly."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from treering.store.query._ast import Regex, Value
from treering.store.query._sql import FALSE, TRUE, Fragment, all_of, any_of, build, value
from treering.store.query._values import json_text, text_of
from treering.store.query._words import Phrase, is_caseless, phrase

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from treering.store.query._fields import Source

_WORDS_OF_BOOLEANS = frozenset({"true", "false"})


def search(sources: Iterable[Source], wanted: Value) -> Fragment:
    """True where one value of one of the columns has the words, or matches."""
    if isinstance(wanted, Regex):
        return any_of(_matches(source, wanted.source) for source in sources)
    asked = phrase(wanted)
    return any_of(_says(source, asked) for source in sources)


def _matches(source: Source, regex: str) -> Fragment:
    def matches(text: Fragment) -> Fragment:
        return build("regexp_matches({}, {})", text, value(regex))

    return _in_leaves(source, matches) if source.kind == "json" else matches(text_of(source))


def _says(source: Source, asked: Phrase) -> Fragment:
    if not _can_say(source, asked):
        return FALSE
    if source.kind != "json":
        return _has(text_of(source), asked)
    cheap = asked.longest if asked.words else asked.literal
    if json.dumps(cheap, ensure_ascii=False) != f'"{cheap}"' or not cheap.isprintable():
        cheap = ""
    prefilter = _contains(source.column, cheap) if cheap else TRUE
    exact = _in_leaves(source, lambda text: _exactly(text, asked))
    return all_of([prefilter, exact])


def _has(text: Fragment, asked: Phrase) -> Fragment:
    """The phrase in a text."""
    if not asked.words:
        return _contains(text, asked.literal)
    prefilter = _contains(text, asked.longest) if asked.longest else TRUE
    return prefilter if _is_inside(asked) else all_of([prefilter, _exactly(text, asked)])


def _exactly(text: Fragment, asked: Phrase) -> Fragment:
    if not asked.words:
        return _contains(text, asked.literal)
    if _is_inside(asked):
        return _contains(text, asked.longest)
    return build("regexp_matches(lower({}), {})", text, value(asked.regex))


def _is_inside(asked: Phrase) -> bool:
    """It is asked for in the middle of words, hence anywhere."""
    return asked.words == (("", asked.longest, ""),)


def _contains(text: Fragment, piece: str) -> Fragment:
    if is_caseless(piece):
        return build("contains({}, {})", text, value(piece))
    if piece.isalnum():
        # The same as below, but nothing is written down in lower case.
        return build("{} ILIKE {}", text, value(f"%{piece}%"))
    return build("contains(lower({}), {})", text, value(piece))


def _in_leaves(source: Source, predicate: Callable[[Fragment], Fragment]) -> Fragment:
    """True where a value anywhere inside the JSON text is so."""
    leaf = Fragment("leaf")
    exact = predicate(json_text(leaf))
    return build(
        "len(list_filter(json_extract({}, '$..*'),"
        " lambda leaf: json_type(leaf) NOT IN ('OBJECT', 'ARRAY') AND {})) > 0",
        source.json if source.path else source.column,
        exact,
    )


def _can_say(source: Source, asked: Phrase) -> bool:
    """Columns of numbers and booleans hold few words: the others need not be looked for."""
    whole = asked.whole
    if source.kind == "boolean":
        return set(whole) <= _WORDS_OF_BOOLEANS
    if source.kind in {"integer", "double"}:
        return all(word[0].isdigit() for word in whole)
    return True
