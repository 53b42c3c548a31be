"""Searching a journal, wherever its records lie."""

import json
from datetime import UTC, datetime

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from store.reference import search as reference

from treering.errors import QueryError
from treering.store.query import parse, parse_time

QUERIES = [
    "",
    "level>=ERROR",
    "timeout",
    '"timeout refused"',
    "Grüße",
    "component:auth",
    "component:auth*",
    "user_id:7",
    "metadata.user_id>35",
    "user_id:u11",
    "request:req-00000191",
    "ratio:[10 TO 20]",
    "performance_data.duration_ms>850 and not level:debug",
    "exception.type:ValueError",
    "broken",
    "path:/cache or path:/miss",
    "nothing-like-this",
    "/n1[0-9]5$/",
]
PIPES = [
    "| stats count() by level",
    "level>=WARNING | stats count(), avg(duration_ms), max(duration_ms) by component",
    "| top 5 user_id",
    "| sort -duration_ms | limit 7",
    "error | stats count_distinct(user_id) as users",
    "| timechart span=1s count()",
    "| fields level, user_id | limit 5",
    "exception.type:* | dedup component",
]


@pytest.mark.parametrize("query", QUERIES)
def test_what_is_found_is_what_the_slow_reference_finds(asked, query):
    _, expected = reference(parse(query), asked.shown)

    found = asked.store.search(query, limit=None, order="oldest")

    assert [record.index for record in found.records()] == expected


@pytest.mark.parametrize("query", QUERIES[:6])
def test_the_lines_are_those_of_the_journal_byte_for_byte(asked, query):
    known = dict(asked.lines)

    for record in asked.store.search(query, limit=500).records():
        assert record.line == known[record.index]


@pytest.mark.parametrize("query", PIPES)
def test_pipes_give_what_the_slow_reference_gives(asked, query):
    columns, expected = reference(parse(query), asked.shown)

    found = asked.store.search(query)

    if found.is_table:
        assert found.columns == tuple(columns)
        assert [close(row.values()) for row in found] == [close(row) for row in expected]
    else:
        assert [record.index for record in found.records()] == list(expected)


def close(row):
    """Comparable: numbers rounded, times as nanoseconds."""
    row = [parse_time(v, 0)[0] if str(v).endswith("Z") and "T" in v else v for v in row]
    return [
        float(f"{v:.9g}") if isinstance(v, float | int) and not isinstance(v, bool) else v
        for v in row
    ]


@pytest.mark.parametrize("order", ["newest", "oldest"])
def test_pages_follow_each_other_without_gap_or_repetition(asked, order):
    every = [index for index, line in asked.shown if b'"level":"ERROR"' in line]
    found, cursor = [], None
    while True:
        page = asked.store.search("level:ERROR", limit=17, order=order, cursor=cursor)
        found.extend(record.index for record in page.records())
        cursor = page.next_cursor
        if cursor is None:
            break

    assert found == (every if order == "oldest" else every[::-1])


@pytest.mark.parametrize("order", ["newest", "oldest"])
def test_the_way_back_shows_the_same_pages(asked, order):
    ask = asked.store.search
    first = ask("level:INFO", limit=10, order=order)
    second = ask("level:INFO", limit=10, order=order, cursor=first.next_cursor)
    back = ask("level:INFO", limit=10, order=order, cursor=second.previous_cursor)

    assert list(back.records()) == list(first.records())
    again = ask("level:INFO", limit=10, order=order, cursor=back.next_cursor)
    assert list(again.records()) == list(second.records())


def test_a_cursor_is_only_good_for_its_own_question(asked):
    cursor = asked.store.search("level:INFO", limit=3).next_cursor

    for text in (cursor[:-2], "x" + cursor, "", "ä", cursor):
        if text:
            with pytest.raises(QueryError) as caught:
                asked.store.search("level:ERROR", limit=3, cursor=text)
            assert caught.value.code == "cursor_invalid"


def test_parameters_mean_what_the_language_means(asked):
    times = [json.loads(line)["timestamp"] for _, line in asked.shown]
    start, end = times[300], times[900]
    moment = datetime.fromisoformat(end[:26] + "Z").astimezone(UTC)

    found = asked.store.search(
        level="warning", component="auth", start=start, end=moment, text="timeout", limit=None
    )

    expected = [
        index
        for index, line in asked.shown
        for record in [json.loads(line)]
        if start <= record["timestamp"] < moment.isoformat()[:26]
        and record["level"] in ("WARNING", "ERROR")
        and record["component"].split(".")[0] == "auth"
        and "timeout"
        in [*record["message"].split(), record.get("metadata", {}).get("path", "")[1:]]
    ]
    assert [record.index for record in found.records()] == expected[::-1] != []


def test_what_the_journal_says_is_hidden_unless_asked_for(asked):
    hidden = len(asked.lines) - len(asked.shown)

    assert hidden
    assert asked.store.count("") == len(asked.shown)
    assert len(list(asked.store.search(journal=True, limit=None).records())) == len(asked.lines)
    assert asked.store.count("component:treering.journal") == hidden


def test_a_result_becomes_arrow_and_frames(asked):
    expected = [record["index"] for record in asked.store.search("level:ERROR", limit=20)]

    ask = lambda: asked.store.search("level:ERROR", limit=20)  # noqa: E731
    table = ask().arrow().read_all()
    assert table.column("index").to_pylist() == expected
    assert set(table.column("level").to_pylist()) == {"ERROR"}
    assert list(ask().pandas()["index"]) == expected
    assert ask().polars()["index"].to_list() == expected
    assert ask().to_list()[0]["level"] == "ERROR"


def test_facets_count_the_most_frequent_values(asked):
    found = asked.store.facets("", ["component", "user_id"], limit=3)

    counts = {}
    for _, line in asked.shown:
        name = json.loads(line)["component"]
        counts[name] = counts.get(name, 0) + 1
    assert dict(found["component"]).items() <= counts.items()
    assert len(found["user_id"]) == 3


def test_a_histogram_counts_every_record_once(asked):
    rows = asked.store.histogram("", buckets=20).to_list()

    assert sum(row["count"] for row in rows) == len(asked.shown)
    assert len({row["timestamp"] for row in rows}) <= 21


def test_the_fields_are_listed_with_their_types(asked):
    fields = asked.store.fields()

    assert fields["metadata.user_id"].types == ("integer", "string")
    assert "integer" in fields["performance_data.duration_ms"].types
    assert fields["level"].count == len(asked.shown)


@pytest.mark.parametrize("same", ["none", "component", "process"])
def test_context_is_what_stands_around(asked, same):
    key = {"component": "component", "process": "process"}.get(same)
    index, line = asked.shown[1000]
    mine = json.loads(line)
    around = [each for each in asked.shown if key is None or json.loads(each[1])[key] == mine[key]]
    at = around.index((index, line))

    found = asked.store.context(index, before=3, after=4, same=same)

    assert [(record.index, record.line) for record in found] == around[at - 3 : at + 5]


def test_context_of_no_record_is_an_error(asked):
    with pytest.raises(QueryError, match="there is no record 99999999"):
        asked.store.context(99_999_999)


words = st.sampled_from(
    "timeout refused cache n17 Grüße level:ERROR component:auth user_id:7".split()
)


@settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    st.recursive(
        words,
        lambda inner: st.one_of(
            st.tuples(inner, inner).map(lambda two: f"({two[0]} or {two[1]})"),
            st.tuples(inner, inner).map(lambda two: f"({two[0]} {two[1]})"),
            inner.map(lambda one: f"not {one}"),
        ),
        max_leaves=5,
    )
)
def test_any_combination_finds_what_the_reference_finds(asked, query):
    _, expected = reference(parse(query), asked.shown)

    assert [
        r.index for r in asked.store.search(query, limit=None, order="oldest").records()
    ] == expected
