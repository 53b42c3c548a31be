"""The archive of a journal: closed segments as Parquet files; retention, encryption, a second place."""

from treering.archive._archive import ArchivedFile, Archiving, archive, archived

__all__ = ["ArchivedFile", "Archiving", "archive", "archived"]
