"""Archived journals for the tests of the seal, and what an attacker does to a file of the archive."""

import json

import pyarrow.parquet
from forging import sealed_journal

from treering import _core


def archived_journal(directory, **settings):
    """A sealed journal in several epochs, of which all closed segments are files of the archive."""
    trust = sealed_journal(directory, **settings)
    _core.archive_now(directory)
    return trust


def files(journal):
    """The files of the archive that hold records, in order."""
    return sorted(journal.glob("archive/date=*/*.parquet"), key=lambda path: path.name)


def rewrite(path, *, rows=None, facts=None):
    """Writes a file anew as any Parquet writer would, with other rows or other facts."""
    file = pyarrow.parquet.ParquetFile(path)
    table, known = file.read(), json.loads(file.schema_arrow.metadata[b"treering"])
    if rows is not None:
        table = pyarrow.Table.from_pylist(rows(table.to_pylist()), schema=table.schema)
    known |= facts or {}
    table = table.replace_schema_metadata({"treering": json.dumps(known)})
    pyarrow.parquet.write_table(table, path, compression="zstd")
    return known


def file_of(journal, text):
    """The file that holds a record with this text in its message, and the record's index."""
    for path in files(journal):
        for row in pyarrow.parquet.ParquetFile(path).read(["index", "message"]).to_pylist():
            if text in row["message"]:
                return path, row["index"]
    raise LookupError(text)
