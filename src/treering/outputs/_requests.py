"""Requests with records to one destination, as HTTP and OTLP outputs make them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from treering.outputs._answer import TOO_LARGE, failure
from treering.outputs._body import Encoding
from treering.outputs._post import Endpoint
from treering.outputs._tls import context

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from treering.outputs._answer import Answer


class Requests:
    """The connection, how much goes into one request, and what was sent so far.

    Args:
        url: Without user and password.
        chosen: The output's options: `compression`, `max_body_bytes`, `timeout_s`,
            `connect_timeout_s` and those of `TLS_OPTIONS`.

    Attributes:
        most_bytes: What one request may hold before compression; less once one was too large.
        counts: `requests`, and `sent_bytes` after compression.
    """

    def __init__(self, url: str, chosen: Mapping[str, Any]) -> None:
        self._url = url
        self._options = chosen
        self._tls = context(chosen) if url.startswith("https:") else None
        self._encoding = Encoding(chosen["compression"])
        self._endpoint: Endpoint | None = None
        self.most_bytes: int = chosen["max_body_bytes"]
        self.counts = {"requests": 0, "sent_bytes": 0}

    @property
    def is_open(self) -> bool:
        """Whether there is an endpoint to send to."""
        return self._endpoint is not None

    def open(self) -> Endpoint:
        """Starts over; the connection is made with the first request.

        Raises:
            SetupRefused: The environment's proxy cannot be used.
        """
        self.close()
        chosen = self._options
        self.most_bytes = chosen["max_body_bytes"]
        self._endpoint = made = Endpoint(
            self._url,
            timeout_s=chosen["timeout_s"],
            connect_timeout_s=chosen["connect_timeout_s"],
            tls=self._tls,
            server_name=chosen["server_name"],
        )
        return made

    def send(self, text: bytes, headers: Mapping[str, str], *, size: int) -> Answer:
        """One request, with an answer that is about the records.

        Args:
            text: The body before compression.
            headers: Besides those of the encoding, and over `User-Agent`.
            size: Of the records in it, in the measure of `most_bytes`.

        Raises:
            NetworkFailed: There was no answer, or it asks for patience: then `retry_after_s` is set.
            SetupRefused: The destination wants another address or other credentials.
        """
        endpoint = self._endpoint or self.open()
        body = self._encoding.encode(text)
        self.counts["requests"] += 1
        self.counts["sent_bytes"] += len(body)
        own = {"User-Agent": "treering", **self._encoding.headers}
        answer = endpoint.post(body, own | dict(headers))
        if not answer.is_about_records:
            raise failure(answer, endpoint.name)
        if answer.status == TOO_LARGE:
            self.most_bytes = max(1, size // 2)
        return answer

    def close(self) -> None:
        """Lets go of the connection."""
        if self._endpoint is not None:
            self._endpoint.close()
            self._endpoint = None
