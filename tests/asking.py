"""Requests to applications in this process, in the words of the protocol itself."""

import asyncio
import http.client
import io
import wsgiref.util
from wsgiref.validate import validator


def ask_wsgi(app, path="/", method="GET", headers=(), peer="203.0.113.9", query=""):
    """One request by WSGI, checked against PEP 3333; gives status, headers and body."""
    environ = {"QUERY_STRING": query, "PATH_INFO": path, "REQUEST_METHOD": method}
    environ |= {"REMOTE_ADDR": peer, "SCRIPT_NAME": "", "wsgi.input": io.BytesIO()}
    for name, value in headers:
        environ["HTTP_" + name.upper().replace("-", "_")] = value
    wsgiref.util.setup_testing_defaults(environ)
    told = {}

    def start_response(status, headers, exc_info=None):
        told.update(status=int(status[:3]), headers={k.lower(): v for k, v in headers})
        return io.BytesIO().write

    body = validator(app)(environ, start_response)
    try:
        return b"".join(body), told
    finally:
        body.close()


def ask_asgi(app, path="/", method="GET", headers=(), peer=("203.0.113.9", 1234), query="", **more):
    """One request by ASGI; gives body and what was told."""
    return asyncio.run(asking_asgi(app, path, method, headers, peer, query, **more))


async def asking_asgi(
    app, path="/", method="GET", headers=(), peer=None, query="", told=None, **more
):
    told = {} if told is None else told
    scope = {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": method,
        "scheme": "http",
        "path": path,
        "raw_path": path.encode(),
        "root_path": "",
        "query_string": query.encode(),
        "headers": [(name.lower().encode(), value.encode()) for name, value in headers],
        "client": peer,
        "server": ("localhost", 80),
        **more,
    }
    parts = []
    requests = [{"type": "http.request", "body": b"", "more_body": False}]

    async def receive():
        if requests:
            return requests.pop()
        await asyncio.Event().wait()

    async def send(message):
        if message["type"] == "http.response.start":
            names = {k.decode().lower(): v.decode() for k, v in message["headers"]}
            told.update(status=message["status"], headers=names)
        else:
            parts.append(message.get("body", b""))

    await app(scope, receive, send)
    return b"".join(parts), told


def get(port, path, headers=None):
    """One request over a real connection; gives status, headers and body."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    try:
        connection.request("GET", path, headers=headers or {})
        response = connection.getresponse()
        return response.status, response.headers, response.read()
    finally:
        connection.close()
