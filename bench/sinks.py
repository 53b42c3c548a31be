"""Destinations in processes of their own: read, count records, forget. `python -m bench.sinks KIND`.

The port is the first line of standard output; the number of records is the second, after standard input
has ended.
"""

import socket
import sys
import threading
import zlib


def tcp(listening, count, mark):
    connection, _ = listening.accept()
    tail = b""
    with connection:
        while data := connection.recv(1 << 20):
            data = tail + data
            count[0] += data.count(mark)
            # A mark that is cut in two is counted when it is whole.
            tail = data[len(data) - len(mark) + 1 :]


def udp(receiving, count):
    while receiving.recv(65_536):
        count[0] += 1


def http(listening, count):
    connection, _ = listening.accept()
    with connection, connection.makefile("rb") as stream:
        while stream.readline():
            length, coding = 0, b""
            while (header := stream.readline().lower()) != b"\r\n":
                length = int(header[15:]) if header.startswith(b"content-length:") else length
                coding = header[18:-2] if header.startswith(b"content-encoding: ") else coding
            body = stream.read(length)
            count[0] += UNPACK[coding](body).count(b"\n")
            connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")


def unpack_zstd(body):
    import zstandard

    return zstandard.ZstdDecompressor().decompress(body)


UNPACK = {b"": bytes, b"gzip": lambda body: zlib.decompress(body, 31), b"zstd": unpack_zstd}


def main(kind):
    count = [0]
    if kind == "udp":
        listening = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 8 << 20)
        listening.bind(("127.0.0.1", 0))
    else:
        listening = socket.create_server(("127.0.0.1", 0))
    print(listening.getsockname()[1], flush=True)
    arguments = {
        "raw": (tcp, listening, count, b"\n"),
        "syslog": (tcp, listening, count, b"<14>1 "),
        "udp": (udp, listening, count),
        "http": (http, listening, count),
    }[kind]
    thread = threading.Thread(target=arguments[0], args=arguments[1:], daemon=True)
    thread.start()
    sys.stdin.read()
    if kind == "udp":
        listening.settimeout(0.2)
    thread.join(2 if kind == "udp" else 30)
    print(count[0], flush=True)


if __name__ == "__main__":
    main(sys.argv[1])
