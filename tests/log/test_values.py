"""Every kind of value in its canonical form."""

import dataclasses
import datetime
import decimal
import enum
import json
import math
import pathlib
import uuid
from collections import namedtuple

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import treering

log = treering.get_logger("values")

anything = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(exclude_categories=[])),
    lambda inner: (
        st.lists(inner, max_size=5)
        | st.dictionaries(st.text(st.characters(exclude_categories=[])), inner, max_size=5)
    ),
    max_leaves=20,
)


def visible(value):
    """The value with lone surrogates as the text they are shown as."""
    if isinstance(value, str):
        return value.encode("utf-8", "backslashreplace").decode()
    if isinstance(value, list):
        return [visible(item) for item in value]
    if isinstance(value, dict):
        return {visible(key): visible(item) for key, item in value.items()}
    return value


def only(logs):
    (record,) = logs()[-1:]
    return record


quick = settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


@quick
@given(value=anything)
def test_nested_values_read_back_as_json_has_them(logs, value):
    log.info("m", value=value)

    assert json.dumps(only(logs)["metadata"]["value"]) == json.dumps(visible(value))


@quick
@given(text=st.text(st.characters(exclude_categories=[]), max_size=200))
def test_any_text_is_a_message(logs, text):
    log.info(text)

    assert only(logs).get("message", "") == visible(text)


@quick
@given(value=anything)
def test_encoding_what_was_decoded_changes_nothing(logs, value):
    log.info("m", value=value)
    first = only(logs)["metadata"]["value"]
    log.info("m", value=first)

    assert only(logs)["metadata"]["value"] == first


class Colour(enum.Enum):
    RED = "red"


class Number(enum.IntEnum):
    ONE = 1


@dataclasses.dataclass
class Point:
    x: int
    y: object = None


Pair = namedtuple("Pair", "left right")


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (2**63 - 1, 2**63 - 1),
        (-(2**63), -(2**63)),
        (2**200, 2**200),
        (math.nan, "NaN"),
        (math.inf, "Infinity"),
        (-math.inf, "-Infinity"),
        (b"caf\xc3\xa9", "café"),
        (b"\xff\x00", "\\xff\x00"),
        (bytearray(b"ab"), "ab"),
        ((1, 2), [1, 2]),
        ({3}, [3]),
        (frozenset({4}), [4]),
        ({None: 1, True: 2, 1.5: 3}, {"null": 1, "true": 2, "1.5": 3}),
        ({1: "a", "1": "b"}, {"1": "b"}),
        (datetime.datetime(2026, 1, 2, 3, 4, 5), "2026-01-02T03:04:05"),
        (datetime.date(2026, 1, 2), "2026-01-02"),
        (datetime.time(1, 2), "01:02:00"),
        (datetime.timedelta(minutes=1.5), 90.0),
        (uuid.UUID(int=1), "00000000-0000-0000-0000-000000000001"),
        (decimal.Decimal("1.10"), "1.10"),
        (Colour.RED, "red"),
        (Number.ONE, 1),
        (pathlib.PurePosixPath("/a/b"), "/a/b"),
        (Point(1, Point(2)), {"x": 1, "y": {"x": 2, "y": None}}),
        (Pair(1, 2), {"left": 1, "right": 2}),
        (1 + 2j, "(1+2j)"),
        (int, "<class 'int'>"),
        (Point, f"{Point!r}"),
        (Colour, f"{Colour!r}"),
    ],
    ids=repr,
)
def test_a_value_has_its_natural_form(logs, value, expected):
    log.info("m", value=value)

    assert only(logs)["metadata"]["value"] == expected


def test_floats_are_written_as_python_writes_them(logs, journal):
    for value in (0.1, -0.0, 1e16, 1e-7, 5e-324, 1.7976931348623157e308):
        log.info("m", value=value)

    logs()
    text = "".join(path.read_text() for path in (journal / "active").iterdir())
    for value in (0.1, -0.0, 1e16, 1e-7, 5e-324, 1.7976931348623157e308):
        assert f'"value":{value!r}}}' in text


def test_control_characters_never_reach_the_file(logs, journal):
    log.info("a\x1b[31m\n\u2028\x9b\x7f", value="\x00\u2029")

    logs()
    text = b"".join(path.read_bytes() for path in (journal / "active").iterdir()).decode()
    assert not set(text) & set("\x1b\u2028\u2029\x9b\x7f\x00")
    assert only(logs)["message"] == "a\x1b[31m\n\u2028\x9b\x7f"


def test_cycles_and_depth_are_marked(logs):
    cycle = []
    cycle.append(cycle)
    deep = 1
    for _ in range(30):
        deep = [deep]
    log.info("m", cycle=cycle, deep=deep)

    metadata = only(logs)["metadata"]
    assert metadata["cycle"] == ["<cycle>"]
    assert "<too deep>" in json.dumps(metadata["deep"])


def test_long_containers_say_how_much_is_missing(logs):
    log.info("m", items=list(range(1234)), keys={str(i): i for i in range(1234)})

    metadata = only(logs)["metadata"]
    assert metadata["items"][999:] == [999, "<... 234 more>"]
    assert metadata["keys"]["..."] == "<... 234 more>"


def test_an_integer_beyond_the_digit_limit_is_marked(logs):
    log.info("m", value=10**5000)

    assert only(logs)["metadata"]["value"] == "<int too large>"
