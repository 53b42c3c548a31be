"""Patterns, differences and performance of records."""

import json
import random
from math import log

import pytest
import recorded

from treering.analysis import diff, patterns, performance
from treering.analysis._significance import adjusted, likelihood_ratio, log2_ratio, p_value
from treering.errors import ConfigurationError

HALF = recorded.at(3600)


@pytest.fixture(scope="module")
def lines():
    return recorded.story()


def test_patterns_count_every_record_once(lines):
    found = patterns(lines)
    assert sum(one.count for one in found) == found.records == len(lines)
    assert sum(one.share for one in found) == pytest.approx(1)


def test_patterns_say_where_when_and_how_bad(lines):
    found = {(one.template, one.component): one for one in patterns(lines)}
    refused = found["Order <*> refused: card expired", "web"]
    assert refused.place == "shop.py:30"
    assert refused.levels == {"ERROR": refused.count}
    assert refused.slope < -1
    assert sum(refused.trend) == refused.count
    assert refused.trend[12:] == (0,) * 12
    assert refused.last_seen.isoformat() < HALF
    assert refused.examples[0].startswith("Order ")
    assert abs(found["Cache hit", "web"].slope) < 0.5


def test_a_pattern_is_new_when_it_was_not_there_before(lines):
    new = {one.template for one in patterns(lines, new_since=HALF) if one.is_new}
    assert len(new) == 1
    assert new.pop().startswith("Connection to host")


def test_times_choose_records(lines):
    first = patterns(lines, end=HALF)
    second = patterns(lines, start=HALF)
    assert first.records + second.records == len(lines)
    assert not any("Connection" in one.template for one in first)


def test_records_may_come_as_mappings_pairs_or_text(lines):
    expected = [(one.template, one.count) for one in patterns(lines)]
    for source in (
        [json.loads(line) for line in lines],
        [(index + 5, line) for index, line in enumerate(lines)],
        (line.decode() for line in lines),
    ):
        assert [(one.template, one.count) for one in patterns(source)] == expected


def test_foreign_text_has_patterns_too():
    found = patterns([f"peer {at} has gone".encode() for at in range(9)])
    assert [(one.template, one.count, one.first_seen) for one in found] == [
        ("peer <*> has gone", 9, None)
    ]


def test_nothing_has_no_patterns():
    assert len(patterns([])) == 0


def test_a_query_needs_a_store(lines):
    with pytest.raises(ConfigurationError, match="needs a Store"):
        patterns(lines, query="level:error")


def test_a_time_that_is_none_is_refused(lines):
    with pytest.raises(ConfigurationError, match="new_since is 'yesterday'"):
        patterns(lines, new_since="yesterday")


def test_a_text_is_no_source():
    with pytest.raises(ConfigurationError, match="cannot be taken from str"):
        patterns("a path?")


def test_a_difference_names_what_is_new_what_is_gone_and_what_grew(lines):
    found = diff(lines, (None, HALF), (HALF, None))
    new = {one.name for one in found.patterns if one.is_new}
    gone = {one.name for one in found.patterns if one.is_gone}
    assert all("Connection to host" in name for name in new)
    assert gone == {"Order <*> refused: card expired"}
    status = next(
        one for one in found.fields if (one.name, one.value) == ("metadata.status", "500")
    )
    assert status.is_new
    assert status.q_value < 1e-6
    assert found.before + found.after == len(lines)
    assert "context.user_id" in found.not_compared


def test_equal_halves_do_not_differ():
    chance = random.Random(3)
    lines = [
        recorded.line(at, "INFO", "web", f"Message of kind {chance.choice('abcdefgh')} came", 10)
        for at in range(4000)
    ]
    chance.shuffle(lines)
    found = diff(lines[:2000], other=lines[2000:])
    assert not found.patterns
    assert not found.fields


def test_the_statistics_are_those_of_the_books():
    by_hand = 10 * log(10 / 20) + 30 * log(30 / 20) + 90 * log(90 / 80) + 70 * log(70 / 80)
    assert likelihood_ratio(10, 100, 30, 100) == pytest.approx(2 * by_hand)
    assert p_value(3.841459) == pytest.approx(0.05, abs=1e-6)
    assert likelihood_ratio(5, 50, 10, 100) == pytest.approx(0)
    # The example of Benjamini and Hochberg (1995), section 3.2: four of fifteen at 0.05.
    p_values = [
        *(0.0001, 0.0004, 0.0019, 0.0095, 0.0201, 0.0278, 0.0298, 0.0344, 0.0459),
        *(0.3240, 0.4262, 0.5719, 0.6528, 0.7590, 1.0),
    ]
    assert sum(rate <= 0.05 for rate in adjusted(p_values)) == 4
    assert log2_ratio(100, 1000, 200, 1000) == pytest.approx(1, abs=0.01)


def test_percentiles_are_those_of_the_values(lines):
    found = performance(lines)
    values = sorted(
        json.loads(line)["performance_data"]["duration_ms"]
        for line in lines
        if b'"component":"web"' in line and b"duration_ms" in line
    )
    web = next(group for group in found.groups if group.name == "web")
    assert web.measured == len(values)
    assert web.max == values[-1]
    assert web.p50 == pytest.approx(values[len(values) // 2], rel=0.02)
    assert found.slowest[0].value == max(slow.value for slow in found.slowest) >= values[-1]


def test_any_field_can_be_measured_and_grouped_by(lines):
    found = performance(lines, field="context.user_id", by="status")
    assert {group.name for group in found.groups} == {"", "200", "500"}
    assert all(slow.value <= 5000 for slow in found.slowest)


def test_rates_have_no_holes_and_add_up(lines):
    found = performance(lines, interval_s=60)
    assert len(found.rates) == 121
    assert sum(rate.count for rate in found.rates) == len(lines)
    assert sum(rate.errors for rate in found.rates) == found.errors == 400


def test_the_silence_of_a_component_is_found_and_only_that(lines):
    silent = performance(lines).silences
    assert [one.component for one in silent] == ["db"]
    assert silent[0].duration_s == pytest.approx(720, rel=0.05)
    assert silent[0].has_ended


def test_a_component_that_stopped_is_still_silent(lines):
    stopped = [line for line in lines if b'"db"' not in line or line < lines[400]]
    found = performance(stopped).silences
    assert ("db", False) in {(one.component, one.has_ended) for one in found}


def test_a_burst_stands_out():
    lines = [recorded.line(at, "INFO", "web", "tick", 1) for at in range(3600)]
    lines += [recorded.line(1800 + at / 50, "ERROR", "web", "boom", 2) for at in range(500)]
    found = performance(lines, interval_s=60).bursts
    assert {burst.what for burst in found} == {"records", "errors"}
    assert {burst.begin.isoformat() for burst in found} == {"2026-09-21T14:43:00+00:00"}


def test_too_many_intervals_are_refused(lines):
    with pytest.raises(ConfigurationError, match="at most 10,000"):
        performance(lines, interval_s=0.001)


def test_names_of_fields_cannot_become_sql(lines):
    hostile = """x'); DROP TABLE measured; --"]"""
    found = performance(lines[:50], field=hostile, by=hostile)
    assert found.records == 50
    assert [group.name for group in found.groups] == [""]
