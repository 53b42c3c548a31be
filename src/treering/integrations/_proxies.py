"""Whose word about a client's address counts."""

from __future__ import annotations

import ipaddress
import re
from typing import TYPE_CHECKING

from treering.errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Iterable

_WITH_PORT = re.compile(r"\[(?P<six>[^\]]+)\](?::\d+)?|(?P<four>[\d.]+):\d+")
UNIX = "unix"


class Proxies:
    """The proxies whose `X-Forwarded-For` is believed.

    Args:
        trusted: Addresses and networks (`10.0.0.0/8`); `unix` for a peer on a Unix socket, which has no
            address.

    Raises:
        ConfigurationError: One of them is none of that.
    """

    def __init__(self, trusted: Iterable[str]) -> None:
        words = [trusted] if isinstance(trusted, str) else list(trusted)
        self._unix = UNIX in words
        self._networks = [_network(word) for word in words if word != UNIX]

    def client(self, peer: str | None, forwarded: str | None) -> str | None:
        """The address of the client: the nearest one that is no trusted proxy.

        Args:
            peer: Address of whoever is connected; `None` or empty on a Unix socket.
            forwarded: The header `X-Forwarded-For`, the nearest proxy's entry last.
        """
        client = peer or None
        for entry in reversed((forwarded or "").split(",")):
            if not self._is_trusted(client):
                break
            address = _address(entry)
            if address is None:
                break
            client = address
        return client

    def _is_trusted(self, address: str | None) -> bool:
        if address is None:
            return self._unix
        try:
            parsed = ipaddress.ip_address(address)
        except ValueError:
            return False
        return any(parsed in network for network in self._networks)


def _network(word: str) -> ipaddress.IPv4Network | ipaddress.IPv6Network:
    try:
        return ipaddress.ip_network(word, strict=False)
    except ValueError:
        raise ConfigurationError(
            f"trusted_proxies has {word!r}: an address, a network such as 10.0.0.0/8, or unix would be"
            " right",
            code="setting_invalid",
            field="trusted_proxies",
        ) from None


def _address(entry: str) -> str | None:
    """One entry as an address; some proxies add a port."""
    text = entry.strip()
    match = _WITH_PORT.fullmatch(text)
    try:
        return str(ipaddress.ip_address(match["six"] or match["four"] if match else text))
    except ValueError:
        return None
