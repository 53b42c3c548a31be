"""Records on standard streams, as an output among others."""

import json
import os
import subprocess
import threading

from programs import run, start, wait_for

import treering
from treering.outputs.console import ConsoleOutput


def test_json_goes_to_standard_output_and_text_to_standard_error():
    _, out, err = run(
        """
        import treering
        from treering.outputs.console import ConsoleOutput
        treering.configure(profile="development")
        treering.add_output(ConsoleOutput(format="json"))
        treering.get_logger("app").info("hello", user_id=7)
        """
    )
    assert json.loads(out)["metadata"] == {"user_id": 7}
    assert err.rstrip().endswith("app: hello  user_id=7")


def test_a_stream_that_nobody_reads_any_more_delays_nobody(tmp_path):
    process = start(
        """
        import os, sys, time, treering
        from treering.outputs.console import ConsoleOutput
        treering.configure(console=False)
        treering.add_output(ConsoleOutput(format="json"))
        sys.stdin.readline()
        began = time.monotonic()
        for number in range(20_000):
            treering.get_logger("app").info("x" * 200)
        treering.flush(10)
        print(time.monotonic() - began, treering.list_outputs()[0]["refused"], file=sys.stderr)
        os._exit(0)
        """,
        stdin=subprocess.PIPE,
    )
    process.stdout.close()
    process.stdin.write("\n")
    process.stdin.close()
    seconds, refused = process.stderr.read().split()
    process.stderr.close()
    process.wait(30)
    assert float(seconds) < 8
    assert int(refused) > 19_000


def test_a_reader_that_pauses_gets_every_line_whole():
    reading, writing = os.pipe()
    os.set_blocking(writing, False)
    output = ConsoleOutput(format="json")
    output._descriptor = writing
    treering.configure(console=False)
    treering.add_output(output)
    log = treering.get_logger("app")
    threading.Thread(target=lambda: [log.info(f"record {n}") for n in range(3000)]).start()
    wait_for(lambda: not treering.list_outputs()[0]["up"], "the output's patience to end")
    got = b""
    while b'"record 2999"' not in got or not got.endswith(b"\n"):
        got += os.read(reading, 1 << 16)
    os.close(reading)
    treering.shutdown()
    os.close(writing)
    messages = [json.loads(line)["message"] for line in got.splitlines()]
    assert "output console cannot write" in messages
    messages = [message for message in messages if message.startswith("record")]
    assert messages == [f"record {number}" for number in range(3000)]
