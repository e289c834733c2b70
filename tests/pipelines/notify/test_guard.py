"""Where nothing is sent, whatever name it has."""

from __future__ import annotations

import socket

import pytest
from hypothesis import given
from hypothesis import strategies as st

from detector.errors import DeliveryError
from pipelines.notify.guard import Guard
from pipelines.notify.webhook import WebhookNotifier
from tests.pipelines.notify.receiver import notice, receiving, settings

STRICT, OPEN = Guard("it"), Guard("it", allow_private=True)
PRIVATE = [
    "127.0.0.1",
    "10.1.2.3",
    "172.16.0.1",
    "192.168.1.1",
    "100.64.0.1",
    "::1",
    "fd12::1",
    "::ffff:10.0.0.1",
    "2130706433",
    "127.1",
    "localhost",
]
NEVER = [
    "169.254.169.254",
    "::ffff:169.254.169.254",
    "64:ff9b::a9fe:a9fe",
    "2002:a9fe:a9fe::1",
    "fe80::1",
    "fd00:ec2::254",
    "100.100.100.200",
    "0.0.0.0",
    "::",
    "224.0.0.1",
    "ff02::1",
]


@pytest.mark.parametrize("host", PRIVATE)
def test_private_addresses_are_asked_for(host: str) -> None:
    """A name in the configuration that leads into the cluster is meant, or it is an attack."""
    with pytest.raises(DeliveryError, match="private; set allow_private") as told:
        STRICT.resolve(host, 80)
    assert not told.value.retryable
    assert OPEN.resolve(host, 80)


@pytest.mark.parametrize("host", NEVER)
@pytest.mark.parametrize("guard", [STRICT, OPEN])
def test_where_credentials_are_handed_out_nothing_is_sent(host: str, guard: Guard) -> None:
    """Not even where private addresses are allowed, and in none of its spellings."""
    with pytest.raises(DeliveryError, match=r"nothing is sent there|private"):
        guard.resolve(host, 80)


@pytest.mark.parametrize("host", ["93.184.216.34", "2606:2800:220:1::1"])
def test_public_addresses_are_used_as_they_were_looked_at(host: str) -> None:
    """The connection goes to the very address."""
    assert STRICT.resolve(host, 443) == host


@given(st.ip_addresses(v=4, network="169.254.0.0/16"))
def test_no_spelling_of_a_link_local_address_passes(address: object) -> None:
    """As it is, mapped into IPv6, and as one number."""
    number = int.from_bytes(socket.inet_aton(str(address)), "big")
    for host in (str(address), f"::ffff:{address}", str(number)):
        with pytest.raises(DeliveryError):
            OPEN.resolve(host, 80)


def test_an_unknown_host_may_be_known_later() -> None:
    """A DNS that hiccups costs a try, not the notice."""
    with pytest.raises(DeliveryError, match="no address") as told:
        STRICT.resolve("nowhere.invalid", 80)
    assert told.value.retryable


def test_the_guard_stands_before_the_connection() -> None:
    """Not only in the settings: nothing arrives."""
    with receiving() as receiver:
        notifier = WebhookNotifier(settings(receiver.url, allow_private=False), lambda: 0.0)
        with pytest.raises(DeliveryError, match="private"):
            notifier.send(notice())
        assert receiver.got == []
