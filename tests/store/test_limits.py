"""Journals of more files than may be open."""

from journals import archive, write
from programs import run

FEW = """
import resource, sys
from treering.errors import QueryTooLarge
from treering.store import open_store
import duckdb, pyarrow.parquet
resource.setrlimit(resource.RLIMIT_NOFILE, (int(sys.argv[2]), 4096))
try:
    with open_store(sys.argv[1]) as store:
        store.count()
except QueryTooLarge as error:
    print(error.hint)
"""


def test_more_files_than_may_be_open_are_a_question_too_large(tmp_path):
    write(tmp_path / "logs", 2000)
    archive(tmp_path / "logs", together=1)
    files = len(list(tmp_path.glob("logs/archive/date=*/*.parquet")))

    _, out, _ = run(FEW, tmp_path / "logs", files + 5)
    assert "ulimit -n" in out
