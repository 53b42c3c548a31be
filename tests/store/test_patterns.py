"""The pipe `patterns`: what messages have in common."""

import pytest


def test_patterns_count_every_record_once(asked):
    rows = asked.store.search("| patterns").to_list()

    assert list(rows[0]) == ["pattern", "count", "share", "first", "last", "example"]
    assert sum(row["count"] for row in rows) == len(asked.shown)
    assert sum(row["share"] for row in rows) == pytest.approx(1)
    assert [row["count"] for row in rows] == sorted((row["count"] for row in rows), reverse=True)


def test_a_pattern_says_what_varies_and_where_it_was_seen(asked):
    failed = [index for index, line in asked.shown if b'"message":"failed ' in line]

    rows = asked.store.search("failed | patterns").to_list()

    assert rows[0]["pattern"] == "failed <*>"
    assert min(row["first"] for row in rows) == failed[0]
    assert max(row["last"] for row in rows) == failed[-1]
    assert all(row["example"].startswith("failed ") for row in rows)


def test_pipes_before_and_behind_patterns_hold(asked):
    shown = asked.store.search("| limit 50 | patterns | stats sum(count) as records").to_list()
    assert shown == [{"records": 50}]

    rows = asked.store.search(
        "| patterns 5 | where count>0 | sort first | fields pattern, first"
    ).to_list()
    assert 0 < len(rows) <= 5
    assert [row["first"] for row in rows] == sorted(row["first"] for row in rows)


def test_patterns_of_nothing_are_none(asked):
    assert asked.store.search("component:nobody | patterns").to_list() == []
