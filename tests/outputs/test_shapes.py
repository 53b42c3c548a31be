"""Shapes of records for machines, and what no record may do to them."""

import json
import re
import time
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from looks import FAILED, OBEYED, RECORD, STDLIB, TRACEBACK, made
from programs import records, run

from treering.outputs import PRESETS, SHAPES


def test_exceptions_are_in_every_shape():
    shape = {name: made(name, FAILED) for name in SHAPES}
    parsed = {name: json.loads(text) for name, text in shape.items() if text.startswith("{")}

    assert parsed["netlink"]["stack_trace"] == TRACEBACK
    assert parsed["poseidonos"]["description"]["trace"] == TRACEBACK
    assert parsed["poseidonos-flat"]["trace"] == TRACEBACK
    assert parsed["ecs"]["error"] == {
        "type": "ValueError",
        "message": "no\nway",
        "stack_trace": TRACEBACK,
    }
    assert parsed["gelf"]["full_message"] == f"{RECORD['message']}\n{TRACEBACK}"
    attributes = {each["key"]: each["value"] for each in parsed["otel"]["attributes"]}
    assert attributes["exception.stacktrace"] == {"stringValue": TRACEBACK}
    for name in ("logfmt", "rfc5424", "rfc3164"):
        assert r"ValueError: no\n" in shape[name].replace("\\\\", "\\")
    assert made("%m  %{exception}", FAILED) == r'Token "x" refused  ValueError: no\nway'
    assert made("%m  %{exception}") == 'Token "x" refused'


@pytest.mark.parametrize(
    ("level", "syslog", "otel"),
    [
        ("TRACE", 7, 1),
        ("DEBUG", 7, 5),
        ("INFO", 6, 9),
        ("NOTICE", 5, 10),
        ("WARNING", 4, 13),
        ("ERROR", 3, 17),
        ("CRITICAL", 2, 21),
        ("SECURITY", 4, 13),
        ("AUDIT", 5, 9),
        ("Level 27", 5, 10),
        ("no level", 5, 0),
    ],
)
def test_levels_have_the_severities_of_the_standards(level, syslog, otel):
    record = {**RECORD, "level": level}

    assert json.loads(made("gelf", record))["level"] == syslog
    assert made("rfc5424", record, facility="local0").startswith(f"<{128 + syslog}>1 ")
    assert made("rfc3164", record).startswith(f"<{8 + syslog}>Nov 21 10:30:45 ")
    severity = json.loads(made("otel", record))
    assert (severity["severityNumber"], severity["severityText"]) == (otel, level)


# Any text, and text that means something to terminals and formats more often than chance has it.
HOSTILE = st.one_of(
    st.text(max_size=20),
    st.text(st.sampled_from('\x00\n\r\x1b\x7f\x85\x9b\u2028\u202e\u2066"\\]=% a_'), max_size=12),
    st.sampled_from(["", "id", "message", "user_id", "a.b", "timestamp", "'", "null", "é" * 40]),
)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False)
    | HOSTILE,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(HOSTILE, inner, max_size=3),
    max_leaves=6,
)  # fmt: skip
FIELDS = st.dictionaries(HOSTILE, VALUES, max_size=4)
RECORDS = st.fixed_dictionaries(
    {
        "timestamp": st.just(RECORD["timestamp"]) | HOSTILE,
        "level": st.sampled_from(["INFO", "AUDIT", "Level 27"]) | HOSTILE,
        "component": HOSTILE,
        "message": HOSTILE,
    },
    optional={
        **dict.fromkeys(("category", "event_id", "event_name", "cause", "file", "host"), HOSTILE),
        **dict.fromkeys(("line", "process", "trace_id", "exception", "other"), VALUES),
        **dict.fromkeys(("context", "metadata", "performance_data"), FIELDS),
    },
)
MESSAGES = {
    "gelf": lambda shape: shape["short_message"],
    "otel": lambda shape: shape["body"]["stringValue"],
    "poseidonos": lambda shape: shape["description"]["message"],
}


def hostile(test):
    return settings(max_examples=60, deadline=None)(given(RECORDS)(test))


@hostile
def test_no_record_makes_more_than_one_line_or_anything_a_terminal_obeys(record):
    for name in (*PRESETS, *SHAPES, *STDLIB, "%m %{fields} %{traceback} %{a.b}"):
        if name != "treering":
            assert not OBEYED.search(made(name, record)), name


@hostile
def test_json_shapes_are_one_object_with_the_records_message(record):
    for name in (
        "treering",
        "netlink",
        "poseidonos",
        "poseidonos-flat",
        "ecs",
        "otel",
        "gelf",
        "JSON",
    ):
        shape = json.loads(made(name, record), object_pairs_hook=unique)
        message = MESSAGES.get(name, lambda shape: shape["message"])(shape)
        assert message == record["message"] or (name, message) == ("gelf", "-")


def unique(pairs):
    names = [name for name, _ in pairs]
    assert len(names) == len(set(names)), "a name stands once in an object"
    return dict(pairs)


# RFC 5424, section 6, as it stands there.
PRINTABLE = "[\x21-\x7e]"
NAME = r"[\x21\x23-\x3c\x3e-\x5c\x5e-\x7e]{1,32}"
PARAM = rf' {NAME}="(?:[^"\\\]]|\\["\\\]])*"'
RFC5424 = re.compile(
    rf"<(?P<pri>0|[1-9]\d{{0,2}})>1 "
    r"(?:-|\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{1,6}Z) "
    rf"(?:{PRINTABLE}{{1,255}}) (?P<app>{PRINTABLE}{{1,48}}) {PRINTABLE}{{1,128}} {PRINTABLE}{{1,32}} "
    rf"\[{NAME}(?P<params>(?:{PARAM})*)\]"
    r"(?: (?P<message>\ufeff.*|[\x20-\x7e]*))?",
    re.DOTALL,
)


@hostile
def test_rfc_5424_messages_are_what_the_rfc_says(record):
    found = RFC5424.fullmatch(made("rfc5424", record))

    assert found, made("rfc5424", record)
    assert int(found["pri"]) <= 191
    names = re.findall(rf" ({NAME})=", re.sub(r'"(?:[^"\\]|\\.)*"', '""', found["params"]))
    assert len(names) == len(set(names))
    if not OBEYED.search(record["message"]):
        assert (found["message"] or "").removeprefix("\ufeff") == record["message"]


def test_rfc_5424_options_are_in_the_header():
    text = made(
        "rfc5424",
        facility="10",
        hostname="h",
        app_name="app",
        procid="p",
        msgid="m",
        enterprise="99",
    )
    assert text.startswith('<84>1 2026-11-21T10:30:45.123456Z h app p m [treering@99 index="7" ')
    assert "[ours user_id" not in made("rfc5424", sd_id="ours")
    assert " [ours index=" in made("rfc5424", sd_id="ours")
    accented = {**RECORD, "message": "é"}
    assert made("rfc5424", accented).endswith("] \ufeffé")
    assert made("rfc5424", accented, bom="false").endswith("] é")


@pytest.mark.filterwarnings("ignore:module 'sre_:DeprecationWarning")
def test_another_parser_reads_our_rfc_5424():
    from syslog_rfc5424_parser import SyslogMessage

    record = {**RECORD, "metadata": {'a "b"]': 'c]"d', "n": None}, "event_name": "TOKEN_REFUSED"}
    found = SyslogMessage.parse(made("rfc5424", record, hostname="h")).as_dict()

    assert (found["severity"], found["facility"]) == ("warning", "user")
    assert (found["appname"], found["procid"], found["msgid"]) == ("auth", 4711, "TOKEN_REFUSED")
    assert found["msg"] == record["message"]
    assert found["sd"]["treering@32473"]["request_id"] == "r 1"
    assert found["sd"]["treering@32473"]["n"] == "null"


@hostile
def test_gelf_keeps_its_rules(record):
    shape = json.loads(made("gelf", record))

    assert shape["version"] == "1.1"
    assert shape["host"]
    assert shape["short_message"]
    assert shape["level"] in range(8)
    assert "_id" not in shape
    ours = {"version", "host", "short_message", "full_message", "timestamp", "level"}
    for name, value in shape.items():
        assert name in ours or re.fullmatch(r"_[\w.\-]+", name, re.ASCII), name
        assert isinstance(value, (str, int, float))
        assert not isinstance(value, bool)
    assert made("gelf", {"message": "m", "metadata": {"id": 7}}).endswith('"_id_":7}')


@hostile
def test_ecs_keeps_the_rules_of_its_logging_specification(record):
    shape = json.loads(made("ecs", record))
    time_first = ["@timestamp"] if "@timestamp" in shape else []

    assert list(shape)[: 3 + len(time_first)] == [
        *time_first,
        "log.level",
        "message",
        "ecs.version",
    ]
    if record["timestamp"] == RECORD["timestamp"]:
        assert shape["@timestamp"] == RECORD["timestamp"]
    assert all(isinstance(value, str) for value in shape.get("labels", {}).values())
    assert not any("." in name for name in shape.get("labels", {}))
    assert isinstance(shape.get("process", {}).get("pid", 0), int)


def test_ecs_names_the_service_that_it_is_told():
    shape = json.loads(made("ecs", service_name="shop", service_version="1"))
    assert shape["service"] == {"name": "shop", "version": "1"}


@hostile
def test_poseidonos_flat_is_valid_against_the_projects_own_schema(record):
    import jsonschema

    path = Path(__file__).parent / "poseidonos_log_entry.schema.json"
    jsonschema.validate(json.loads(made("poseidonos-flat", record)), json.loads(path.read_text()))


def test_poseidonos_entries_have_the_keys_of_the_guide_and_real_dates():
    event = {
        **RECORD,
        "event_id": "032000034",
        "event_name": "ARRAY_CREATE_FAILURE",
        "cause": "Array name has a special character.",
        "metadata": {"array_name": "arr@y1", "error_code": 301},
    }
    shape = json.loads(made("poseidonos", event, instance_id="1638929401", version="pos-v0.10.0"))

    assert shape == {
        "instanceId": 1638929401,
        "eventId": 32000034,
        "datetime": "2026-11-21 10:30:45.123",
        "level": "warning",
        "description": {
            "eventName": "ARRAY_CREATE_FAILURE",
            "message": RECORD["message"],
            "cause": "Array name has a special character.",
            "trace": "",
            "variables": [{"array_name": "arr@y1"}, {"error_code": 301}, {"request_id": "r 1"}],
        },
        "source": "auth.py:42",
        "posVersion": "pos-v0.10.0",
    }
    flat = json.loads(made("poseidonos-flat", event))
    assert (flat["errorCode"], flat["moduleName"]) == (301, "auth")
    time.strptime(flat["datetime"], "%Y-%m-%d %H:%M:%S.%f")


def test_netlink_has_its_eleven_keys_in_their_order():
    shape = json.loads(made("netlink", {**FAILED, "trace_id": "t"}))

    assert list(shape) == [
        *("timestamp", "level", "category", "message", "module", "function", "line"),
        *("context", "metadata", "performance_data", "stack_trace"),
    ]
    assert shape["timestamp"] == "2026-11-21T10:30:45.123Z"
    assert shape["context"] == {"request_id": "r 1", "trace_id": "t"}
    assert shape["stack_trace"] == TRACEBACK
    assert "stack_trace" not in json.loads(made("netlink"))
    assert json.loads(made("netlink", {"message": "m", "component": "auth"}))["module"] == "auth"


@hostile
def test_otel_is_what_the_protocol_buffers_of_opentelemetry_take(record):
    from google.protobuf import json_format
    from opentelemetry.proto.logs.v1.logs_pb2 import LogRecord

    record = {
        **record,
        "trace_id": "0af7651916cd43dd8448eb211c80319c",
        "span_id": "b7ad6b7169203331",
    }
    shape = json.loads(made("otel", record))
    # The ids are hexadecimal in OTLP, where protocol buffers have base64.
    assert (shape.pop("traceId"), shape.pop("spanId")) == (record["trace_id"], record["span_id"])
    parsed = json_format.ParseDict(shape, LogRecord())

    assert parsed.body.string_value == record["message"]
    assert parsed.severity_text == record["level"]
    names = [attribute.key for attribute in parsed.attributes]
    assert len(names) == len(set(names))
    if record["timestamp"] == RECORD["timestamp"]:
        assert parsed.time_unix_nano == 1795257045123456789


@hostile
def test_logfmt_reads_back(record):
    text = made("logfmt", record)
    pair = re.compile(r'([^ ="]+)=("(?:[^"\\]|\\.)*"|[^ ="]*)(?: |$)')
    pairs = {}
    at = 0
    while at < len(text):
        found = pair.match(text, at)
        assert found, text[at:]
        assert found[1] not in pairs
        pairs[found[1]] = json.loads(found[2]) if found[2].startswith('"') else found[2]
        at = found.end()

    assert pairs["message"] == record["message"]
    assert pairs["component"] == record["component"]


def test_pipe_reads_the_logfmt_that_we_write(tmp_path):
    record = {**RECORD, "message": 'a "b"\n\x1b[2J\r é'}
    (tmp_path / "lines").write_text(made("logfmt", record) + "\n")
    run(
        "import sys, treering.cli; sys.exit(treering.cli.main(['pipe', '--to', *sys.argv[1:]]))",
        tmp_path / "logs",
        tmp_path / "lines",
    )

    (found,) = records(tmp_path / "logs")
    assert found["message"] == record["message"]
    assert (found["level"], found["component"]) == ("WARNING", "auth")
