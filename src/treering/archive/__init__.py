"""The archive of a journal: closed segments as Parquet files; retention, encryption, a second place."""

from treering.archive._encryption import Rewrapped, identities, recipients, rewrap

__all__ = ["Rewrapped", "identities", "recipients", "rewrap"]
