"""Values of any type in their canonical form."""

import datetime
import decimal
import enum
import json
import math
import pathlib
import uuid
from collections import OrderedDict, namedtuple
from dataclasses import dataclass

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import treering

TEXT = st.text(st.characters(codec=None, exclude_categories=()), max_size=60)
SCALARS = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | TEXT
)
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=5) | st.dictionaries(TEXT, inner, max_size=5),
    max_leaves=20,
)


def visible(value):
    """What a value reads as afterwards: lone surrogates have become visible text."""
    if isinstance(value, str):
        return value.encode("utf-8", "backslashreplace").decode()
    if isinstance(value, list):
        return [visible(item) for item in value]
    if isinstance(value, dict):
        return {visible(key): visible(item) for key, item in value.items()}
    return value


@pytest.fixture
def logged(logs, journal):
    """Logs one value as a field, card numbers too; gives the field and the raw line back."""
    treering.configure(directory=journal, console=False, level="TRACE", redaction=False)
    log = treering.get_logger("values")
    from treering import _core

    log.info("first")
    assert treering.flush(10)
    reader = _core.Reader(str(journal))
    reader.read(1 << 30)

    def one(value, message="m"):
        log.info(message, value=value)
        assert treering.flush(10)
        _, lines = reader.read(1 << 30)
        record = json.loads(lines)
        return record["metadata"]["value"], lines, record

    return one


@settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
@given(value=VALUES)
def test_any_nested_value_reads_back_with_the_standard_json_module(logged, value):
    field, line, _ = logged(value)
    again, second, _ = logged(field)

    assert field == visible(value)
    assert again == field
    # Encode, decode, encode: the same bytes, from the field on.
    assert second.partition(b'"metadata":')[2] == line.partition(b'"metadata":')[2]
    assert line.count(b"\n") == 1 and len(line.decode().splitlines()) == 1


@settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
@given(text=TEXT)
def test_any_text_is_a_message_and_never_forges_a_line(logged, text):
    _, line, record = logged(1, message=text)

    assert record["message"] == visible(text)
    assert not any(byte < 0x20 or byte == 0x7F for byte in line[:-1])


@settings(max_examples=100, deadline=None, suppress_health_check=list(HealthCheck))
@given(number=st.floats())
def test_floats_read_as_repr(logged, number):
    field, line, _ = logged(number)

    if math.isfinite(number):
        assert b'"value":' + repr(number).encode() + b"}" in line
    else:
        assert field == {"nan": "NaN", "inf": "Infinity", "-inf": "-Infinity"}[str(number)]


class Colour(enum.Enum):
    RED = "red"


class Number(enum.IntEnum):
    ONE = 1


@dataclass
class Point:
    x: int
    y: object


class Named(namedtuple("Named", "a b")):
    pass


class Words(str):
    __slots__ = ()


class Strange:
    def __str__(self):
        return "strange"


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (b"bytes \xff", "bytes \\xff"),
        (bytearray(b"abc"), "abc"),
        (datetime.datetime(2026, 1, 2, 3, 4, 5, tzinfo=datetime.UTC), "2026-01-02T03:04:05+00:00"),
        (datetime.date(2026, 1, 2), "2026-01-02"),
        (datetime.time(3, 4), "03:04:00"),
        (datetime.timedelta(minutes=1, milliseconds=5), 60.005),
        (uuid.UUID(int=7), "00000000-0000-0000-0000-000000000007"),
        (decimal.Decimal("1.10"), "1.10"),
        (Colour.RED, "red"),
        (Number.ONE, 1),
        (treering.LogCategory.API, "api"),
        (pathlib.PurePosixPath("/a/b"), "/a/b"),
        (Point(1, [Colour.RED]), {"x": 1, "y": ["red"]}),
        (Named(1, 2), {"a": 1, "b": 2}),
        (OrderedDict(z=1, a=2), {"z": 1, "a": 2}),
        ((1, "two"), [1, "two"]),
        ({3}, [3]),
        (frozenset({"x"}), ["x"]),
        (Words("words"), "words"),
        (Strange(), "strange"),
        (ValueError("bad"), "ValueError: bad"),
        (10**30, 10**30),
        (10**5000, "<int too large>"),
        (True, True),
        (
            {1: "a", "1": "last wins", None: "b", False: "c", (1, 2): "d", 0.5: "e"},
            {"1": "last wins", "null": "b", "false": "c", "(1, 2)": "d", "0.5": "e"},
        ),
        (list(range(1002)), [*range(1000), "<... 2 more>"]),
    ],
    ids=lambda value: type(value).__name__,
)
def test_values_have_their_natural_form(logged, value, expected):
    field, _, _ = logged(value)

    assert field == expected


def test_other_libraries_objects_are_shown_by_what_they_hold(logged):
    class Struct:  # as msgspec's
        __struct_fields__ = ("a",)
        a = 1

    class Model:  # as pydantic's
        __pydantic_fields__ = {"b": object()}
        b = 2

    assert logged(Struct())[0] == {"a": 1}
    assert logged(Model())[0] == {"b": 2}


def test_cycles_and_depth_are_marked(logged):
    cycle = []
    cycle.append(cycle)
    deep = value = []
    for _ in range(40):
        value.append([])
        value = value[0]

    assert logged(cycle)[0] == ["<cycle>"]
    assert "<too deep>" in json.dumps(logged(deep)[0])
    assert logged([1, [1]] * 2)[0] == [1, [1], 1, [1]]


def test_a_message_that_is_too_long_is_cut_visibly_and_counted(logged):
    treering_before = treering.statistics()["truncated"]

    _, _, record = logged(1, message="x" * 100_000)

    assert record["message"].endswith("…<34464 more bytes>")
    assert treering.statistics()["truncated"] == treering_before + 1


def test_a_record_that_no_ring_could_take_is_shortened(logged):
    field, _, record = logged(1, message="short")
    log = treering.get_logger("values")
    log.info("huge", value="y" * 3_000_000, small=1)
    assert treering.flush(10)
    assert field == 1 and record["message"] == "short"
    assert treering.statistics()["truncated"] >= 1
