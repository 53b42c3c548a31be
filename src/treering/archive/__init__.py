"""The archive of a journal: closed segments as Parquet files; retention, encryption, a second place."""

from treering.archive._archive import ArchivedFile, Archiving, archive, archived
from treering.archive._copy import Copied, copy
from treering.archive._encryption import Rewrapped, identities, identity_files, recipients, rewrap
from treering.archive._retention import (
    Hold,
    RetentionPlan,
    Spared,
    Step,
    hold,
    holds,
    release,
    retain,
)

__all__ = [
    "ArchivedFile",
    "Archiving",
    "Copied",
    "Hold",
    "RetentionPlan",
    "Rewrapped",
    "Spared",
    "Step",
    "archive",
    "archived",
    "copy",
    "hold",
    "holds",
    "identities",
    "identity_files",
    "recipients",
    "release",
    "retain",
    "rewrap",
]
