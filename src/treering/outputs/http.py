"""Records as JSON Lines to an HTTP server, another Treering for one."""

from __future__ import annotations

from importlib.util import find_spec
from typing import TYPE_CHECKING
from urllib.parse import quote

from treering.config import _values as values
from treering.errors import ConfigurationError, OutputError
from treering.outputs import _credentials as credentials
from treering.outputs._body import end_of_request, ranges
from treering.outputs._delivery import Delivery
from treering.outputs._output import Output, option
from treering.outputs._post import plain_url, shown
from treering.outputs._requests import Requests
from treering.outputs._tls import TLS_OPTIONS

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Any

    from treering.outputs._answer import Answer
    from treering.outputs._batch import Batch

_SECRET = frozenset({"token", "password", "headers"})


class HttpOutput(Output):
    """Posts batches of records, one on a line, and takes any answer from 200 to 299 for a receipt.

    Requests carry `Treering-Journal` and `Treering-Index: 17-916` (ranges of the records' indexes, in
    order), so that a destination can leave out what it has already got: whoever was not answered
    asks again with the same indexes. The journal's name is percent-encoded where it is not ASCII.

    What is answered with 413 is sent again in halves, with 400 and 422, too, until the one record is
    found that the destination does not read: it is refused, counted and does not come again. As long
    as the destination has never taken anything, nothing is refused: then the address may be wrong.

    Args:
        name: See `Output`.
        url: Where to, without user and password.
        origin: The journal's name for the destination. Default: the journal's own, so that the
            destination can tell what it has got before.
        headers: More header fields; their values are kept secret.
        token: For `Authorization: Bearer`.
        token_file: A file that holds it, read again whenever a connection is opened.
        username: For `Authorization: Basic`.
        password: The same.
        compression: `gzip`, `zstd` (`pip install 'treering[zstd]'`) or `none`; `gzip` when left out.
        max_body_bytes: Of one request, before compression; 1 MB when left out.
        timeout_s: How long the destination may say nothing; 30 when left out.
        connect_timeout_s: How long connecting may take; 10 when left out.
        ca_file: See `TLS_OPTIONS`, as the next four.
        client_cert: The same.
        client_key: The same.
        server_name: The same.
        tls_verify: The same.
        **common: The arguments that all outputs have.

    Raises:
        ConfigurationError: An argument cannot be used, or an extra is not installed.
    """

    kind = "http"
    scope = "journal"
    options = (
        option(
            "url", plain_url, None, "'https://host/path' without user and password", "Where to."
        ),
        option(
            "origin",
            values.text,
            None,
            "a name",
            "The journal's name for the destination, in Treering-Journal.",
        ),
        option(
            "headers",
            credentials.headers,
            {},
            "Name=value pairs, none of them Content-Length, Content-Encoding or Treering-…",
            "More header fields; their values are kept secret.",
        ),
        option("token", credentials.secret, None, "printable ASCII", "For Authorization: Bearer."),
        option(
            "token_file",
            values.path_or_none,
            None,
            "a path",
            "A file that holds the token; read again whenever a connection is opened.",
        ),
        option("username", values.text, None, "a name", "For Authorization: Basic."),
        option(
            "password", credentials.secret, None, "printable ASCII", "For Authorization: Basic."
        ),
        option(
            "compression",
            values.one_of("gzip", "zstd", "none"),
            "gzip",
            "gzip, zstd or none",
            "Of requests. zstd: pip install 'treering[zstd]'.",
        ),
        option(
            "max_body_bytes",
            values.bytes_between(1024, 1 << 30),
            1 << 20,
            "a size from 1KB to 1GB",
            "Of one request, before compression; a longer record goes alone.",
        ),
        option(
            "timeout_s",
            values.seconds(0.1, 3600.0),
            30.0,
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
        url: str,
        origin: str | None = None,
        headers: Mapping[str, str] | str | None = None,
        token: str | None = None,
        token_file: str | None = None,
        username: str | None = None,
        password: str | None = None,
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
            "url": url,
            "origin": origin,
            "headers": headers,
            "token": token,
            "token_file": token_file,
            "username": username,
            "password": password,
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
        chosen = self.read_options({k: v for k, v in given.items() if v is not None})
        self.origin: str | None = chosen["origin"]
        self._options = chosen
        self._check()
        self._requests = Requests(chosen["url"], chosen)
        self._headers: dict[str, str] = {}
        self._delivery = Delivery(shown(chosen["url"]))

    def bad_option(self, option: str, value: object, wanted: str) -> ConfigurationError:
        """The error for an option that cannot be used, without what is secret."""
        if option in _SECRET:
            value = "…"
        elif option == "url" and isinstance(value, str):
            value = shown(value)
        return super().bad_option(option, value, wanted)

    def describe(self) -> dict[str, object]:
        """What it is, for people and for the cursor; nothing secret is in it."""
        return super().describe() | {"url": shown(self._options["url"])}

    def follows(self, journal: str) -> None:
        """Names the journal to the destination, unless an origin was given."""
        self.origin = self.origin or journal

    def open(self) -> None:
        """Reads the credentials; the connection is made with the first request.

        Raises:
            SetupRefused: The token's file cannot be read, or the environment's proxy not be used.
        """
        self.close()
        self._headers = {
            "Content-Type": "application/x-ndjson",
            **credentials.authorization(self._options),
            **self._options["headers"],
        }
        self._requests.open()

    def write(self, batch: Batch) -> int:
        """Posts every record, and returns how many the destination refused for good.

        Raises:
            NetworkFailed: There was no answer, or it asks for patience: then `retry_after_s` is set.
            SetupRefused: The destination wants another address or other credentials.
        """
        # An erased record leaves an empty line, and nothing to send.
        found = [(at, line) for at, line in enumerate(batch.formatted()) if line]
        lines = [line for _, line in found]
        indexes = [batch.indexes[at] for at, _ in found]
        try:
            return self._delivery.deliver(
                indexes,
                lambda begin: end_of_request(lines, indexes, begin, self._requests.most_bytes),
                lambda begin, end: self._post(lines[begin:end], indexes[begin:end]),
            )
        except OutputError as error:
            error.accepted = found[error.accepted][0]
            raise

    def close(self) -> None:
        """Lets go of the connection."""
        self._requests.close()

    def statistics(self) -> dict[str, Any]:
        """Counts of its own.

        Returns:
            `requests`, `sent_bytes` (after compression), and `last_refusal`: which record was refused
            last, and what the destination said about it.
        """
        return self._requests.counts | {"last_refusal": self._delivery.last_refusal}

    def _post(self, lines: Sequence[bytes], indexes: Sequence[int]) -> Answer:
        """One request, with an answer that is about the records."""
        if not self._requests.is_open:
            self.open()
        text = b"\n".join(lines) + b"\n"
        headers = self._headers | {"Treering-Index": ranges(indexes)}
        if self.origin is not None:
            headers["Treering-Journal"] = quote(self.origin, safe="/:@")
        return self._requests.send(text, headers, size=len(text))

    def _check(self) -> None:
        """What options say together."""
        chosen = self._options
        ways = [way for way in ("token", "token_file", "username") if chosen[way] is not None]
        if len(ways) > 1:
            raise self.bad_option(ways[0], chosen[ways[0]], f"either that or {ways[1]}, not both,")
        if chosen["password"] is not None and chosen["username"] is None:
            raise self.bad_option("password", "…", "one with a username")
        for module, extra, is_needed in (
            ("urllib3", "http", True),
            ("zstandard", "zstd", chosen["compression"] == "zstd"),
        ):
            if is_needed and find_spec(module) is None:
                raise ConfigurationError(
                    f"output '{self.name}' needs {module}, which is not installed",
                    code="extra_missing",
                    field=f"outputs.{self.name}",
                    hint=f"pip install 'treering[{extra}]'",
                )
