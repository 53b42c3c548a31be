"""A file of the archive opens in what people have, and gives back the lines it was made of."""

import datetime
import json
import stat

import pytest

from treering import _core
from treering.errors import JournalDamaged

BEGIN = datetime.datetime(2026, 11, 21, 1, 18, tzinfo=datetime.UTC)


def line(number: int) -> bytes:
    record = {
        "timestamp": f"2026-11-21T01:18:{number % 60:02}.{number:09}Z",
        "level": "ERROR" if number % 10 == 0 else "INFO",
        "category": "application",
        "component": "shop.cart",
        "message": f'order {number} said "ähm"',
        "file": "shop/cart.py",
        "line": 41,
        "process": 7,
        "metadata": {"user_id": number % 50, "amount": number / 4, "vip": number % 2 == 0},
    }
    if number % 5 == 0:
        # Another type than most, and another place.
        record["metadata"] = {"note": None, "vip": False, "user_id": f"u{number}"}
    return json.dumps(record, separators=(",", ":"), ensure_ascii=False).encode()


LINES = [line(number) for number in range(2000)]


@pytest.fixture
def parquet(tmp_path):
    """Records 100 to 2099 as a file of the archive."""
    source = tmp_path / "source.jsonl"
    source.write_bytes(b"".join(line + b"\n" for line in LINES))
    path = tmp_path / "archive" / "date=2026-11-21" / f"{100:020}.parquet"
    path.parent.mkdir(parents=True)
    facts = _core.archive_write([(100, source)], path, "j1")
    assert facts["rows"] == len(LINES)
    return path


def test_the_lines_come_back_byte_for_byte(parquet):
    pieces = _core.archive_lines(parquet)
    assert pieces[0][0] == 100
    assert b"".join(lines for _, lines in pieces) == b"".join(line + b"\n" for line in LINES)


def test_reading_may_begin_anywhere(parquet):
    [(first, lines)] = _core.archive_lines(parquet, 2098)
    assert (first, lines) == (2098, LINES[1998] + b"\n" + LINES[1999] + b"\n")


def test_erased_records_leave_their_neighbours_their_indexes(tmp_path):
    source, path = tmp_path / "source.jsonl", tmp_path / "out.parquet"
    source.write_bytes(LINES[0] + b"\n\n\n" + LINES[1] + b"\n" + b"\n" * 5000 + LINES[2] + b"\n")
    assert _core.archive_write([(0, source)], path)["rows"] == 3
    pieces = [(0, LINES[0] + b"\n\n\n" + LINES[1] + b"\n"), (5004, LINES[2] + b"\n")]
    assert _core.archive_lines(path) == pieces


def test_only_the_owner_may_read_it(parquet):
    assert stat.S_IMODE(parquet.stat().st_mode) == 0o600


def test_the_archive_lists_its_files_with_their_facts(parquet):
    [facts] = _core.archive_list(parquet.parents[2])
    assert (facts["first"], facts["end"], facts["journal"]) == (100, 2100, "j1")
    assert facts["levels"] == {"ERROR": 200, "INFO": 1800}
    assert facts["path"] == parquet
    assert facts["bytes"] == parquet.stat().st_size
    promoted = {one["column"]: (one["type"], one["elsewhere"]) for one in facts["promoted"]}
    assert promoted["metadata.user_id"] == ("int64", 400)
    assert promoted["metadata.amount"] == ("double", 0)
    assert promoted["metadata.vip"] == ("boolean", 0)


def check_values(rows):
    """Rows of index, timestamp in ns, level, level_number, message, user_id, amount, metadata."""
    for number, row in enumerate(rows):
        record = json.loads(LINES[number])
        fields = record["metadata"]
        is_odd = number % 5 == 0
        expected = (
            100 + number,
            int(BEGIN.timestamp()) * 10**9 + number % 60 * 10**9 + number,
            record["level"],
            40 if number % 10 == 0 else 20,
            record["message"],
            None if is_odd else fields["user_id"],
            fields.get("amount"),
            f'{{"note":null,"user_id":"u{number}"}}' if is_odd else None,
        )
        assert tuple(row) == expected
    assert number == len(LINES) - 1


NAMES = ["index", "timestamp", "level", "level_number", "message"]
FIELDS = ["metadata.user_id", "metadata.amount", "metadata"]


def test_duckdb_reads_it(parquet):
    import duckdb

    columns = "index, epoch_ns(timestamp), level, level_number, message"
    fields = '"metadata.user_id", "metadata.amount", metadata'
    query = f"select {columns}, {fields} from read_parquet(?)"
    check_values(duckdb.execute(query, [str(parquet)]).fetchall())


def test_duckdb_understands_the_time_as_utc(parquet):
    import duckdb

    with duckdb.connect() as connection:
        connection.execute("set timezone = 'UTC'")
        found = connection.execute(
            "select strftime(timestamp, '%Y-%m-%d %H:%M:%S') from read_parquet(?) limit 1",
            [str(parquet)],
        )
        assert found.fetchall() == [("2026-11-21 01:18:00",)]


def test_polars_reads_it(parquet):
    import polars

    frame = polars.read_parquet(parquet)
    assert frame.schema["timestamp"] == polars.Datetime("ns", "UTC")
    frame = frame.with_columns(polars.col("timestamp").dt.epoch("ns"))
    check_values(frame.select(NAMES + FIELDS).rows())


def test_pandas_reads_it(parquet):
    import pandas

    frame = pandas.read_parquet(parquet, engine="pyarrow", dtype_backend="pyarrow")
    assert str(frame["timestamp"].dtype) == "timestamp[ns, tz=UTC][pyarrow]"
    frame["timestamp"] = frame["timestamp"].astype("int64[pyarrow]")
    table = frame[NAMES + FIELDS].astype(object).where(frame[NAMES + FIELDS].notna(), None)
    check_values(table.itertuples(index=False, name=None))


def test_a_changed_byte_is_an_error_or_changes_nothing(parquet):
    whole = parquet.read_bytes()
    expected = b"".join(line + b"\n" for line in LINES)
    refused = 0
    for at in range(4, len(whole), max(1, len(whole) // 200)):
        changed = bytearray(whole)
        changed[at] ^= 0x55
        parquet.write_bytes(changed)
        try:
            found = b"".join(lines for _, lines in _core.archive_lines(parquet))
        except JournalDamaged as error:
            assert str(parquet) in str(error)
            refused += 1
        else:
            # What the seal is for: such a change reads well, and is found by its commitment.
            assert isinstance(found, bytes)
            refused += found != expected
    assert refused > 0
