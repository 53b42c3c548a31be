"""Reading logs of others: formats, tracebacks, templates, patterns with names."""

import time

import pytest

from treering.analysis import (
    compile_pattern,
    detect_format,
    parse_canonical,
    parse_lines,
    parse_many,
    parse_template,
    patterns,
)
from treering.errors import ConfigurationError

LOG = """\
2026-01-02 03:04:05,006 ERROR app.db: query failed
Traceback (most recent call last):
  File "a.py", line 1, in <module>
ValueError: no
2026-01-02 03:04:06,006 INFO app.web: served 3 rows
"""


def test_lines_become_records_and_tracebacks_are_joined():
    first, second = parse_lines(LOG.splitlines(), utc=True)
    assert (first["level"], first["message"]) == ("ERROR", "app.db: query failed")
    assert first["timestamp"].startswith("2026-01-02T03:04:05.006")
    assert first["metadata"]["stack"].endswith("ValueError: no")
    assert second["message"] == "app.web: served 3 rows"


def test_files_become_records_of_components_named_after_them(tmp_path):
    for name in ("one", "two"):
        (tmp_path / f"{name}.log").write_text(f"hello from {name}\n")
    found = list(parse_many(sorted(tmp_path.iterdir())))
    assert [(path.name, record["component"], record["message"]) for path, record in found] == [
        ("one.log", "one", "hello from one"),
        ("two.log", "two", "hello from two"),
    ]


def test_a_missing_file_is_said():
    with pytest.raises(FileNotFoundError):
        list(parse_lines("/nowhere/at/all.log"))


@pytest.mark.parametrize(
    ("line", "name"),
    [
        ('{"level":"info","msg":"hello"}', "json"),
        ("level=info msg=hello took=3ms", "logfmt"),
        ("<34>1 2026-01-02T03:04:05Z host app 1 - - hello", "syslog"),
        ("2026-01-02 03:04:05,006 INFO app: hello", "prefixed"),
        ("hello there", "plain"),
    ],
)
def test_formats_are_detected(line, name):
    found = detect_format([line] * 5)
    assert (found.name, found.share) == (name, 1)


def test_no_line_has_no_format():
    with pytest.raises(ConfigurationError, match="no line"):
        detect_format([])


def test_parsed_logs_have_patterns():
    lines = [f"2026-01-02 03:04:{at:02},000 INFO app: served {at} rows" for at in range(30)]
    found = patterns(parse_canonical(lines, utc=True))
    assert [(one.template, one.count) for one in found] == [("app: served <*> rows", 30)]
    assert found[0].first_seen.isoformat() == "2026-01-02T03:04:00+00:00"


@pytest.mark.parametrize(
    ("template", "line", "values"),
    [
        ("user <*> from <*>", "user ann from 10.0.0.1", ["ann", "10.0.0.1"]),
        ("a <*> c", "a  b   c", ["b"]),
        ("<*>", "anything at all", ["anything at all"]),
        ("k=<*>,<*>", "k=,", ["", ""]),
        ("no variable", "no variable", []),
        ("<*> b <*> b", "a b b b", ["a", "b"]),
        ("user <*> left", "user ann came", None),
        ("user", "user ann", None),
        ("a<*>a", "a", None),
    ],
)
def test_templates_give_the_values(template, line, values):
    assert parse_template(template, line) == values


def test_named_fields_are_read_with_their_types():
    pattern = compile_pattern(
        '%{IP:client} "%{WORD:method} %{NOTSPACE:path}" %{NUMBER:took_ms:float}'
    )
    assert pattern.match('10.0.0.1 "GET /a?b=1" 2.5\n') == {
        "client": "10.0.0.1",
        "method": "GET",
        "path": "/a?b=1",
        "took_ms": 2.5,
    }
    assert pattern.names == ("client", "method", "path", "took_ms")
    assert pattern.match("something else") is None


@pytest.mark.parametrize(
    ("pattern", "message"),
    [
        ("at %{TMIE:when}", "column 4: unknown kind 'TMIE'"),
        ("%{INT:a:number}", "unknown type 'number'"),
        ("%{INT:a} %{INT:a}", "'a' is given twice"),
        ("%{DATA:a}%{INT:b}", "where DATA ends is not said"),
    ],
)
def test_wrong_patterns_are_explained(pattern, message):
    with pytest.raises(ConfigurationError, match=message):
        compile_pattern(pattern)


def test_no_line_makes_a_pattern_take_for_ever():
    pattern = compile_pattern("%{DATA:a} %{DATA:b} %{DATA:c} %{DATA:d} %{GREEDYDATA:e}!")
    begin = time.process_time()
    assert pattern.match("x " * 2000) is None
    assert parse_template(" ".join(["<*>"] * 50) + " z", "x " * 20_000) is None
    assert time.process_time() - begin < 5
