"""Records to an OpenTelemetry collector, or whatever else takes OTLP: logs in protobuf over HTTP."""

from __future__ import annotations

import json
import os
from importlib.util import find_spec
from typing import TYPE_CHECKING

from treering import _core
from treering.config import _values as values
from treering.errors import ConfigurationError
from treering.outputs import _credentials as credentials
from treering.outputs import _otel
from treering.outputs._answer import TOO_LARGE
from treering.outputs._body import end_of_request
from treering.outputs._delivery import Delivery
from treering.outputs._output import Output, option
from treering.outputs._partial import partial_success
from treering.outputs._post import plain_url, shown
from treering.outputs._requests import Requests
from treering.outputs._tls import TLS_OPTIONS

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from treering.outputs._answer import Answer
    from treering.outputs._batch import Batch

_ATTRIBUTES_WANTED = "name=value pairs, or a mapping to texts, numbers, truths and lists of them"


class OtlpOutput(Output):
    """Posts `ExportLogsServiceRequest`s (OTLP 1.x) and returns when they are answered.

    What the environment says (`OTEL_EXPORTER_OTLP_ENDPOINT`, `…_HEADERS`, `OTEL_SERVICE_NAME`,
    `OTEL_RESOURCE_ATTRIBUTES` and so on) holds where an argument is left out.

    Records that the destination rejects in a partial success, or answers 400 or 422 for each alone,
    are refused: counted, and they do not come again. Whatever else it answers, they come again.

    Args:
        name: As for every output; so are `common`.
        endpoint: The base to which `/v1/logs` is added; `http://localhost:4318` when left out.
        service_name: Attribute `service.name` of the resource.
        resource: More of its attributes, over those of the environment; None leaves one out.
        scope_attributes: Of each scope; its name is the component.
        headers: More header fields; their values are kept secret.
        compression: `gzip`, also when left out, or `none`.
        max_body_bytes: Of one request, before compression, about; 1 MB when left out.
        timeout_s: How long the destination may say nothing; 10 when left out.
        connect_timeout_s: How long connecting may take; 10 when left out.
        ca_file: See `TLS_OPTIONS`, as the next four.
        client_cert: The same.
        client_key: The same.
        server_name: The same.
        tls_verify: The same.

    Raises:
        ConfigurationError: An argument or variable cannot be used, or urllib3 is not installed.
    """

    kind = "otlp"
    scope = "journal"
    options = (
        option(
            "endpoint",
            plain_url,
            None,
            "'https://host:4318' without user and password",
            "The base to which /v1/logs is added. Default: http://localhost:4318.",
        ),
        option("service_name", values.text, None, "a name", "service.name of the resource."),
        option(
            "resource",
            _otel.attributes,
            {},
            _ATTRIBUTES_WANTED,
            "More attributes of the resource.",
        ),
        option(
            "scope_attributes",
            _otel.attributes,
            {},
            _ATTRIBUTES_WANTED,
            "Attributes of each scope; its name is the component.",
        ),
        option(
            "headers",
            credentials.headers,
            None,
            "Name=value pairs, none of them Content-Length, Content-Encoding or Treering-…",
            "More header fields; their values are kept secret.",
        ),
        option(
            "compression", values.one_of("gzip", "none"), "gzip", "gzip or none", "Of requests."
        ),
        option(
            "max_body_bytes",
            values.bytes_between(1024, 1 << 30),
            1 << 20,
            "a size from 1KB to 1GB",
            "Of one request, before compression, about; a longer record goes alone.",
        ),
        option(
            "timeout_s",
            values.seconds(0.1, 3600.0),
            10.0,
            "seconds from 0.1 to 3600",
            "How long the destination may say nothing.",
        ),
        option(
            "connect_timeout_s",
            values.seconds(0.1, 3600.0),
            10.0,
            "seconds from 0.1 to 3600",
            "How long connecting may take.",
        ),
        *TLS_OPTIONS,
    )

    def __init__(
        self,
        name: str | None = None,
        *,
        endpoint: str | None = None,
        service_name: str | None = None,
        resource: Mapping[str, Any] | str | None = None,
        scope_attributes: Mapping[str, Any] | str | None = None,
        headers: Mapping[str, str] | str | None = None,
        compression: str | None = None,
        max_body_bytes: int | str | None = None,
        timeout_s: float | str | None = None,
        connect_timeout_s: float | str | None = None,
        ca_file: str | None = None,
        client_cert: str | None = None,
        client_key: str | None = None,
        server_name: str | None = None,
        tls_verify: bool | str | None = None,
        **common: Any,
    ) -> None:
        super().__init__(name, **common)
        given = {
            "endpoint": endpoint,
            "service_name": service_name,
            "resource": resource,
            "scope_attributes": scope_attributes,
            "headers": headers,
            "compression": compression,
            "max_body_bytes": max_body_bytes,
            "timeout_s": timeout_s,
            "connect_timeout_s": connect_timeout_s,
            "ca_file": ca_file,
            "client_cert": client_cert,
            "client_key": client_key,
            "server_name": server_name,
            "tls_verify": tls_verify,
        }
        _check_installed()
        environment = _otel.from_environment(os.environ)
        url = environment.pop("url", _otel.endpoint_url(_otel.ENDPOINT))
        chosen = self.read_options(
            environment | {key: value for key, value in given.items() if value is not None}
        )
        if endpoint is not None:
            url = _otel.endpoint_url(chosen["endpoint"])
        self._url: str = url
        self._options = chosen
        self._resource = _json(_otel.resource(os.environ) | self._own_resource())
        self._scope = _json(chosen["scope_attributes"])
        self._requests = Requests(url, chosen)
        self._delivery = Delivery(shown(url))

    def _own_resource(self) -> dict[str, Any]:
        name = self._options["service_name"]
        given: dict[str, Any] = {} if name is None else {"service.name": name}
        given.update(self._options["resource"])
        return given

    def bad_option(self, option: str, value: object, wanted: str) -> ConfigurationError:
        """The error for an option that cannot be used, without what is secret."""
        if option == "headers":
            value = "…"
        elif option == "endpoint" and isinstance(value, str):
            value = shown(value)
        return super().bad_option(option, value, wanted)

    def describe(self) -> dict[str, object]:
        """What it is, for people and for the cursor; nothing secret is in it."""
        return super().describe() | {"endpoint": shown(self._url)}

    def open(self) -> None:
        """Starts over; the connection is made with the first request.

        Raises:
            SetupRefused: The environment's proxy cannot be used.
        """
        self._requests.open()

    def write(self, batch: Batch) -> int:
        """Posts every record, and returns how many the destination refused for good.

        Raises:
            NetworkFailed: There was no answer, or it asks for patience: then `retry_after_s` is set.
            SetupRefused: The destination wants another address or other credentials, or has
                never taken a record.
        """
        lines, indexes = batch.lines, batch.indexes
        return self._delivery.deliver(
            indexes,
            lambda begin: end_of_request(lines, indexes, begin, self._requests.most_bytes),
            lambda begin, end: self._post(b"".join(line + b"\n" for line in lines[begin:end])),
        )

    def _post(self, data: bytes) -> Answer:
        """One request, with an answer that is about the records."""
        request = _core.otlp_logs(data, self._resource, self._scope)
        headers = {"Content-Type": "application/x-protobuf", **(self._options["headers"] or {})}
        answer = self._requests.send(request, headers, size=len(data))
        if answer.status != TOO_LARGE and (found := partial_success(answer.body)):
            rejected, why = found
            self._delivery.refuse(min(rejected, data.count(b"\n")), why)
        return answer

    def close(self) -> None:
        """Lets go of the connection."""
        self._requests.close()

    def statistics(self) -> dict[str, Any]:
        """Counts of its own.

        Returns:
            `requests`, `sent_bytes` (after compression), and `last_refusal`: what the destination said
            when it last refused records, or warned.
        """
        return self._requests.counts | {"last_refusal": self._delivery.last_refusal}


def _json(attributes: Mapping[str, Any]) -> bytes:
    kept = {name: value for name, value in attributes.items() if value is not None}
    return json.dumps(kept, ensure_ascii=False).encode(errors="replace")


def _check_installed() -> None:
    if find_spec("urllib3") is None:
        raise ConfigurationError(
            "an output of kind 'otlp' needs urllib3, which is not installed",
            code="extra_missing",
            hint="pip install 'treering[http]'",
        )
