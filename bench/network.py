"""How fast do records leave over the network?"""

import glob
import socket
import statistics
import subprocess
import sys
import time

from bench.data import LINE_BYTES, fill
from bench.process import child
from bench.report import Report, spread

RECORDS = 100_000
BATCH_RECORDS = 1000
"""What the journal's readers hand over at a time: 256 KiB."""

ROWS = {
    "bytes as they are, one TCP connection": ("raw", None),
    "syslog, TCP, RFC 5424": ("syslog", {"protocol": "tcp"}),
    "syslog, UDP, RFC 5424": ("udp", {"protocol": "udp"}),
    "http, not compressed": ("http", {"compression": "none"}),
    "http, gzip": ("http", {"compression": "gzip"}),
    "http, zstd": ("http", {"compression": "zstd"}),
}


def network():
    report = Report(
        f"How fast do records of {LINE_BYTES} bytes leave over the network, to a sink on this machine?",
        ("way", "records/s", "× bytes as they are", "arrived"),
    )
    runs = [child("network.rates", "PATH") for _ in range(3)]
    raw = statistics.median(run[next(iter(ROWS))]["rate"] for run in runs)
    for way in ROWS:
        rates = [run[way]["rate"] for run in runs]
        arrived = min(run[way]["arrived"] for run in runs)
        assert arrived == RECORDS or ROWS[way][0] == "udp", (way, arrived)
        report.row(
            way,
            spread(rates, 0),
            f"{statistics.median(rates) / raw:.2f}",
            f"{arrived / RECORDS:.0%}",
        )
    return report


def rates(path):
    """Records a second by way, from the first until the sink has counted them."""
    fill(path, RECORDS)
    lines = []
    for name in sorted(glob.glob(f"{path}/active/*")):
        with open(name, "rb") as file:
            lines += [line for line in file if b"treering.journal" not in line]
    assert len(lines) == RECORDS
    return {way: rate(kind, options, lines) for way, (kind, options) in ROWS.items()}


def rate(kind, options, lines):
    from treering.outputs import Batch, formatter

    shape = formatter("json")
    batches = [
        Batch(b"".join(lines[at : at + BATCH_RECORDS]), range(at, at + BATCH_RECORDS), shape)
        for at in range(0, len(lines), BATCH_RECORDS)
    ]
    sink = subprocess.Popen(
        [sys.executable, "-m", "bench.sinks", kind],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    write, close = destination(kind, options, int(sink.stdout.readline()))
    begin = time.perf_counter()
    for batch in batches:
        write(batch)
    took = time.perf_counter() - begin
    close()
    arrived = int(sink.communicate("")[0])
    return {"rate": len(lines) / took, "arrived": arrived}


def destination(kind, options, port):
    if kind == "raw":
        connection = socket.create_connection(("127.0.0.1", port))
        return lambda batch: connection.sendall(batch.data), connection.close
    if kind == "http":
        from treering.outputs.http import HttpOutput

        output = HttpOutput(url=f"http://127.0.0.1:{port}/", **options)
    else:
        from treering.outputs.syslog import SyslogOutput

        output = SyslogOutput(host="127.0.0.1", port=port, **options)
    output.open()
    return output.write, output.close
