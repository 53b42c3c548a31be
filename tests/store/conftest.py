"""One journal, as three: nothing of it archived, half of it, all that is closed."""

import shutil
from dataclasses import dataclass
from pathlib import Path

import pytest
from journals import archive, lines, segments, write

from treering.store import open_store

HIDDEN = b'"component":"treering.journal"'


@dataclass(frozen=True)
class Asked:
    """A store, and the truth about its journal.

    Attributes:
        lines: Index and canonical line of every record, also of those that the journal wrote.
    """

    store: object
    directory: Path
    lines: list

    @property
    def shown(self):
        return [(index, line) for index, line in self.lines if HIDDEN not in line]


@pytest.fixture(scope="session")
def written(tmp_path_factory):
    directory = tmp_path_factory.mktemp("store") / "logs"
    write(directory)
    return directory


@pytest.fixture(scope="session", params=["active", "mixed", "archived"])
def asked(request, written, tmp_path_factory):
    directory = tmp_path_factory.mktemp(request.param) / "logs"
    shutil.copytree(written, directory)
    known = lines(directory)
    closed = len(segments(directory)) - 1
    archive(directory, {"active": 0, "mixed": closed // 2, "archived": closed}[request.param])
    with open_store(directory, threads=2) as store:
        yield Asked(store, directory, known)
