"""Records that are not archived yet, as Arrow record batches."""

import json

import pyarrow
import pyarrow.parquet
import pytest

import treering
from treering import _core
from treering.errors import ConfigurationError


def line(number: int) -> bytes:
    record = {
        "timestamp": f"2026-11-21T01:18:00.{number:09}Z",
        "level": "WARNING" if number % 2 else "INFO",
        "component": "shop",
        "message": f"order {number}",
        "metadata": {"user_id": number},
    }
    return json.dumps(record, separators=(",", ":")).encode()


def table(stream) -> pyarrow.Table:
    return pyarrow.RecordBatchReader.from_stream(stream).read_all()


def lines(count: int) -> bytes:
    return b"".join(line(number) + b"\n" for number in range(count))


def test_lines_have_the_columns_of_the_archive(tmp_path):
    source, path = tmp_path / "source.jsonl", tmp_path / "out.parquet"
    source.write_bytes(lines(100))
    _core.archive_write([(0, source)], path)
    found = table(_core.lines_to_arrow(0, lines(100)))
    names = [name for name in pyarrow.parquet.read_schema(path).names if "." not in name]
    assert found.schema.names == names
    assert found.schema.field("timestamp").type == pyarrow.timestamp("ns", "UTC")
    assert found["index"].to_pylist() == list(range(100))
    assert found["metadata"][7].as_py() == '{"user_id":7}'
    assert found["verbatim"].null_count == 100


def test_many_lines_come_in_batches():
    batches = list(pyarrow.RecordBatchReader.from_stream(_core.lines_to_arrow(5, lines(20000))))
    assert [batch.num_rows for batch in batches] == [8192, 8192, 3616]
    assert batches[-1]["index"][-1].as_py() == 20004


def test_a_filter_chooses_before_anything_is_taken_apart():
    found = table(_core.lines_to_arrow(0, lines(10), _core.Filter(level=30)))
    assert found["index"].to_pylist() == [1, 3, 5, 7, 9]


def test_columns_come_in_the_order_they_are_asked_for():
    found = table(_core.lines_to_arrow(0, lines(3), columns=["message", "index"]))
    assert found.to_pydict() == {"message": ["order 0", "order 1", "order 2"], "index": [0, 1, 2]}


def test_an_unknown_column_is_refused():
    with pytest.raises(ConfigurationError, match="'nothing'"):
        _core.lines_to_arrow(0, b"", columns=["nothing"])


def test_lines_that_are_no_records_are_found_by_their_text():
    [row] = table(_core.lines_to_arrow(3, b"\nwhat is \xff this\n")).to_pylist()
    assert (row["index"], row["message"]) == (4, "what is \\xff this")
    assert row["verbatim"] == b"what is \xff this"


def test_duckdb_queries_lines_more_than_once():
    import duckdb

    batches = _core.lines_to_arrow(0, lines(1000))
    with duckdb.connect() as connection:
        connection.register("lines", batches)
        for _ in range(2):
            query = "select count(*), max(index) from lines where level_number >= 30"
            assert connection.execute(query).fetchall() == [(500, 999)]


def test_a_living_journal_streams_what_was_committed(journal):
    treering.configure(directory=journal, console=False)
    log = treering.get_logger("shop")
    for number in range(500):
        log.info("order", number=number)
    assert treering.flush(10)
    filtered = _core.ActiveBatches(journal, filter=_core.Filter(component="shop"))
    found = table(filtered)
    assert [json.loads(text)["number"] for text in found["metadata"].to_pylist()] == [*range(500)]
    begin = found["index"][100].as_py()
    part = table(_core.ActiveBatches(journal, begin, begin + 50, columns=["index"]))
    assert part["index"].to_pylist() == list(range(begin, begin + 50))
    treering.shutdown()


def test_files_that_are_removed_meanwhile_are_read_to_their_end(journal):
    treering.configure(directory=journal, console=False)
    treering.get_logger("shop").info("still here")
    treering.shutdown()
    batches = _core.ActiveBatches(journal, columns=["message"])
    for path in (journal / "active").iterdir():
        path.unlink()
    assert "still here" in table(batches)["message"].to_pylist()
