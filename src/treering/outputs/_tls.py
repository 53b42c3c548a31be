"""TLS as every output that speaks it is told about it.

The other side is verified, and TLS is 1.2 or newer, unless somebody writes `tls_verify: false`.
"""

from __future__ import annotations

import sys
from functools import cache
from typing import TYPE_CHECKING

from treering.config import Setting
from treering.config import _values as values
from treering.errors import ConfigurationError
from treering.outputs._output import option

if TYPE_CHECKING:
    import ssl
    from collections.abc import Mapping
    from typing import Any

TLS_OPTIONS: tuple[Setting, ...] = (
    option(
        "ca_file",
        values.path_or_none,
        None,
        "a path of a PEM file",
        "The authorities to trust, instead of the system's.",
    ),
    option(
        "client_cert",
        values.path_or_none,
        None,
        "a path of a PEM file",
        "Certificate, with its chain, to show to a destination that asks for one.",
    ),
    option(
        "client_key",
        values.path_or_none,
        None,
        "a path of a PEM file",
        "Private key of `client_cert`, not encrypted. Default: it is in the same file.",
    ),
    option(
        "server_name",
        values.optional(values.text),
        None,
        "a host name",
        "The name that has to be in the destination's certificate. Default: the host's.",
    ),
    option(
        "tls_verify",
        values.boolean,
        True,
        "true or false",
        "Whether the destination has to prove who it is. False lets anybody between read and change"
        " the records, and is complained about on standard error.",
    ),
)


def context(options: Mapping[str, Any]) -> ssl.SSLContext:
    """The TLS context that `options`, read by `TLS_OPTIONS`, ask for.

    Raises:
        ConfigurationError: A file is missing, or does not hold what it should, or a key has no
            certificate.
    """
    import ssl

    trusted = options["ca_file"]
    try:
        made = ssl.create_default_context(cafile=trusted)
    except OSError as error:
        raise _unusable("ca_file", trusted, error, "a PEM file of certificates") from error
    made.minimum_version = ssl.TLSVersion.TLSv1_2
    if options["client_cert"] is not None:
        _show(made, options["client_cert"], options["client_key"])
    elif options["client_key"] is not None:
        raise _unusable("client_key", options["client_key"], "it has no certificate", "client_cert")
    if not options["tls_verify"]:
        made.check_hostname = False
        made.verify_mode = ssl.CERT_NONE
        _complain()
    return made


def _show(made: ssl.SSLContext, certificate: str, key: str | None) -> None:
    try:
        # Without a password of its own OpenSSL would ask the terminal for one.
        made.load_cert_chain(certificate, key, password="")
    except OSError as error:
        wanted = "a PEM file of a certificate and its unencrypted key"
        raise _unusable("client_cert", certificate, error, wanted) from error


def _unusable(name: str, value: str, found: object, wanted: str) -> ConfigurationError:
    return ConfigurationError(
        f"option {name} is {value!r}, which cannot be used: {found}; {wanted} would be right",
        code="tls_file_invalid",
        path=value,
        field=name,
    )


@cache
def _complain() -> None:
    """Says it once in a process, for whoever looks at its standard error."""
    print(  # noqa: T201
        "treering: tls_verify is off: whoever is between can read and change the records",
        file=sys.stderr,
    )


__all__ = ["TLS_OPTIONS", "context"]
