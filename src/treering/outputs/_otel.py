"""What OpenTelemetry's environment variables say, and who we are in its words.

Sources: the specifications of the OTLP exporter, of SDK environment variables, and the semantic
conventions for resources.
"""

from __future__ import annotations

import os
import platform
import socket
import sys
import uuid
from collections.abc import Mapping
from typing import TYPE_CHECKING
from urllib.parse import unquote

from treering.config import _values as values
from treering.errors import ConfigurationError
from treering.outputs import _credentials as credentials
from treering.outputs._post import plain_url

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

ENDPOINT = "http://localhost:4318"
LOGS_PATH = "/v1/logs"


def attributes(value: object) -> dict[str, Any]:
    """Attributes: a mapping, or text such as `deployment.environment.name=test,k=v`, %-encoded."""
    if isinstance(value, str):
        value = {unquote(name): unquote(text) for name, text in _pairs(value)}
    if not isinstance(value, Mapping) or not all(isinstance(key, str) and key for key in value):
        raise ValueError
    if not all(_is_attribute(one) for one in value.values()):
        raise ValueError
    return dict(value)


def endpoint_url(endpoint: str) -> str:
    """Where logs go below an endpoint."""
    return endpoint.rstrip("/") + LOGS_PATH


def from_environment(environment: Mapping[str, str]) -> dict[str, Any]:
    """What is said about logs there: `url`, `headers`, `compression`, `timeout_s` and TLS files.

    `OTEL_EXPORTER_OTLP_LOGS_…` wins over `OTEL_EXPORTER_OTLP_…`.

    Raises:
        ConfigurationError: A variable cannot be used; names it, its value and what would be right.
    """
    found: dict[str, Any] = {}
    for name, (option, read, wanted) in _VARIABLES.items():
        for variable in (f"OTEL_EXPORTER_OTLP_{name}", f"OTEL_EXPORTER_OTLP_LOGS_{name}"):
            if environment.get(variable):
                found[option] = _read(environment, variable, read, wanted)
    if url := found.get("url"):
        is_for_logs = bool(environment.get("OTEL_EXPORTER_OTLP_LOGS_ENDPOINT"))
        found["url"] = url if is_for_logs else endpoint_url(url)
    return found


def resource(environment: Mapping[str, str]) -> dict[str, Any]:
    """Attributes of what logs: the defaults, and what the environment says.

    Raises:
        ConfigurationError: `OTEL_RESOURCE_ATTRIBUTES` cannot be read.
    """
    found = _defaults()
    variable = "OTEL_RESOURCE_ATTRIBUTES"
    if environment.get(variable):
        found |= _read(environment, variable, attributes, "name=value pairs")
    if name := environment.get("OTEL_SERVICE_NAME"):
        found["service.name"] = name
    return found


def _defaults() -> dict[str, Any]:
    from treering import __version__

    executable = os.path.basename(sys.executable) or "python"  # noqa: PTH119 - text
    return {
        "service.name": f"unknown_service:{executable}",
        "service.instance.id": str(uuid.uuid4()),
        "host.name": socket.gethostname(),
        "os.type": platform.system().lower(),
        "process.executable.name": executable,
        "process.executable.path": sys.executable,
        "process.runtime.name": sys.implementation.name,
        "process.runtime.version": platform.python_version(),
        "process.runtime.description": sys.version,
        "telemetry.sdk.language": "python",
        "telemetry.sdk.name": "treering",
        "telemetry.sdk.version": __version__,
    }


def _is_attribute(value: object) -> bool:
    if isinstance(value, (list, tuple)):
        return all(_is_attribute(one) for one in value)
    return value is None or isinstance(value, (str, bool, int, float))


def _pairs(text: str) -> list[tuple[str, str]]:
    pairs = [part.partition("=") for part in text.split(",") if part.strip()]
    if not all(equals for _, equals, _ in pairs):
        raise ValueError
    return [(name.strip(), value.strip()) for name, _, value in pairs]


def _headers(text: object) -> dict[str, str]:
    return credentials.headers({name: unquote(value) for name, value in _pairs(str(text))})


def _milliseconds(text: object) -> float:
    return values.seconds(0.1, 3600.0)(int(str(text)) / 1000)


def _read(
    environment: Mapping[str, str], variable: str, read: Callable[[object], Any], wanted: str
) -> Any:
    value = environment[variable]
    try:
        return read(value)
    except ValueError:
        secret = "HEADERS" in variable
        shown = "'…'" if secret else repr(value)
        raise ConfigurationError(
            f"environment variable {variable} is {shown}: {wanted} would be right",
            code="setting_invalid",
            field=variable,
        ) from None


_VARIABLES: dict[str, tuple[str, Callable[[object], Any], str]] = {
    "ENDPOINT": ("url", plain_url, "'https://host:4318' without user and password"),
    "HEADERS": ("headers", _headers, "name=value pairs, values %-encoded"),
    "COMPRESSION": ("compression", values.one_of("gzip", "none"), "gzip or none"),
    "TIMEOUT": ("timeout_s", _milliseconds, "milliseconds from 100 to 3600000"),
    "CERTIFICATE": ("ca_file", values.path_or_none, "a path of a PEM file"),
    "CLIENT_CERTIFICATE": ("client_cert", values.path_or_none, "a path of a PEM file"),
    "CLIENT_KEY": ("client_key", values.path_or_none, "a path of a PEM file"),
}
"""What follows `OTEL_EXPORTER_OTLP_`: the option that it sets, how it is read, what would be right."""


__all__ = ["ENDPOINT", "attributes", "endpoint_url", "from_environment", "resource"]
