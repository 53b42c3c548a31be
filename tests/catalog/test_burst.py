"""Bursts of one event as one record."""

import pytest

from treering.catalog import BurstFilter


def record(text, at=0, **metadata):
    return {"timestamp": at, "message": text, "event_id": "1", "metadata": metadata}


def shown(records):
    return [(r["message"], r["timestamp"], r["metadata"].get("repetition")) for r in records]


def test_repetitions_are_counted_until_another_record_comes():
    burst = BurstFilter()

    passed = burst.write([record("a", at) for at in range(5)] + [record("b", 9)])

    assert shown(passed) == [("a", 0, None), ("a", 4, 4), ("b", 9, None)]
    assert burst.flush() == []


def test_a_full_window_is_told_though_the_burst_goes_on():
    burst = BurstFilter(window=1000)

    passed = burst.write(record("a", at) for at in range(2500))

    assert shown(passed) == [("a", 0, None), ("a", 1000, 1000), ("a", 2000, 1000)]
    assert shown(burst.flush()) == [("a", 2499, 499)]


def test_the_batches_do_not_matter():
    burst = BurstFilter()

    passed = [shown(burst.write([record("a", at)])) for at in range(3)]

    assert passed == [[("a", 0, None)], [], []]
    assert shown(burst.flush()) == [("a", 2, 2)]
    assert burst.flush() == []


def test_other_variables_are_another_text():
    passed = BurstFilter().write([record("a", fd=1), record("a", fd=2)])

    assert [r["metadata"] for r in passed] == [{"fd": 1}, {"fd": 2}]


def test_what_was_held_back_is_not_changed():
    held = record("a")
    burst = BurstFilter()

    burst.write([record("a"), held])
    (told,) = burst.flush()

    assert held["metadata"] == {} and told["metadata"] == {"repetition": 1}


def test_a_window_of_nothing_is_refused():
    with pytest.raises(ValueError, match="window is 0"):
        BurstFilter(0)
