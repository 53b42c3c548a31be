"""This project's text file, fed from a journal that is written and sealed besides."""

from bench.peers import treering_rotating
from bench.peers.treering_rotating import close

__all__ = ["close", "open_log"]


def open_log(path, max_bytes, backups):
    return treering_rotating.open_log(
        path, max_bytes, backups, directory=path.replace("/app.log", "-journal")
    )
