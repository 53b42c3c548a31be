"""The compiler against the slow reference: the same answer to any question."""

import datetime
import math

import pytest
from asked import connect, filters, line, pipelines, queries, records, table
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from store.reference import matches, search

from treering.store.query import (
    Columns,
    Compare,
    Fragment,
    Query,
    compile_filter,
    compile_pipes,
    level_bounds,
    parse,
    required_words,
    time_bounds,
    unparse,
)

NOW_NS = 1_795_255_380_000_000_000  # 2026-11-21T10:03:00Z
PROMOTED = [
    {},
    {"context.a": "integer", "metadata.ab": "string", "metadata.a b": "string"},
    {"context.a": "string", "context.x.y": "double", "metadata.x": "boolean", "metadata.q": "integer"},
]
some_records = st.lists(records(), min_size=1, max_size=6)


@pytest.fixture(scope="module")
def connection():
    with connect() as connection:
        yield connection


def lines_of(chosen):
    return [(index, line(record)) for index, record in enumerate(chosen)]


@settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
@given(some_records, st.lists(filters, min_size=3, max_size=6), st.sampled_from(PROMOTED))
def test_a_filter_finds_what_the_reference_finds(connection, chosen, nodes, promoted):
    table(connection, list(enumerate(chosen)), promoted)
    for node in nodes:
        sql, parameters = compile_filter(node, Columns(promoted), now_ns=NOW_NS)
        found = connection.execute(f'SELECT "index" FROM r WHERE {sql} ORDER BY 1', parameters).fetchall()

        _, expected = search(Query(node), lines_of(chosen), NOW_NS)
        assert [index for (index,) in found] == expected, unparse(node)
