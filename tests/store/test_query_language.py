"""What people write, and what they are told when it cannot be understood."""

import re
from pathlib import Path

import pytest
from asked import connect, line, table
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from store.reference import lower, search

from treering.errors import QueryError
from treering.store.query import (
    And,
    Columns,
    Compare,
    Fragment,
    Or,
    Pattern,
    Query,
    asks_for_journal,
    compile_filter,
    compile_pipes,
    level_bounds,
    parse,
    parse_filter,
    parse_time,
    required_words,
    time_bounds,
    unparse,
)

NOW = "2026-11-21T10:03:00.000000005Z"
NOW_NS = parse_time(NOW, 0)[0]
REFERENCE = Path(__file__).parent.parent.parent / "docs" / "reference" / "query.md"

RECORD = {
    "timestamp": "2026-11-21T10:02:30.5Z",
    "level": "ERROR",
    "component": "auth.session",
    "message": 'Request timed-out after 30s: see [/var/log] "x"; -- drop',
    "context": {"user_id": 7, "user.name": "Ann", "tags": ["red", "dark blue"], "note": "a*b"},
    "metadata": {"user_id": None, "status": 503, "ratio": 0.5, "ok": True, "id": "007"},
    "performance_data": {"duration_ms": 12.5},
    "exception": {"type": "ValueError", "message": "bad input"},
}

FOUND = [
    "",
    "*",
    "timed",
    "TIMED",
    "tim*",
    "exception:*-",
    "*ques*",
    '"timed out"',
    '"out after 30s"',
    "timed-out",
    "/ti.ed.out/",
    "/var/",
    "ValueError bad",
    "dark",
    '"[/"',
    "\\;",
    '"; -- drop"',
    "level:error",
    "level>=warn",
    "level=ERROR",
    "level:err*",
    "level:(info error)",
    "level:[warning TO critical}",
    "component:auth",
    "component:AUTH",
    "component:auth.s*",
    "component=auth.session",
    "-component:auth.other",
    "not component=auth",
    "!component:billing",
    "context.user_id:7",
    "context.user_id=7.0",
    "context.user_id>6",
    "context.user_id:>=7",
    "context.user_id:[5 TO 7]",
    "context.user_id:{5 TO 8}",
    "context.user_id:5..7",
    "context.user_id:7..",
    "context.user_id:..7",
    "context.user_id:(1, 7)",
    "context.user_id!=8",
    "user_id:null",
    "user_id:*",
    "-missing:*",
    "status:5*",
    "status:503 and ok:true",
    "id:007",
    "id:7 or id=007",
    'context."user.name":ann',
    "user.name:Ann",
    "tags.0:red",
    'tags:*"dark" or tags:*blue*',
    'note:"a*b"',
    "note:a\\*b",
    "exception.type:valueerror",
    'exception:"bad input"',
    "message:request",
    "-message=request",
    'message="Request timed-out after 30s: see [/var/log] \\"x\\"; -- drop"',
    "timestamp:2026-11-21",
    "timestamp:2026-11-21T10",
    "timestamp>-15m",
    "timestamp>2026-11-21T10:01Z",
    "timestamp:2026-11-21T12:02+02:00",
    "timestamp:[now-1d/d TO now]",
    "timestamp:today",
    "since:-1h",
    "since:2026-11-21 until:now",
    "duration_ms>12 and (level:info or level:error)",
    "AND:* or timed",
]
MISSED = [
    "time",
    '"out timed"',
    "user_id",
    "level>error",
    "component:aut",
    "component:session",
    "context.user_id:07x",
    "user_id:7",
    "status!=503",
    "missing!=1",
    "tags:red",
    "exception.type=valueerror",
    "timestamp:2026-11-20",
    "timestamp>=now",
    "until:2026-11-21",
    "context.user_id:{7 TO 8]",
    "note=A*",
    "not *",
]


@pytest.fixture(scope="module")
def connection():
    with connect() as connection:
        table(connection, [(0, RECORD)], {"context.user_id": "integer"})
        yield connection


def finds(connection, text):
    node = parse_filter(text)
    sql, parameters = compile_filter(
        node, Columns({"context.user_id": "integer"}, frozenset({"context.user_id"})), now_ns=NOW_NS
    )
    found = connection.execute(f"SELECT count(*) FROM r WHERE {sql}", parameters).fetchone()[0] == 1
    assert found == (search(Query(node), [(0, line(RECORD))], NOW_NS)[1] == [0]), (
        "the reference differs"
    )
    return found


@pytest.mark.parametrize("text", FOUND)
def test_a_record_is_found_by(connection, text):
    assert finds(connection, text)


@pytest.mark.parametrize("text", MISSED)
def test_a_record_is_not_found_by(connection, text):
    assert not finds(connection, text)


MISTAKES = [
    ("level:eror", 1, "`eror` is not a level", "did you mean `error`?"),
    ("a level>=loud", 3, "`loud` is not a level", "such as warning, or 30"),
    ("(a or b", 1, "this parenthesis is never closed", 'quote it: "("'),
    ("a) b", 2, "this parenthesis closes nothing", 'quote it: ")"'),
    ('say "hi', 5, "this quote is never closed", 'write \\" for a quote'),
    ("x /a", 3, "this regular expression is never closed", "it ends with a slash; quote"),
    ("x /(a/", 3, "no regular expression of RE2: missing )", None),
    ("/(?=a)/", 1, "no regular expression of RE2: invalid perl operator", None),
    ("http://x", 6, "this regular expression is empty", "quote"),
    ("a and", 6, "a word, a phrase or a field is missing before the end", None),
    ("or a", 1, "`or` joins two terms", 'quote it: "or"'),
    ("a -", 3, "`-` says not, and nothing follows", "quote it"),
    ("a:", 3, "a value is missing", "`field:*` asks whether there is one"),
    (":5", 1, "a word, a phrase or a field is missing before `:`", None),
    ("x:[1 2]", 7, "a range is written [low TO high]", None),
    ("x:[1 TO 2", 3, "this range is never closed", "it ends with ] or }"),
    ("x:[* TO *]", 3, "a range needs an end", "x:* asks for any value"),
    ("x>a*", 3, "`>` compares with a value, not a pattern", None),
    ("x>/a/", 3, "`>` compares with a value, not a pattern", None),
    ("x*y:5", 1, "a field's name has no wildcards", "quote the star"),
    ("context:5", 1, "`context` is an object, not a value", "name one of its fields"),
    ("timestamp>soon", 1, "`soon` is not a time", "such as -15m"),
    ("timestamp:2026-13", 1, "`2026-13` is not a time", "such as -15m"),
    ("timestamp:2026*", 1, "a time has no wildcards", "2026-11-21 is the whole day"),
    ("since>5", 1, "`since` takes one time", "since:-1h"),
    ('""', 1, "an empty phrase is in no record", "use * for all"),
    ("a\\", 2, "a backslash escapes nothing", None),
    ('"\\ud800"', 2, "`\\u` takes the four hexadecimal digits of a character", None),
    ("a\ud800", 2, "half a surrogate pair is no character", None),
    ("a | stat count()", 5, "no pipe is called `stat`", "did you mean `stats`?"),
    ("a |", 4, "a pipe is missing", "there are stats, timechart"),
    ("| stats cuont()", 9, "no function is called `cuont`", "did you mean `count`?"),
    ("| stats sum()", 9, "`sum` is of a field", "sum(duration_ms)"),
    ("| stats sum(x", 14, "`)` is missing", None),
    ("| stats percentile(x)", 21, "which percentile?", "percentile(duration_ms, 95)"),
    ("| stats percentile(x, 101)", 23, "a percentile is a number from 0 to 100", None),
    ("| stats count(), count()", 18, "two columns are called `count`", "count as another_name"),
    ("| stats count() by a, a", 24, "two columns are called `a`", "use `as`"),
    ("| stats count() as n | sort m", 29, "there is no column `m` here", "there are n"),
    (
        "| stats count() by level | where levle:info",
        34,
        "there is no column `levle` here",
        "`level`",
    ),
    ("| stats count() | where timed", 25, "rows of a table have no text to search", "ask for"),
    ("| stats count() | stats first(count)", 25, "`first` is of records", None),
    ("| stats count() by bin(line, 5m)", 20, "only time has bins", "bin(timestamp, 5m)"),
    ("| timechart span=5x count()", 18, "`5x` is no length of time", "such as 30s"),
    ("| timechart span 5m", 18, "a length of time is missing", "span=1m"),
    ("| limit many", 9, "`many` is not a number of rows", None),
    ("| limit 0", 9, "from 1 to 1000000000 rows, not 0", None),
    ("| sort", 7, "a name is missing", None),
    ("| fields a b", 12, "`fields` ends before this", "a comma is missing?"),
    ("| fields a, a", 12, "`a` stands here twice", None),
    ("| where", 8, "`where` needs a condition", "where count>10"),
    ("| stats count() | patterns", 27, "`patterns` needs records", None),
    ("x" * 70_000, 65_537, "the query has 70000 characters, 65536 may be", None),
    ("(" * 70 + "a" + ")" * 70, 65, "nested more than 64 deep", None),
    ("not " * 70 + "a", 257, "nested more than 64 deep", None),
    ("a " * 1001, 2001, "more than 1000 terms", None),
    ("x:(" + "1 " * 1001 + ")", 2002, "more than 1000 terms", None),
    ("/" + "a" * 5000 + "/", 1, "no regular expression of RE2: it has 5000 characters", None),
]


@pytest.mark.parametrize(("text", "column", "message", "hint"), MISTAKES, ids=range(len(MISTAKES)))
def test_a_mistake_is_pointed_at(text, column, message, hint):
    with pytest.raises(QueryError) as caught:
        parse(text)

    error = caught.value
    assert (error.code, error.column) == ("query_invalid", column), str(error)
    assert str(error).startswith(f"column {column}: {message}")
    assert (hint or "") in (error.hint or "")
    shown, caret = error.excerpt.split("\n")
    assert caret.lstrip() == "^"
    pointed = shown[len(caret) - 1 : len(caret)]
    assert pointed in (text[column - 1 : column], " ", "")


def test_a_name_that_no_record_has_is_a_mistake_when_the_names_are_known():
    with pytest.raises(QueryError) as caught:
        parse("a componant:auth", fields=["user_id"])

    assert caught.value.hint == "did you mean `component`?"
    assert parse("user_id:7 exception.type:x level:info", fields=["user_id"])


def test_an_error_forges_no_line_of_its_excerpt():
    with pytest.raises(QueryError) as caught:
        parse("a\x1b[31m\nlevel:eror")

    assert "\x1b" not in caught.value.excerpt
    assert caught.value.excerpt.count("\n") == 1


@settings(max_examples=200, deadline=None)
@given(
    st.text(
        alphabet=st.sampled_from(list("ab19 \t\n()[]{}|:=<>!-+*/\\\"',._~$%;\u0000\u201cÄ\ud800"))
    )
)
def test_nothing_but_a_query_error_comes_out_of_the_parser(text):
    try:
        query = parse(text)
    except QueryError as error:
        assert 1 <= error.column <= len(text) + 1
    else:
        assert parse(unparse(query)) == query


WORDS = "stats count sum p95 by as bin timestamp timechart span top sort where fields limit patterns and or not TO since level now -1h/d error".split()


@settings(max_examples=200, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.lists(st.sampled_from([*WORDS, *'()[]{}|:=<>!-*/\\",.']), max_size=14), st.booleans())
def test_words_of_the_language_in_any_order_do_no_harm(words, spaced):
    text = (" " if spaced else "").join(words)
    try:
        query = parse("a | " + text if spaced else text)
        sql, _ = compile_pipes(query, now_ns=NOW_NS).over([Fragment("SELECT 1")])
    except QueryError:
        return
    assert parse(unparse(query)) == query
    assert sql.startswith("WITH records AS")


HOSTILE = [
    "'; DROP TABLE r; --",
    '"; DROP TABLE r; --',
    '" OR 1=1 --',
    "') OR ('1'='1",
    "/* */ UNION SELECT * FROM r",
    "\u2019; drop table r",
    "\uff07 or 1=1",
    "a\x00'; drop table r",
    "$1 ? ?",
    "{} {0} {{",
    "%s %(a)s",
    "\\' or ''='",
    "read_csv('/etc/passwd')",
]


@pytest.mark.parametrize("hostile", HOSTILE)
def test_what_is_asked_never_becomes_sql(connection, hostile):
    quoted = '"' + hostile.replace("\\", "\\\\").replace('"', '\\"') + '"'
    columns = Columns({"context.user_id": "integer", hostile: "string"})
    for text in (
        quoted,
        f"{quoted}:{quoted}",
        f"context.{quoted}>{quoted}",
        f"x:({quoted} {quoted}*)",
        f"message={quoted}",
        f'* | stats count() as {quoted} by {quoted} | sort -{quoted[:-1]}x" | limit 1',
        f"* | stats count() as {quoted}, first({quoted}) as b by component | where {quoted}>0",
        f"* | fields {quoted} | dedup {quoted} | top 3 {quoted}",
    ):
        try:
            query = parse(text)
        except QueryError:
            continue
        plan = compile_pipes(query)
        sql, parameters = plan.over([plan.select(Fragment("r"), Columns())])
        connection.execute(sql, parameters).fetchall()
        assert hostile not in compile_filter(query.filter, Columns()).sql
    assert f'"{hostile.replace(chr(34), chr(34) * 2)}"' in "".join(
        s.column.sql for s in columns.texts()
    )
    assert connection.execute("SELECT count(*) FROM r").fetchone() == (1,)


TIMES = [
    ("2026", "2026-01-01T00:00:00Z", "2027-01-01T00:00:00Z"),
    ("2024-02", "2024-02-01T00:00:00Z", "2024-03-01T00:00:00Z"),
    ("2026-11-21", "2026-11-21T00:00:00Z", "2026-11-22T00:00:00Z"),
    ("2026-11-21 10:05", "2026-11-21T10:05:00Z", "2026-11-21T10:06:00Z"),
    ("2026-11-21T10:05:01.25Z", "2026-11-21T10:05:01.25Z", "2026-11-21T10:05:01.26Z"),
    ("2026-11-21T10:05:00-0330", "2026-11-21T13:35:00Z", "2026-11-21T13:35:01Z"),
    ("now/h", "2026-11-21T10:00:00Z", "2026-11-21T11:00:00Z"),
    ("now/w", "2026-11-16T00:00:00Z", "2026-11-23T00:00:00Z"),
    ("now/M", "2026-11-01T00:00:00Z", "2026-12-01T00:00:00Z"),
    ("yesterday", "2026-11-20T00:00:00Z", "2026-11-21T00:00:00Z"),
    ("-1M/d", "2026-10-21T00:00:00Z", "2026-10-22T00:00:00Z"),
    ("now-9M/M", "2026-02-01T00:00:00Z", "2026-03-01T00:00:00Z"),
    ("now-1y+1d/d", "2025-11-22T00:00:00Z", "2025-11-23T00:00:00Z"),
    ("-1h3m/m", "2026-11-21T09:00:00Z", "2026-11-21T09:01:00Z"),
]


@pytest.mark.parametrize(("text", "start", "end"), TIMES, ids=[text for text, _, _ in TIMES])
def test_a_time_means_all_that_it_names(text, start, end):
    assert parse_time(text, NOW_NS) == (parse_time(start, 0)[0], parse_time(end, 0)[0])


@pytest.mark.parametrize(
    "text", ["", "5m", "-", "now-", "-5x", "2026-02-30", "2026-1-1", "1600", "25:00", "-999999999y"]
)
def test_what_is_no_time_is_refused(text):
    with pytest.raises(ValueError, match="no time"):
        parse_time(text, NOW_NS)


def test_bounds_follow_and_or_and_ranges():
    node = parse_filter(
        "since:2026-11-20 until:2026-11-21 level:[info TO error] (level>=warn or level:info)"
    )

    assert time_bounds(node) == tuple(parse_time(day, 0)[0] for day in ("2026-11-20", "2026-11-21"))
    assert level_bounds(node) == (20, 40)


def test_required_words_are_those_of_every_branch():
    node = parse_filter(
        '"Timed out" (req-17 or req-18) -gone con* context.user:"Ann Lee" n:42 x:4.5'
    )

    assert required_words(node) == {"timed", "out", "req", "ann", "lee", "42"}


def test_the_journal_shows_its_own_records_to_who_asks():
    assert asks_for_journal(parse_filter("a component:treering.journal"))
    assert asks_for_journal(parse_filter("component:(auth treering*)"))
    assert not asks_for_journal(parse_filter("component:* -component:treering"))


def test_parentheses_that_change_nothing_make_no_other_query():
    assert parse_filter("(a and (b c))") == parse_filter("a b c")
    assert isinstance(parse_filter("a b or c"), Or)
    assert isinstance(parse_filter("a (b or c)"), And)
    assert parse_filter("not:5") == Compare("not", ":", Pattern(("5",)))


def test_case_is_folded_as_duckdb_does_it(connection):
    # Letters that a newer Unicode has given a partner are the only ones that may differ.
    chars = "".join(chr(code) for code in range(1, 0x3000) if chr(code).isalpha())
    found = connection.execute("SELECT lower(?)", [chars]).fetchone()[0]

    assert [
        a for a, b, c in zip(chars, found, lower(chars), strict=True) if b != c and a != "\ua7d2"
    ] == []


def examples():
    blocks = re.findall(r"```text\n(.*?)```", REFERENCE.read_text(), re.DOTALL)
    return [text.split("  #")[0].strip() for block in blocks for text in block.splitlines() if text]


@pytest.mark.parametrize("text", examples())
def test_the_examples_of_the_reference_are_queries(connection, text):
    query = parse(text)
    assert parse(unparse(query)) == query
    if "patterns" not in text:
        plan = compile_pipes(query)
        sql, parameters = plan.over([plan.select(Fragment("r"), Columns())])
        connection.execute(sql, parameters).fetchall()
