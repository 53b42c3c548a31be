"""A real rsyslogd, whose file says what it received."""

import os
import re
import shutil
import signal
import socket
import subprocess
from pathlib import Path

from programs import wait_for

_COMMON = """
global(workDirectory="{place}" maxMessageSize="64k" {tls_files})
main_queue(queue.timeoutShutdown="10000")
template(name="received" type="string"
         string="%pri%|%hostname%|%app-name%|%procid%|%structured-data%|%msg%\\n")
module(load="im{kind}" {module})
input(type="im{kind}" {input})
action(type="omfile" file="{place}/received" template="received")
"""


def free_port():
    """A UDP port that the kernel has just given."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Syslogd:
    """Listens on 127.0.0.1; what it received stands in `place/received`.

    `protocol` is udp, tcp or tls; for tls `files` are its authority's, its own certificate and key,
    and `demands` is whether it wants a certificate of ours.
    """

    def __init__(self, place, protocol, *, files=(), demands=False):
        self.place = place
        self.protocol = protocol
        self.files = files
        self.demands = demands
        self.port = free_port() if protocol == "udp" else 0
        self._process = None

    def start(self):
        program = shutil.which("rsyslogd", path=os.environ["PATH"] + ":/usr/sbin:/sbin")
        assert program, "rsyslogd is missing: `make test` installs it"
        ready = self.place / "port"
        ready.unlink(missing_ok=True)
        (self.place / "rsyslog.conf").write_text(self._configuration())
        command = [program, "-n", "-f", self.place / "rsyslog.conf", "-i", self.place / "pid"]
        with open(self.place / "log", "ab") as log:
            self._process = subprocess.Popen(command, stdout=log, stderr=log)
        wait_for(self._is_listening, "rsyslogd to listen")

    def _is_listening(self):
        assert self._process.poll() is None, (self.place / "log").read_text()
        port = self.place / "port"
        if not self.port:
            self.port = int(port.read_text() or 0) if port.exists() else 0
        sockets, state = ("udp", "") if self.protocol == "udp" else ("tcp", "00000000:0000 0A")
        listening = Path("/proc/net", sockets).read_text()
        return self.port and f"0100007F:{self.port:04X} {state}" in listening

    def _configuration(self):
        module, tls_files = "", ""
        where = f'port="{self.port}" address="127.0.0.1"'
        if self.protocol != "udp":
            where += f' listenPortFileName="{self.place}/port"'
        if self.protocol == "tls":
            authority, certificate, key = self.files
            tls_files = (
                f'defaultNetstreamDriverCAFile="{authority}" '
                f'defaultNetstreamDriverCertFile="{certificate}" '
                f'defaultNetstreamDriverKeyFile="{key}"'
            )
            mode = "x509/certvalid" if self.demands else "anon"
            module = (
                f'streamDriver.name="ossl" streamDriver.mode="1" streamDriver.authMode="{mode}"'
            )
        return _COMMON.format(
            place=self.place,
            kind="udp" if self.protocol == "udp" else "tcp",
            module=module,
            input=where,
            tls_files=tls_files,
        )

    def stop(self, how=signal.SIGTERM):
        if self._process is not None:
            self._process.send_signal(how)
            self._process.wait(30)
            self._process = None

    def received(self):
        """Lines of its file so far: priority, host, program, process, structured data, message."""
        file = self.place / "received"
        text = file.read_text() if file.exists() else ""
        return [tuple(line.split("|", 5)) for line in text.splitlines()]

    def numbers(self):
        """The parameter `n` of every message, in order of arrival."""
        return [
            int(found) for line in self.received() for found in re.findall(r' n="(\d+)"', line[4])
        ]
