"""PoseidonOS's filter policy files."""

import pytest

from treering import ConfigurationError
from treering.catalog import EventFilter


@pytest.mark.parametrize(
    ("text", "passing"),
    [
        ("", [1, 2000, 2500, 3000, 3001]),
        ("include: 2000-3000\n", [2000, 2500, 3000]),
        ("include:1\ninclude: 3001\n", [1, 3001]),
        ("exclude: 2000-3000", [1, 3001]),
        ("include: 2000 - 3000 , 1\nexclude: 2500,3001\n", [1, 2000, 2500, 3000]),
        ("exclude: 2000-3000\nexclude:1", [3001]),
        ("# only: these\ninclude: 1\r\n", [1]),
        ("# without a colon\n\ninclude: 1\n", [1]),
    ],
)
def test_what_is_included_or_not_excluded_passes(text, passing):
    chosen = EventFilter.parse(text)

    assert [number for number in (1, 2000, 2500, 3000, 3001) if chosen.passes(number)] == passing


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("include 1", r"f:1: 'include 1' is not usable: 'include: LIST'"),
        ("include: 1\ninclud: 2", r"f:2: 'includ: 2'"),
        ("include:", r"f:1: '' is not usable: a number or a range"),
        ("include: 1,,2", r"f:1: ''"),
        ("include: 1;2", r"f:1: '1;2'"),
        ("exclude: 3000-2000", r"f:1: '3000-2000'"),
        ("exclude: 1-2-3", r"f:1: '1-2-3'"),
        ("exclude: -1", r"f:1: '-1'"),
        ("exclude: ²", r"f:1: '²'"),
        ("exclude: " + "9" * 5000, r"f:1: '9"),
    ],
)
def test_a_line_that_means_nothing_is_refused_by_its_number(text, words):
    with pytest.raises(ConfigurationError, match=words) as refused:
        EventFilter.parse(text, "f")

    assert refused.value.code == "event_filter_invalid"


def test_a_missing_file_is_refused(tmp_path):
    with pytest.raises(ConfigurationError, match="cannot be read") as refused:
        EventFilter.load(tmp_path / "filter")

    assert refused.value.code == "event_filter_missing"


def test_records_pass_by_the_number_of_their_event(tmp_path):
    (tmp_path / "filter").write_text("include: 13000001\n")
    only = EventFilter.load(tmp_path / "filter")
    without = EventFilter.parse("exclude: 13000001\n")

    for record, included in [
        ({"event_id": "013000001"}, True),
        ({"event_id": "013000002"}, False),
        ({"message": "no event"}, False),
        ({"event_id": "9" * 5000}, False),
    ]:
        assert only.passes(record) is included
        assert without.passes(record) is not included
