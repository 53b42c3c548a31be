"""SQL of others: what it may ask, and everything that it may not."""

import json
import os
import threading
import time
from pathlib import Path

import pytest

from treering.errors import QueryCancelled, QueryError, QueryTimeout, QueryTooLarge, TreeringError
from treering.store import open_store


def test_sql_sees_all_records_with_their_fields(asked):
    rows = (
        asked.store.sql(
            'SELECT level, count(*) AS n, sum(TRY_CAST("metadata.user_id" AS BIGINT)) AS ids'
            " FROM records GROUP BY level ORDER BY level"
        ).to_list()
        if has_user_id(asked)
        else []
    )

    expected = {}
    for _, line in asked.lines:
        record = json.loads(line)
        entry = expected.setdefault(record["level"], [0, 0])
        user = record.get("metadata", {}).get("user_id")
        entry[0] += 1
        entry[1] += user if isinstance(user, int) else 0
    if rows:
        assert {row["level"]: [row["n"], int(row["ids"] or 0)] for row in rows} == expected


def has_user_id(asked):
    return "metadata.user_id" in [row["column_name"] for row in asked.store.sql("DESCRIBE records")]


def test_objects_are_whole_whether_their_fields_are_promoted_or_not(asked):
    rows = asked.store.sql('SELECT "index", metadata FROM records WHERE metadata IS NOT NULL')

    known = dict(asked.lines)
    for row in rows:
        assert json.loads(row["metadata"]) == json.loads(known[row["index"]])["metadata"]


def test_parameters_are_values_and_never_sql(asked):
    evil = "x'; DROP VIEW records; --"

    assert asked.store.sql("SELECT ? AS said", [evil]).to_list() == [{"said": evil}]
    assert asked.store.sql("SELECT $a + $b AS n", {"a": 1, "b": 2}).to_list() == [{"n": 3}]


def test_rows_above_the_limit_are_cut_and_it_says_so(asked):
    cut = asked.store.sql("SELECT * FROM records", limit=10)
    whole = asked.store.sql("SELECT * FROM records LIMIT 10", limit=10)

    assert (len(cut.to_list()), cut.is_cut) == (10, True)
    assert (len(whole.to_list()), whole.is_cut) == (10, False)


@pytest.mark.parametrize(
    "statement",
    [
        "WITH a AS (SELECT 1 AS x) SELECT * FROM a",
        "DESCRIBE records",
        "SUMMARIZE SELECT level, line FROM records",
        "EXPLAIN SELECT * FROM records WHERE level = 'ERROR'",
        "SHOW TABLES",
        "VALUES (1), (2)",
    ],
)
def test_questions_of_every_kind_are_answered(asked, statement):
    assert asked.store.sql(statement).to_list()


FORBIDDEN = [
    "SELECT * FROM read_csv('/etc/passwd')",
    "SELECT * FROM read_text('/etc/passwd')",
    "SELECT * FROM read_blob('/proc/self/environ')",
    "SELECT * FROM read_json_auto('/etc/os-release')",
    "SELECT * FROM read_parquet('/tmp/*.parquet')",
    "SELECT * FROM '/etc/passwd'",
    "SELECT * FROM '/etc/passwd.csv'",
    "SELECT * FROM glob('/etc/*')",
    "SELECT * FROM sniff_csv('/etc/passwd')",
    "SELECT * FROM read_csv('https://example.com/x.csv')",
    "SELECT * FROM parquet_metadata('/tmp/x.parquet')",
    "SELECT getenv('HOME')",
    "SELECT * FROM query('SELECT * FROM read_text(''/etc/passwd'')')",
    "SELECT * FROM query_table('/etc/passwd')",
    "SELECT * FROM duckdb_secrets()",
    "COPY records TO '/tmp/treering-stolen.csv'",
    "COPY (SELECT 1) TO '/dev/stdout'",
    "EXPLAIN ANALYZE COPY (SELECT 1) TO '/tmp/treering-stolen.csv'",
    "EXPORT DATABASE '/tmp/treering-stolen'",
    "ATTACH '/tmp/treering-stolen.db'",
    "ATTACH ':memory:' AS other",
    "INSTALL httpfs",
    "LOAD httpfs",
    "SET memory_limit = '100GB'",
    "SET enable_external_access = true",
    "RESET lock_configuration",
    "PRAGMA database_list",
    "PRAGMA enable_profiling",
    "CALL pragma_version()",
    "CREATE TABLE t AS SELECT 1",
    "CREATE OR REPLACE VIEW records AS SELECT 1",
    "CREATE MACRO f() AS 1",
    "CREATE SECRET s (TYPE s3)",
    "DROP VIEW records",
    "INSERT INTO records VALUES (1)",
    "UPDATE records SET level = 'INFO'",
    "DELETE FROM records",
    "PREPARE p AS SELECT 1",
    "BEGIN",
    "CHECKPOINT",
    "USE memory",
    "VACUUM",
    "SELECT 1; SELECT 2",
    "SELECT 1; DROP VIEW records",
    "",
    "-- nothing",
    "SELECT",
    "SELECT no_such_column FROM records",
    "SELECT * FROM no_such_table",
    "SELECT 1 /* unfinished",
    "SELECT '\x00'; DROP VIEW records",
]


@pytest.fixture(scope="module")
def store(written):
    from treering.store import open_store

    with open_store(written, threads=2, memory=256 << 20) as store:
        yield store


@pytest.mark.parametrize("statement", FORBIDDEN)
def test_nothing_but_questions_about_records_is_answered(store, written, statement):
    with pytest.raises(TreeringError) as caught:
        store.sql(statement).to_list()

    assert isinstance(caught.value, QueryError)
    said = str(caught.value)
    assert "/proc" not in said and str(written) not in said
    assert "\n" not in said
    assert not list(Path("/tmp").glob("treering-stolen*"))
    assert store.sql("SELECT count(*) > 0 AS yes FROM records").to_list() == [{"yes": True}]


EXHAUSTING = [
    "WITH RECURSIVE t(a) AS (SELECT 1 UNION ALL SELECT a + 1 FROM t) SELECT count(*) FROM t",
    "SELECT count(*) FROM records a, records b, records c, records d, records e",
    "SELECT sum(i) FROM range(100000000000) t(i)",
    "SELECT count(*) FROM generate_series(1, 100000000000)",
    "SELECT list(i) FROM range(100000000000) t(i)",
    "SELECT repeat('x', 1000000000) || repeat('y', 1000000000)",
    "SELECT lpad('x', 2000000000, 'y')",
    "SELECT list_sort(range(1000000000))",
    "SELECT string_agg(a.message, '') FROM records a, records b, records c",
    "SELECT levenshtein(repeat('ab', 20000), repeat('ba', 20000))",
    "SELECT printf('%1000000000d', 1)",
]


@pytest.mark.parametrize("statement", EXHAUSTING)
def test_what_would_never_end_or_fit_is_stopped(store, statement):
    begun = time.monotonic()

    with pytest.raises((QueryTimeout, QueryTooLarge, QueryError)):
        store.sql(statement, timeout_s=1.5).to_list()

    assert time.monotonic() - begun < 10
    assert store.sql("SELECT 1 AS n").to_list() == [{"n": 1}]


def test_a_regular_expression_is_linear(store):
    bomb = "SELECT regexp_matches(repeat('a', 50000), '(a*)*b') AS found"

    assert store.sql(bomb, timeout_s=5).to_list() == [{"found": False}]


def test_sql_sees_nothing_of_the_environment(store, monkeypatch):
    monkeypatch.setenv("TREERING_TEST_SECRET", "hunter2")

    workers = [
        path.read_bytes()
        for path in Path("/proc").glob("[0-9]*/environ")
        if b"treering.store._worker" in (path.parent / "cmdline").read_bytes()
        and f"\nPPid:\t{os.getpid()}\n" in (path.parent / "status").read_text()
    ]
    store.sql("SELECT 1").to_list()
    assert all(b"hunter2" not in environment for environment in workers)


def test_sql_is_cancelled_from_another_thread(store):
    rows = store.sql("SELECT a.message FROM records a, records b, records c")
    threading.Timer(0.3, rows.cancel).start()

    with pytest.raises(QueryCancelled):
        for _ in rows:
            pass


def test_two_answers_are_read_at_once(store):
    first, second = (store.sql("SELECT i FROM range(100000) t(i)") for _ in range(2))

    assert [a["i"] == b["i"] for a, b in zip(first, second, strict=True)].count(True) == 100_000


@pytest.fixture(scope="module")
def odd(tmp_path_factory):
    """A journal in one file, with fields that look like something in our SQL, and one that is null."""
    from programs import run

    from treering.archive import archive

    directory = tmp_path_factory.mktemp("odd") / "logs"
    program = """
import sys, treering
treering.configure(directory=sys.argv[1], console=False)
log = treering.get_logger("odd")
for number in range(100):
    log.info("plain", **{"{0}": number, "it's": "a", 'a "b"': 1.5, "user_id": number, "is_new": True})
log.info("null", user_id=None, **{"{0}": "text"})
log.info("only null", user_id=None)
treering.shutdown()
"""
    run(program, directory)
    archive(directory, all=True)
    return directory


def test_a_field_may_be_called_as_sql_calls_a_file(odd):
    with open_store(odd) as store:
        found = store.sql('SELECT max(TRY_CAST("metadata.{0}" AS INT)) AS most FROM records')

        assert found.to_list() == [{"most": 99}]


def test_objects_keep_their_nulls_and_their_odd_keys(odd):
    with open_store(odd) as store:
        rows = store.sql("SELECT metadata FROM records WHERE component = 'odd' ORDER BY \"index\"")
        found = [json.loads(row["metadata"]) for row in rows]
        expected = [record.value["metadata"] for record in store.search("", limit=None).records()]

    assert found == expected[::-1]
    assert found[-1] == {"user_id": None}
