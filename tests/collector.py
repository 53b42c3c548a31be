"""An OpenTelemetry collector: an HTTP server that reads requests with OpenTelemetry's own classes."""

from contextlib import contextmanager

from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import (
    ExportLogsServiceRequest,
    ExportLogsServiceResponse,
)
from sink import Sink, serving


def plain(value):
    """An `AnyValue` as a value of Python."""
    kind = value.WhichOneof("value")
    if kind is None:
        return None
    found = getattr(value, kind)
    if kind == "array_value":
        return [plain(one) for one in found.values]
    if kind == "kvlist_value":
        return attributes(found.values)
    return found


def attributes(pairs):
    """`KeyValue`s as a dict; every key is there once."""
    found = {pair.key: plain(pair.value) for pair in pairs}
    assert len(found) == len(pairs)
    return found


def log_records(export):
    """All records of a request, each with its scope."""
    return [
        (scope.scope, one)
        for resource in export.resource_logs
        for scope in resource.scope_logs
        for one in scope.log_records
    ]


class Collector(Sink):
    """What it took is in `exports`.

    `answers` are given first, one for each request: status, headers, body. `refuses` says of a record's
    body whether requests with it are answered 400.
    """

    def __init__(self):
        super().__init__()
        self.exports = []
        self.answers = []
        self.refuses = lambda body: False

    def take(self, request):
        if self.answers:
            return self.answers.pop(0)
        export = ExportLogsServiceRequest.FromString(request.text)
        if any(self.refuses(plain(one.body)) for _, one in log_records(export)):
            return 400, {}, b"unreadable"
        self.exports.append(export)
        return 200, {}, ExportLogsServiceResponse().SerializeToString()

    def bodies(self):
        """The texts of all records that were taken, in order."""
        return [plain(one.body) for export in self.exports for _, one in log_records(export)]


@contextmanager
def collecting(collector, **how):
    """Yields the endpoint."""
    with serving(collector, **how) as url:
        yield url.removesuffix("/logs")


def partial(rejected, why):
    """The answer to a request that was taken in part."""
    answer = ExportLogsServiceResponse()
    answer.partial_success.rejected_log_records = rejected
    answer.partial_success.error_message = why
    return 200, {}, answer.SerializeToString()
