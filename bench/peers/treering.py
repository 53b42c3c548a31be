"""This project."""

import treering

DURABILITY = "survives the process (shared memory)"


def open_log(path):
    treering.configure(directory=path, console=False, ring_bytes="4MB", block_timeout_s=60)
    return treering.get_logger("bench").info


def close():
    treering.shutdown(60)
