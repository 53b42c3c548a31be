"""Asking questions of a journal: search, SQL, histograms, over the archive and what is being written.

`open_store` gives a `Store`. Nothing here writes to a journal, and nobody who writes waits for it.
Records are found by DuckDB in the files as they lie; what is shown of them is the line that was
sealed. `docs/guides/search.md` shows how it is used.
"""

from treering.store._journal_store import JournalStore, open_store
from treering.store._result import Record, Records, Result, Table, arrow_batches
from treering.store._store import FieldUse, Store

__all__ = [
    "FieldUse",
    "JournalStore",
    "Record",
    "Records",
    "Result",
    "Store",
    "Table",
    "arrow_batches",
    "open_store",
]
