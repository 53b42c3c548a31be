"""What was logged survives every way in which a process can end."""

import signal

import pytest
from programs import records, run, start, wait_for

LOG_5000 = """
import os, signal, sys, treering
treering.configure(directory=sys.argv[1], console=False)
log = treering.get_logger("worker")
for number in range(5000):
    log.info("step", number=number)
"""

ENDINGS = {
    "sigkill": "os.kill(os.getpid(), signal.SIGKILL)",
    "sigterm": "os.kill(os.getpid(), signal.SIGTERM)",
    "os._exit": "os._exit(3)",
    "normal exit": "",
    "sys.exit": "sys.exit(1)",
    "exception": "raise RuntimeError('boom')",
    "segfault": "import ctypes; ctypes.string_at(0)",
    "abort": "os.abort()",
}


@pytest.mark.parametrize("ending", ENDINGS)
def test_every_returned_call_is_in_the_journal_however_the_process_ends(journal, ending):
    run(LOG_5000 + ENDINGS[ending], journal, check=False)

    numbers = [record["metadata"]["number"] for record in records(journal)]

    assert numbers == list(range(5000))


def test_records_of_the_last_moments_of_an_interpreter_are_kept(journal):
    run(
        """
        import atexit, sys, treering
        treering.configure(directory=sys.argv[1], console=False)
        log = treering.get_logger("end")
        class Late:
            def __init__(self): self.log = log
            def __del__(self): self.log.info("from __del__")
        keep = Late()
        atexit.register(lambda: log.info("from atexit"))
        log.info("from the program")
        """,
        journal,
    )

    messages = [record["message"] for record in records(journal)]

    assert messages == ["from the program", "from atexit", "from __del__"]


def test_a_process_killed_while_it_logs_loses_no_returned_call(journal, tmp_path):
    count = tmp_path / "count"
    count.write_bytes(bytes(8))
    program = start(
        """
        import mmap, struct, sys, treering
        treering.configure(directory=sys.argv[1], console=False)
        file = open(sys.argv[2], "r+b")
        counter = mmap.mmap(file.fileno(), 8)
        log = treering.get_logger("worker")
        number = 0
        while True:
            log.info("step", number=number)
            number += 1
            counter[:8] = struct.pack("<q", number)
        """,
        journal,
        count,
    )
    wait_for(lambda: int.from_bytes(count.read_bytes(), "little") > 20_000, "records")
    program.send_signal(signal.SIGKILL)
    program.communicate()

    returned = int.from_bytes(count.read_bytes(), "little")
    numbers = [record["metadata"]["number"] for record in records(journal)]

    assert numbers == list(range(len(numbers)))
    assert returned <= len(numbers) <= returned + 1


def test_shared_memory_is_gone_after_the_last_process(journal):
    _, out, _ = run(
        """
        import sys, treering
        treering.configure(directory=sys.argv[1], console=False)
        treering.get_logger("a").info("hello")
        from treering import _core
        print(_core.journal_status(sys.argv[1])["id"])
        """,
        journal,
    )
    from pathlib import Path

    left = list(Path("/dev/shm").glob(f"treering-*/{out.strip()}/*"))

    assert left == []
