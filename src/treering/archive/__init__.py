"""The archive of a journal: closed segments as Parquet files; retention, encryption, a second place."""
