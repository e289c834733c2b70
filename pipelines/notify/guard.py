"""Which addresses a notice may be sent to, looked at when the connection is made.

A name that is checked before and resolved again after could have moved meanwhile; here the very
address that was looked at is connected to.
"""

from __future__ import annotations

import ipaddress
import socket
from dataclasses import dataclass

from detector.errors import DeliveryError

__all__ = ["Guard"]

Address = ipaddress.IPv4Address | ipaddress.IPv6Address

# Where clouds hand out credentials, beside the link-local 169.254.169.254.
_METADATA = frozenset(
    {ipaddress.ip_address("fd00:ec2::254"), ipaddress.ip_address("100.100.100.200")}
)
_NAT64 = ipaddress.ip_network("64:ff9b::/96")


@dataclass(frozen=True, slots=True)
class Guard:
    """Gives the address of a host, or refuses it.

    Link-local, multicast and unspecified addresses and metadata services are refused always;
    loopback and private ones unless `allow_private`.
    """

    place: str
    allow_private: bool = False

    def resolve(self, host: str, port: int) -> str:
        """An address of the host; `DeliveryError` where it has none, or one that is refused."""
        try:
            found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        except (OSError, UnicodeError) as error:
            raise DeliveryError(f"{self.place}: no address of its host is known") from error
        addresses = [_address(str(entry[4][0])) for entry in found]
        for address in addresses:
            self._check(address)
        return str(addresses[0])

    def _check(self, address: Address) -> None:
        real = _inner(address)
        if _is_never(real) or _is_never(address):
            why = "link-local, multicast or a metadata service; nothing is sent there"
        elif not real.is_global and not self.allow_private:
            why = "private; set allow_private: true if it is meant"
        else:
            return
        raise DeliveryError(f"{self.place}: its address {address} is {why}", retryable=False)


def _address(text: str) -> Address:
    return ipaddress.ip_address(text.partition("%")[0])


def _inner(address: Address) -> Address:
    """The IPv4 address that an IPv6 one leads to, else itself."""
    if isinstance(address, ipaddress.IPv4Address):
        return address
    if address in _NAT64:
        return ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
    return address.ipv4_mapped or address.sixtofour or address


def _is_never(address: Address) -> bool:
    return (
        address.is_link_local
        or address.is_multicast
        or address.is_unspecified
        or address in _METADATA
    )
