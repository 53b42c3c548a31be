"""The archive of a journal: closed segments as Parquet files; retention, encryption, a second place."""

from treering.archive._archive import ArchivedFile, Archiving, archive, archived
from treering.archive._encryption import Rewrapped, identities, recipients, rewrap

__all__ = [
    "ArchivedFile",
    "Archiving",
    "Rewrapped",
    "archive",
    "archived",
    "identities",
    "recipients",
    "rewrap",
]
