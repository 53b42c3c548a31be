"""What do the outputs to OpenTelemetry, serial lines and journald cost, when nobody is slow there?"""

import gzip
import os
import pty
import signal
import socket
import statistics
import time
import tty
from http.server import BaseHTTPRequestHandler, HTTPServer

from bench.data import FIELDS, MESSAGE
from bench.process import child
from bench.report import Report, spread

RECORDS = 50_000
BATCH_BYTES = 256 << 10


def local_sinks():
    report = Report(
        "What do OTLP, a serial line and journald cost, when nobody is slow there?",
        ("output", "records/s", "× writing the raw lines to a file"),
    )
    runs = [child("local_sinks.rates", "PATH") for _ in range(3)]
    for name in runs[0]:
        ratios = [run[name] / run["raw lines to a file"] for run in runs]
        report.row(name, spread([run[name] for run in runs], 0), spread(ratios, 4))
    fastest = statistics.median(run["OTLP, gzip"] for run in runs)
    report.goal("thousand records/s as OTLP", fastest / 1e3, 50, at_least=True)
    return report


def rates(path):
    """Records a second to sinks in processes of their own, which count."""
    batches = recorded(path)
    return {
        "raw lines to a file": to_file(path, batches),
        "OTLP, gzip": to_otlp(batches, "gzip"),
        "OTLP, not compressed": to_otlp(batches, "none"),
        "serial (a pseudo terminal)": to_serial(batches),
        "journald's protocol": to_journald(path, batches),
    }


def recorded(path):
    """`RECORDS` records as the runner reads them from a journal: index of the first, lines."""
    import treering
    from treering.journal import Journal

    treering.configure(directory=path, console=False, block_timeout_s=60)
    info = treering.get_logger("bench").info
    for _ in range(RECORDS):
        info(MESSAGE, **FIELDS)
    assert treering.shutdown(60)
    lines = [line + b"\n" for _, line in Journal(path).records() if b"treering.journal" not in line]
    assert len(lines) == RECORDS
    a_batch = BATCH_BYTES // len(lines[0])
    return [lines[at : at + a_batch] for at in range(0, RECORDS, a_batch)]


def apart(work):
    """Runs `work` in a child; the function that is returned waits for what it counted."""
    reading, writing = os.pipe()
    if os.fork() == 0:
        signal.alarm(100)  # it is not to outlive a failure here
        os.write(writing, b"%d" % work())
        os._exit(0)
    os.close(writing)
    return lambda: int(os.read(reading, 20))


def sent(output, batches):
    from treering.outputs import Batch, formatter

    shown = formatter(output.format)
    output.open()
    begin = time.perf_counter()
    for batch in batches:
        output.write(Batch(b"".join(batch), range(len(batch)), shown))
    took = time.perf_counter() - begin
    output.close()
    return RECORDS / took


def to_file(path, batches):
    begin = time.perf_counter()
    with open(f"{path}.raw", "wb", buffering=0) as file:
        file.writelines(b"".join(batch) for batch in batches)
    return RECORDS / (time.perf_counter() - begin)


def to_otlp(batches, compression):
    from treering.outputs.otlp import OtlpOutput

    server = HTTPServer(("127.0.0.1", 0), Collector)
    bodies = Collector.bodies = []

    def serve():
        from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest

        while len(bodies) < len(batches):
            server.handle_request()
        found = 0
        for body in bodies:
            request = ExportLogsServiceRequest.FromString(body)
            found += sum(len(s.log_records) for r in request.resource_logs for s in r.scope_logs)
        return found

    count = apart(serve)
    server.server_close()
    url = f"http://127.0.0.1:{server.server_port}"
    rate = sent(OtlpOutput(endpoint=url, compression=compression), batches)
    assert count() == RECORDS
    return rate


class Collector(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    bodies = ()

    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.send_response(200)
        self.send_header("Content-Length", "0")
        self.end_headers()
        is_packed = self.headers["Content-Encoding"] == "gzip"
        self.bodies.append(gzip.decompress(body) if is_packed else body)

    def log_message(self, *_):
        pass


def to_serial(batches):
    from treering.outputs.serial import SerialOutput

    far, near = pty.openpty()

    def read():
        found = 0
        while found < RECORDS:
            found += os.read(far, 1 << 16).count(b"\n")
        return found

    tty.setraw(near)
    count = apart(read)
    rate = sent(SerialOutput(port=os.ttyname(near)), batches)
    assert count() == RECORDS
    return rate


def to_journald(path, batches):
    from treering.outputs.journald import JournaldOutput

    sink = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    sink.bind(f"{path}.socket")

    def read():
        for _ in range(RECORDS):
            sink.recv(1 << 16)
        return RECORDS

    count = apart(read)
    rate = sent(JournaldOutput(socket_path=f"{path}.socket"), batches)
    assert count() == RECORDS
    return rate
