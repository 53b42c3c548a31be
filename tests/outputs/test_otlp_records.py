"""Records in OpenTelemetry's protobuf, read back with OpenTelemetry's own classes."""

import json
import string

import pytest
from batches import record
from collector import attributes, log_records, plain
from google.protobuf.json_format import MessageToDict
from hypothesis import given, settings
from hypothesis import strategies as st
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest

from treering import _core

TIME_NS = 1795223880123456789


def encoded(*lines, resource=b"{}", scope=b"{}"):
    data = b"".join(line + b"\n" for line in lines)
    return ExportLogsServiceRequest.FromString(_core.otlp_logs(data, resource, scope))


def only(line):
    """The one record of a line, and its scope."""
    ((scope, found),) = log_records(encoded(line))
    return scope, found


def test_every_field_of_a_record_has_its_place():
    line = record(
        "Payment failed",
        level="ERROR",
        component="shop.till",
        category="api",
        event_id="101200001",
        event_name="PAYMENT_FAILED",
        cause="no money",
        module="shop",
        function="Till.pay",
        file="/srv/shop.py",
        line=7,
        process=12,
        thread=13,
        host="other",
        trace_id="0af7651916cd43dd8448eb211c80319c",
        span_id="b7ad6b7169203331",
        context={"request_id": "r-1"},
        metadata={"order": 42, "tags": ["a", None, {"b": 1.5}]},
        performance_data={"duration_ms": 3},
    )

    scope, found = only(line)
    assert scope.name == "shop.till"
    assert found.time_unix_nano == found.observed_time_unix_nano == TIME_NS
    assert (found.severity_number, found.severity_text) == (17, "ERROR")
    assert plain(found.body) == "Payment failed"
    assert found.event_name == "PAYMENT_FAILED"
    assert found.trace_id.hex() == "0af7651916cd43dd8448eb211c80319c"
    assert found.span_id.hex() == "b7ad6b7169203331"
    assert attributes(found.attributes) == {
        "treering.category": "api",
        "treering.event_id": "101200001",
        "treering.cause": "no money",
        "treering.module": "shop",
        "code.function.name": "Till.pay",
        "code.file.path": "/srv/shop.py",
        "code.line.number": 7,
        "process.pid": 12,
        "thread.id": 13,
        "host.name": "other",
        "order": 42,
        "tags": ["a", None, {"b": 1.5}],
        "request_id": "r-1",
        "duration_ms": 3,
    }


@pytest.mark.parametrize(
    ("level", "number"),
    [
        ("TRACE", 1),
        ("DEBUG", 5),
        ("INFO", 9),
        ("NOTICE", 10),
        ("WARNING", 13),
        ("Level 33", 13),
        ("ERROR", 17),
        ("CRITICAL", 21),
        ("SECURITY", 13),
        ("AUDIT", 9),
    ],
)
def test_a_level_has_its_severity_and_keeps_its_name(level, number):
    _, found = only(record("m", level=level))

    assert (found.severity_number, found.severity_text) == (number, level)


def test_an_exception_is_told_as_python_tells_it():
    frame = {"file": "shop.py", "line": 3, "function": "pay"}
    cause = {"type": "KeyError", "message": "'money'", "stack": [frame]}
    exception = {"type": "ValueError", "message": "no\nmoney", "stack": [frame], "cause": cause}
    _, found = only(record("m", exception=exception))

    told = attributes(found.attributes)
    assert told["exception.type"] == "ValueError"
    assert told["exception.message"] == "no\nmoney"
    assert told["exception.stacktrace"] == (
        "Traceback (most recent call last):\n"
        '  File "shop.py", line 3, in pay\n'
        "KeyError: 'money'\n"
        "\n"
        "The above exception was the direct cause of the following exception:\n"
        "\n"
        "Traceback (most recent call last):\n"
        '  File "shop.py", line 3, in pay\n'
        "ValueError: no\n"
        "money"
    )


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (2**63 - 1, 2**63 - 1),
        (-(2**63), -(2**63)),
        (2**63, "9223372036854775808"),
        (2**70, "1180591620717411303424"),
        (-(2**63) - 1, "-9223372036854775809"),
        (1e300, 1e300),
        (-0.0, -0.0),
        (True, True),
        (None, None),
        ("", ""),
        ([], []),
        ({}, {}),
        ({"": [{}]}, {"": [{}]}),
    ],
)
def test_a_value_keeps_its_type_and_its_digits(value, expected):
    _, found = only(record("m", metadata={"value": value}))

    got = attributes(found.attributes)["value"]
    assert got == expected
    assert type(got) is type(expected)


def test_records_of_a_component_are_one_scope_in_their_order():
    lines = [record(str(at), component=f"c{at % 2}") for at in range(6)]
    request = encoded(*lines, resource=b'{"service.name":"shop","n":3}', scope=b'{"team":"a"}')

    (resource,) = request.resource_logs
    assert attributes(resource.resource.attributes) == {"service.name": "shop", "n": 3}
    scopes = {one.scope.name: one for one in resource.scope_logs}
    assert {name: [plain(r.body) for r in one.log_records] for name, one in scopes.items()} == {
        "c0": ["0", "2", "4"],
        "c1": ["1", "3", "5"],
    }
    assert all(attributes(one.scope.attributes) == {"team": "a"} for one in scopes.values())


def test_values_nested_deeper_than_readers_take_are_text():
    value = "core"
    for _ in range(100):
        value = {"in": value}
    _, found = only(record("m", metadata={"deep": value}))

    depth, got = 0, attributes(found.attributes)["deep"]
    while isinstance(got, dict):
        depth, got = depth + 1, got["in"]
    assert depth == 24
    assert got.startswith('{"in":{"in":')
    assert got.count("in") == 100 - 24


@pytest.mark.parametrize(
    ("line", "body"),
    [
        (b"plain text", "plain text"),
        (b"broken \xff", "broken \\xff"),
        (b'{"message":"cut', '{"message":"cut'),
        (b'{"message":"m"} more', '{"message":"m"} more'),
        (b"[1,2]", "[1,2]"),
        (b'{"half":"\\ud800"}', '{"half":"\\ud800"}'),
        (b'{"message":01}', '{"message":01}'),
    ],
)
def test_a_line_that_is_no_record_is_the_body_of_one(line, body):
    scope, found = only(line)

    assert (plain(found.body), scope.name, len(found.attributes)) == (body, "", 0)
    assert found.time_unix_nano == 0
    assert found.observed_time_unix_nano > TIME_NS / 2


def test_what_does_not_mean_what_its_key_says_is_an_attribute():
    strange = {
        "timestamp": "yesterday",
        "level": "loud",
        "message": {"not": "text"},
        "trace_id": "00000000000000000000000000000000",
        "span_id": "short",
        "component": 5,
        "context": "text",
        "new key": [1],
    }
    scope, found = only(json.dumps(strange).encode())

    assert plain(found.body) == {"not": "text"}
    assert (scope.name, found.trace_id, found.span_id) == ("5", b"", b"")
    assert (found.severity_number, found.severity_text) == (0, "loud")
    assert found.time_unix_nano == 0
    assert attributes(found.attributes) == {
        "treering.timestamp": "yesterday",
        "treering.trace_id": "00000000000000000000000000000000",
        "treering.span_id": "short",
        "context": "text",
        "new key": [1],
    }


def test_fields_of_the_same_name_are_told_apart():
    line = record(
        "m", metadata={"user": 1, "thread.id": 2}, context={"user": "a", "us\u0065r_2": 3}, thread=4
    )
    _, found = only(line)

    assert attributes(found.attributes) == {
        "thread.id": 4,
        "user": 1,
        "thread.id_2": 2,
        "user_2": "a",
        "user_2_2": 3,
    }


def test_the_attributes_are_those_of_the_otel_format():
    from treering.outputs import formatter

    line = record(
        "m",
        category="api",
        file="a.py",
        line=3,
        metadata={"a": [1, {"b": None}], "c": 2**70},
        x="y",
    )
    (shown,) = formatter("otel").lines(line + b"\n", [0])
    _, found = only(line)

    written = {one["key"]: one["value"] for one in json.loads(shown)["attributes"]}
    assert written.pop("treering.component") == {"stringValue": "auth"}
    assert {one.key: MessageToDict(one.value) for one in found.attributes} == written


WORDS = st.text(max_size=12)
VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**80), 2**80)
    | st.floats(allow_nan=False, allow_infinity=False)
    | WORDS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(WORDS, inner, max_size=4),
    max_leaves=12,
)


def expected(value):
    if isinstance(value, list):
        return [expected(one) for one in value]
    if isinstance(value, dict):
        return {key: expected(one) for key, one in value.items()}
    if isinstance(value, int) and not -(2**63) <= value < 2**63:
        return str(value)
    return value


@settings(max_examples=100, deadline=None)
@given(
    message=st.text(),
    component=WORDS,
    metadata=st.dictionaries(WORDS, VALUES, max_size=6),
    escaped=st.booleans(),
    spaced=st.booleans(),
)
def test_every_record_reads_back_the_same(message, component, metadata, escaped, spaced):
    fields = {
        "timestamp": "2026-11-21T01:18:00.123456789Z",
        "level": "INFO",
        "component": component,
        "message": message,
        "metadata": metadata,
    }
    separators = (", ", ": ") if spaced else (",", ":")
    scope, found = only(json.dumps(fields, ensure_ascii=escaped, separators=separators).encode())

    assert (scope.name, plain(found.body)) == (component, message)
    assert attributes(found.attributes) == expected(metadata)


@settings(max_examples=100, deadline=None)
@given(data=st.lists(st.text(string.printable + "é\ud800", max_size=30) | st.binary(max_size=30)))
def test_whatever_a_line_holds_it_is_a_record(data):
    lines = [one if isinstance(one, bytes) else one.encode(errors="replace") for one in data]
    lines = [b"{" + line.replace(b"\n", b"") for line in lines]

    assert len(log_records(encoded(*lines))) == len(lines)


@pytest.mark.parametrize("resource", [b"", b"[]", b'{"a":', b"\xff"])
def test_a_resource_that_is_no_object_is_an_error(resource):
    with pytest.raises(ValueError, match="JSON objects"):
        _core.otlp_logs(b"", resource, b"{}")
