"""The compiler against the slow reference: the same answer to any question."""

import datetime
import json
import math
from random import Random

import pytest
from asked import FIELDS, LEVELS, LITERALS, TEXTS, connect, corpus, filters, line, queries, table
from hypothesis import HealthCheck, given, settings
from store.reference import matches, search, searched, words

from treering.store.query import (
    Columns,
    Compare,
    Fragment,
    Pattern,
    Query,
    compile_filter,
    compile_pipes,
    level_bounds,
    parse,
    parse_time,
    required_words,
    time_bounds,
    unparse,
)

NOW_NS = 1_795_255_380_000_000_000  # 2026-11-21T10:03:00Z
PROMOTED = [
    {},
    {"context.a": "integer", "metadata.ab": "string", "metadata.a b": "string"},
    {
        "context.a": "string",
        "context.x.y": "double",
        "metadata.x": "boolean",
        "metadata.q": "integer",
    },
]
CHOSEN = corpus(5, 300)
LINES = [(index, line(record)) for index, record in enumerate(CHOSEN)]
quick = settings(deadline=None, suppress_health_check=list(HealthCheck))


@pytest.fixture(scope="module", params=PROMOTED, ids=["nothing", "some", "others"])
def relation(request):
    """The records in a table, with other promoted columns each time."""
    with connect() as connection:
        table(connection, list(enumerate(CHOSEN)), request.param)
        yield connection, Columns(request.param)


def test_every_kind_of_comparison_holds_for_every_kind_of_value(relation):
    connection, columns = relation
    for operator in (":", "=", "!=", "<", "<=", ">", ">="):
        pairs = [(field, text) for field in FIELDS for text in (*TEXTS, *LITERALS) if text]
        nodes = [
            Compare(field, operator, Pattern((text,)))
            for field, text in Random(operator).sample(pairs, 40)
        ]
        made = [compile_filter(node, columns, now_ns=NOW_NS) for node in nodes]
        listed = ", ".join(f"({sql}) IS TRUE" for sql, _ in made)
        asked = f'SELECT {listed} FROM r WHERE "index" < 60 ORDER BY "index"'
        answers = connection.execute(asked, [of for _, parameters in made for of in parameters])

        for (index, row), found in zip(LINES, answers.fetchall(), strict=False):
            read = json.loads(row) | {"index": index}
            expected = tuple(matches(node, read, NOW_NS) for node in nodes)
            wrong = [unparse(n) for n, a, b in zip(nodes, found, expected, strict=True) if a != b]
            assert not wrong, row


@settings(quick, max_examples=40)
@given(filters)
def test_a_filter_finds_what_the_reference_finds(relation, node):
    connection, columns = relation
    sql, parameters = compile_filter(node, columns, now_ns=NOW_NS)
    found = connection.execute(f'SELECT "index" FROM r WHERE {sql} ORDER BY 1', parameters)

    _, expected = search(Query(node), LINES, NOW_NS)
    assert [index for (index,) in found.fetchall()] == expected, unparse(node)


@settings(quick, max_examples=25)
@given(queries)
def test_pipes_answer_what_the_reference_answers(relation, query):
    connection, columns = relation
    plan = compile_pipes(query, now_ns=NOW_NS)
    halves = [
        plan.select(
            Fragment(f'(SELECT * FROM r WHERE "index" % 2 = {half})'), columns, now_ns=NOW_NS
        )
        for half in (0, 1)
    ]
    sql, parameters = plan.over(halves)
    found = connection.execute(sql, parameters).fetchall()

    names, expected = search(query, LINES, NOW_NS)
    assert names is None or [name for name, _ in plan.columns] == list(names)
    if names is None:
        expected = [(index,) for index in expected]
    assert len(found) == len(expected), unparse(query)
    for row, wanted in zip(found, expected, strict=True):
        assert all(map(is_same, row, wanted)), f"{unparse(query)}: {row} is not {wanted}"


def is_same(found, wanted):
    if isinstance(found, datetime.datetime):
        # Only microseconds come out as a datetime.
        since = found - datetime.datetime(1970, 1, 1)
        return since // datetime.timedelta(microseconds=1) == wanted // 1000
    if isinstance(found, float) and isinstance(wanted, float):
        return math.isclose(found, wanted, rel_tol=1e-9, abs_tol=1e-9)
    return found == wanted and type(found) is type(wanted)


@settings(quick, max_examples=100)
@given(queries)
def test_a_query_reads_back_as_it_was_written(query):
    assert parse(unparse(query)) == query


@settings(quick, max_examples=60)
@given(filters)
def test_what_is_said_to_be_in_every_match_is_in_it(node):
    since, until = time_bounds(node, now_ns=NOW_NS)
    lowest, highest = level_bounds(node)
    required = required_words(node)
    for record in CHOSEN[:60]:
        if not matches(node, record | {"index": 0}, NOW_NS):
            continue
        at = parse_time(record["timestamp"], 0)[0]
        level = LEVELS[record["level"]]

        assert (since is None or since <= at) and (until is None or at < until)
        assert (lowest is None or lowest <= level) and (highest is None or level <= highest)
        assert required <= {word for text in searched(record) for word in words(text)}
