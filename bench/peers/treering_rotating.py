"""This project's text file, fed from the process's ring."""

import treering
from treering.outputs.file import FileOutput


def open_log(path, max_bytes, backups, directory=None):
    treering.configure(directory=directory, console=False, block_timeout_s=60)
    output = FileOutput(path, max_bytes=max_bytes, backup_count=backups)
    treering.add_output(output)
    return treering.get_logger("bench").info


def close():
    assert treering.flush(60)
    treering.shutdown(60)
