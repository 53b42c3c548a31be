"""POST requests to one URL over connections that are kept: urllib3, without retries of its own.

Redirects are never followed: where records and credentials go is said in the configuration. Proxies
are those of the environment (`HTTPS_PROXY`, `NO_PROXY` …).
"""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import unquote, urlsplit

from treering.config._secrets import Filled
from treering.errors import NetworkFailed, SetupRefused
from treering.outputs._answer import Answer

if TYPE_CHECKING:
    import ssl
    from collections.abc import Mapping
    from typing import Any

    from urllib3 import BaseHTTPResponse, PoolManager

_MAX_ANSWER_BYTES = 64 << 10
"""Longer answers are not read to their end, which costs the connection."""


class Endpoint:
    """One URL, and the connection to it.

    Args:
        url: Without user and password.
        timeout_s: How long it may say nothing.
        connect_timeout_s: How long connecting may take.
        tls: For https.
        server_name: The name in its certificate; the URL's host when left out.
    """

    def __init__(
        self,
        url: str,
        *,
        timeout_s: float,
        connect_timeout_s: float,
        tls: ssl.SSLContext | None = None,
        server_name: str | None = None,
    ) -> None:
        import urllib3

        self.name = shown(url)
        self._url = url
        self._timeout = urllib3.Timeout(connect=connect_timeout_s, read=timeout_s)
        self._pool = _pool(url, _tls_arguments(tls, server_name))

    def post(self, body: bytes, headers: Mapping[str, str]) -> Answer:
        """Sends one request.

        Raises:
            NetworkFailed: There was no answer.
        """
        import urllib3

        try:
            response = self._pool.request(
                "POST",
                self._url,
                body=body,
                headers=headers,
                retries=False,
                redirect=False,
                timeout=self._timeout,
                preload_content=False,
            )
        except urllib3.exceptions.HTTPError as error:
            reason = str(error).replace(self._url, self.name)
            if query := urlsplit(self._url).query:
                reason = reason.replace(query, "…")
            raise NetworkFailed(
                f"{self.name} gave no answer: {reason}", code="network_broken"
            ) from error
        return Answer(
            response.status,
            response.headers.get("Retry-After"),
            response.headers.get("Location"),
            _read(response),
        )

    def close(self) -> None:
        """Lets go of the connection."""
        self._pool.clear()


def plain_url(value: object) -> str:
    """Reads an http or https URL without user, password and fragment."""
    if not isinstance(value, str) or not value.isascii() or not value.isprintable():
        raise ValueError
    parts = urlsplit(value)
    is_good = parts.scheme in {"http", "https"} and parts.hostname and parts.port != 0
    if not is_good or "@" in parts.netloc or parts.fragment or " " in value:
        raise ValueError
    return value


def shown(url: str) -> str:
    """The URL without what may be secret in it: user, password, query, and a path out of a variable."""
    parts = urlsplit(url)
    path = "/…" if isinstance(url, Filled) and parts.path else parts.path
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{path}"


def _read(response: BaseHTTPResponse) -> bytes:
    """The body as far as it is wanted; the status has said what matters."""
    import urllib3

    try:
        found = response.read(_MAX_ANSWER_BYTES, decode_content=False)
        is_whole = not response.read(1, decode_content=False)
    except urllib3.exceptions.HTTPError:
        found, is_whole = b"", False
    if not is_whole:
        response.close()
    response.release_conn()
    return found


def _tls_arguments(tls: ssl.SSLContext | None, server_name: str | None) -> dict[str, Any]:
    import urllib3

    if tls is None:
        return {}
    arguments: dict[str, Any] = {"ssl_context": tls}
    if server_name is not None:
        arguments |= {"server_hostname": server_name, "assert_hostname": server_name}
    if not tls.check_hostname:
        arguments |= {"cert_reqs": "CERT_NONE", "assert_hostname": False}
        # Whoever made the context has complained already.
        urllib3.disable_warnings(urllib3.exceptions.InsecureRequestWarning)
    return arguments


def _pool(url: str, arguments: dict[str, Any]) -> PoolManager:
    from urllib.request import getproxies, proxy_bypass

    import urllib3

    parts = urlsplit(url)
    proxies = getproxies()
    proxy = proxies.get(parts.scheme) or proxies.get("all")
    if not proxy or proxy_bypass(parts.hostname or ""):
        return urllib3.PoolManager(num_pools=1, **arguments)
    proxy = proxy if "://" in proxy else f"http://{proxy}"
    if not proxy.startswith(("http://", "https://")):
        raise SetupRefused(
            f"proxy {shown(proxy)} cannot be used: an http or https one would be right"
        )
    user = urlsplit(proxy).netloc.rpartition("@")[0]
    headers = urllib3.make_headers(proxy_basic_auth=unquote(user)) if user else None
    return urllib3.ProxyManager(proxy, num_pools=1, proxy_headers=headers, **arguments)
