"""How records look: presets, templates, functions of the user's, the console."""

import json
import logging
import re
import time
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from looks import OBEYED, RECORD, STDLIB, line_of, made
from programs import run

from treering.errors import ConfigurationError, FormatFailed
from treering.outputs import PRESETS, SHAPES, formatter


def test_all_texts_and_shapes_may_be_asked_for_by_name():
    assert list(PRESETS) == ["STANDARD", "DETAILED", "COMPACT", "JSON", "CONSOLE"]
    assert set(SHAPES) > {"treering", "ecs", "otel", "gelf", "logfmt", "rfc5424", "rfc3164"}
    assert made("json") == made("treering") == line_of(RECORD).decode().rstrip()
    by_template = formatter(PRESETS["CONSOLE"], date_format="%Y-%m-%d %H:%M:%S", utc=True)
    assert by_template.lines(line_of(RECORD), [7]) == [made("CONSOLE").encode()]


def test_text_and_lines_say_the_same_and_erased_records_are_left_out():
    data = line_of(RECORD) + b"\n" + line_of(RECORD)
    shown = formatter("%s %m")

    assert shown.lines(data, [5, 6, 9]) == [b'5 Token "x" refused', b"", b'9 Token "x" refused']
    assert shown.text(data, range(5, 8)) == b'5 Token "x" refused\n7 Token "x" refused\n'
    assert shown.lines(data, 5)[2] == b'7 Token "x" refused'
    assert shown.lines(b"", []) == []
    assert shown.text(b"", range(0)) == b""
    with pytest.raises(ValueError, match="2 elements: 3, one for each line"):
        shown.lines(data, [1, 2])


@pytest.mark.parametrize(
    ("spec", "said", "hint"),
    [
        ("[%t] %q", "at position 5: '%q' is no specifier: one of %t", None),
        ("%(message)s %(user)s", "at position 12: a record has no 'user': one of asctime", None),
        ("%(message)d", "'message' is text: %(message)s would be right", None),
        ("%m\n", "at position 2: the template has a control character", None),
        ("rfc5242", "'rfc5242' is no format: one of STANDARD", "did you mean rfc5424?"),
        ("standard", "is no format", "did you mean STANDARD?"),
        ("{level} {message}", "is no format", "templates are written with %t"),
        ("", "is no format", None),
        (7, "format 7 cannot be used", None),
    ],
)
def test_a_bad_format_is_refused_with_its_place(spec, said, hint):
    with pytest.raises(ConfigurationError) as caught:
        formatter(spec)

    assert said in str(caught.value)
    assert caught.value.code == "format_invalid"
    assert caught.value.field == "format"
    assert (caught.value.hint or "").startswith(hint or "")


@pytest.mark.parametrize(
    ("spec", "options", "said"),
    [
        ("rfc5424", {"facility": "local9"}, "option facility is 'local9': a name such as user"),
        ("rfc5424", {"sd_id": "a]b"}, "option sd_id is 'a]b'"),
        ("rfc5424", {"enterprise": "ours"}, "option enterprise is 'ours'"),
        ("rfc5424", {"bom": "maybe"}, "option bom is 'maybe': true or false"),
        ("gelf", {"facility": "1"}, "option 'facility' is unknown: one of hostname"),
        ("STANDARD", {"facility": "1"}, "has no options"),
    ],
)
def test_a_bad_option_is_refused(spec, options, said):
    with pytest.raises(ConfigurationError, match=re.escape(said)):
        formatter(spec, options=options)


def test_a_date_format_where_the_shape_has_its_own_is_refused():
    with pytest.raises(ConfigurationError, match="date_format has no effect on ecs"):
        formatter("ecs", date_format="%Y")
    with pytest.raises(ConfigurationError, match="at position 3: date_format has '%Q'"):
        formatter("%t", date_format="%Y-%Q")


@pytest.mark.parametrize("spec", STDLIB)
def test_the_standard_librarys_formats_look_as_there(spec):
    created = 1795257045.123456
    theirs = logging.makeLogRecord(
        {
            "name": "auth",
            "levelno": 30,
            "levelname": "WARNING",
            "pathname": "/srv/app/auth.py",
            "filename": "auth.py",
            "module": "auth",
            "lineno": 42,
            "funcName": "check",
            "created": created,
            "msecs": 123.0,
            "process": 4711,
            "thread": 4712,
            "msg": 'Token "x" refused',
        }
    )
    stdlib = logging.Formatter(spec)
    stdlib.converter = time.gmtime

    assert made(spec) == stdlib.format(theirs)


@settings(max_examples=60, deadline=None)
@given(
    st.integers(0, 4_102_444_800),
    st.lists(
        st.sampled_from(list("aAbBcCdDeFgGHIjklmMnpRsSTuUVwWxXyYzZ%")), min_size=1, max_size=6
    ),
)
def test_times_look_as_strftime_has_them(seconds, letters):
    spec = " ".join(f"%{letter}" for letter in letters if letter not in "ns")
    moment = time.gmtime(seconds)
    timestamp = time.strftime("%Y-%m-%dT%H:%M:%S.123456789Z", moment)
    (shown,) = formatter("%t", date_format=spec or "%Y", utc=True).lines(
        line_of({**RECORD, "timestamp": timestamp}), 0
    )

    expected = time.strftime(spec or "%Y", moment).replace("GMT", "UTC")
    assert shown.decode() == expected


def test_times_are_local_unless_utc_is_asked_for():
    program = """
        from treering.outputs import formatter
        line = b'{"timestamp":"2026-07-01T10:30:45.123456789Z","message":"m"}\\n'
        for spec, options in [("%t", {}), ("%t", {"date_format": "%H:%M %Z %z %6f"}),
                              ("%t", {"utc": True}), ("%(asctime)s", {}), ("poseidonos", {})]:
            print(formatter(spec, **options).lines(line, 0)[0].decode())
    """
    _, out, _ = run(program, env={"TZ": "Europe/Zurich"})
    iso, dated, utc, stdlib, shape = out.splitlines()

    assert iso == "2026-07-01T12:30:45.123+02:00"
    assert dated == "12:30 CEST +0200 123456"
    assert utc == "2026-07-01T10:30:45.123Z"
    assert stdlib == "2026-07-01 12:30:45,123"
    assert json.loads(shape)["datetime"] == "2026-07-01 12:30:45.123"


def test_a_function_of_the_users_makes_lines():
    data = line_of(RECORD) + b"\nbroken \x1b\n"
    shown = formatter(lambda record: f"{record.index} {record['message']}\n\u202e")
    as_bytes = formatter(lambda record: record["message"].encode() + b"\r\n")

    assert shown.lines(data, [1, 2, 3]) == [
        rb'1 Token "x" refused\n\u202e',
        b"",
        rb"3 broken \x1b\n\u202e",
    ]
    assert as_bytes.text(line_of(RECORD), [1]) == b'Token "x" refused\r\n\n'


@pytest.mark.parametrize(
    ("function", "said"),
    [
        (lambda record: record["nothing"], "failed at record 7: KeyError: 'nothing'"),
        (lambda _: 7, "gave int for record 7: str or bytes would be right"),
    ],
)
def test_a_function_that_fails_says_at_which_record(function, said):
    with pytest.raises(FormatFailed, match=re.escape(said)) as caught:
        formatter(function).text(line_of(RECORD), [7])

    assert caught.value.kind == "format"


@pytest.mark.parametrize("name", [*PRESETS, *SHAPES])
def test_a_line_that_is_no_record_is_still_shown(name):
    (text,) = formatter(name).lines(b'{"message": "torn \x1b \xff\n', [0])
    assert b"torn" in text
    assert not OBEYED.search(text.decode())


PROGRAM = """
    import treering
    log = treering.get_logger("auth")
    log.info("quiet")
    try: 1 / 0
    except ZeroDivisionError: log.exception("loud", a=1)
    treering.flush()
"""


@pytest.mark.parametrize(
    ("variables", "expected"),
    [
        ({"FORMAT": "%l|%c|%m"}, r"INFO\|auth\|quiet\nERROR\|auth\|loud\n  Traceback[^Z]*Zero.*\n"),
        ({"FORMAT": "%(levelno)d %(name)s"}, r"20 auth\n40 auth\n  Traceback[^Z]*Zero.*\n"),
        ({"FORMAT": "COMPACT", "LEVEL": "ERROR"}, r"\S+T\S+ ERROR auth loud\n  Trace[^Z]*Zero.*\n"),
        ({"LEVEL": "OFF"}, ""),
        ({"FORMAT": "%t %m", "DATE": "%Y"}, r"\d{4} quiet\n\d{4} loud\n  Trace[^Z]*Zero.*\n"),
        ({"DATE": "<%H>", "LEVEL": "ERROR"}, r"\[<\d\d>\] \[ERROR   \] auth: loud  a=1\n  T[^Z]*Z.*\n"),
        ({"FORMAT": "logfmt", "LEVEL": "ERROR"}, r"timestamp=\S+ level=ERROR .*exception=.*\n"),
    ],
)  # fmt: skip
def test_the_console_looks_as_it_is_told(variables, expected):
    names = {"FORMAT": "CONSOLE_FORMAT", "LEVEL": "CONSOLE_LEVEL", "DATE": "DATE_FORMAT"}
    env = {f"TREERING_LOG_{names[name]}": value for name, value in variables.items()}
    _, _, err = run(PROGRAM, env=env)

    assert re.fullmatch(expected, err), err


def test_a_console_format_that_is_none_is_refused_by_name(tmp_path):
    import treering

    with pytest.raises(
        ConfigurationError, match="console_format from argument is '%q': at position 0"
    ):
        treering.configure(console_format="%q")
    with pytest.raises(ConfigurationError, match=r"console_date_format .* at position 0"):
        treering.configure(console_date_format="%Q")
    with pytest.raises(ConfigurationError, match="date_format has no effect on ecs"):
        treering.configure(console_format="ecs", console_date_format="%Y")


def test_cat_and_tail_show_any_format(logs, journal, capfdbinary):
    import treering
    from treering.cli import main

    treering.get_logger("auth").info("in", user_id=7)
    logs()
    assert main(["cat", str(journal), "--format", "%s|%l|%c|%m|%{user_id}"]) == 0
    assert main(["tail", str(journal), "--format", "gelf"]) == 0
    shown, shape = capfdbinary.readouterr().out.splitlines()

    assert re.fullmatch(rb"\d+\|INFO\|auth\|in\|7", shown)
    assert json.loads(shape)["_user_id"] == 7
    assert main(["cat", str(journal), "--format", "%q"]) == 2
    assert b"at position 0: '%q' is no specifier" in capfdbinary.readouterr().err
    assert main(["cat", str(journal), "--date-format", "%Y", "--utc"]) == 0
    assert re.match(rb"\[\d{4}\] \[INFO    \] auth: in", capfdbinary.readouterr().out)


GUIDE = (Path(__file__).parents[2] / "docs" / "guides" / "formats.md").read_text()


@pytest.mark.parametrize(
    ("spec", "shown"),
    re.findall(r"### `(.+?)`\n\n```\w+\n(.*?)\n```", GUIDE),
    ids=lambda text: text[:12],
)
def test_the_guides_examples_are_what_the_formats_make(spec, shown):
    line = re.search(r"```json\n(.*?\n)```", GUIDE)[1].encode()
    options = {"hostname": "web-1"} if spec in {"rfc5424", "rfc3164", "gelf"} else None

    assert formatter(spec, utc=True, options=options).lines(line, [1207]) == [shown.encode()]


def test_the_guide_has_an_example_of_every_format():
    shown = set(re.findall(r"### `(.+?)`\n", GUIDE))
    assert shown >= {*PRESETS, *SHAPES} - {"treering"}
