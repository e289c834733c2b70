"""Addresses, ids, paths, URLs and mails: each by its form, whatever is around it."""

from __future__ import annotations

from ipaddress import IPv4Address, IPv6Address
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.templates.miner import Miner
from tests.models.templates.lines import texts
from tests.profiles import HEAVY

ADDRESSES = [
    ("10.0.0.7", "<ip>"),
    ("10.0.0.7:80", "<ip>:<num>"),
    ("10.0.0.0/16", "<ip>"),
    ("10.0.0.7, 10.0.0.8", "<ip>"),
    ("10.0.0.7 10.0.0.8", "<ip>"),
    ("(10.0.0.7)", "(<ip>)"),
    ("[10.0.0.7]:80", "[<ip>]:<num>"),
    ("10.0.0.7->10.0.0.8", "<ip>><ip>"),
    ("2001:db8::1", "<ip>"),
    ("2001:db8::1,", "<ip>,"),
    ("2001:db8::1.", "<ip>."),
    ("2001:0db8:0000:0000:0000:ff00:0042:8329", "<ip>"),
    ("2001:DB8::A", "<ip>"),
    ("::1", "<ip>"),
    ("(::1)", "(<ip>)"),
    ("[::1]:8080", "[<ip>]:<num>"),
    ("[::1]", "[<ip>]"),
    ("::1:5432", "<ip>"),
    ("{::1}", "{<ip>}"),
    ("a,::1", "a,<ip>"),
    ("[2001:db8::1]:443", "[<ip>]:<num>"),
    ("addr=::1", "addr=<ip>"),
    ("1::2", "<ip>"),
    ("::ffff:10.0.0.7", "<ip>"),
    ("64:ff9b::10.0.0.7", "<ip>"),
    ("2001:db8::/32", "<ip>"),
    ("2001:db8::", "<ip>"),
    ("2001:db8::1: it", "<ip>: it"),
    ("::1/128", "<ip>"),
    ("fe80::1%eth0", "<ip>"),
    ("fe80::7ed:1ff:fe00:1%3", "<ip>"),
    ("::1, 2001:db8::2", "<ip>"),
    ("00:1b:44:11:3a:b7", "<ip>"),
    ("00:1B:44:11:3A:B7", "<ip>"),
    ("00-1b-44-11-3a-b7", "<id>"),
    ("::", "::"),
    ("std::vector", "std::vector"),
    ("ns::lib::f1", "ns::lib::<id>"),
    ("vector<int>::f1", "vector<int>::<id>"),
    ("1.2.3", "<num>"),
    ("db.internal:5432", "db.internal:<num>"),
    ("web-01:80", "<id>:<num>"),
    ("localhost:80", "localhost:<num>"),
]
IDS = [
    ("123e4567-e89b-12d3-a456-426614174000", "<id>"),
    ("123E4567-E89B-12D3-A456-426614174000", "<id>"),
    ("{123e4567-e89b-12d3-a456-426614174000}", "{<id>}"),
    ("urn:uuid:123e4567-e89b-12d3-a456-426614174000", "urn:uuid:<id>"),
    ("4bf92f3577b34da6a3ce929d0e0e4736", "<id>"),
    ("deadbeef", "<id>"),
    ("DEADBEEFCAFE", "<id>"),
    ("facade", "facade"),
    ("defaced", "defaced"),
    ("0xDEADBEEF", "<hex>"),
    ("0X1f", "<hex>"),
    ("0x0", "<hex>"),
    ("0x1f 0x2a 0x3b", "<hex>"),
    ("sha256:9f86d081884c7d659a2feaa0c55ad015", "<id>:<id>"),
    ("cart-7f9c6b5d4-x2x9z", "<id>"),
    ("shop/cart-7f9c6b5d4-x2x9z", "<id>"),
    ("order-12345", "<id>"),
    ("order_12345", "<id>"),
    ("ORD12345", "<id>"),
    ("#12345", "#<num>"),
    ("A-1, B-2", "<id>"),
    ("a1 b2 c3", "<id>"),
    ("01ARZ3NDEKTSV4RRFFQ69G5FAV", "<id>"),
    ("eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0In0.abc-def", "<id>"),
    ("v1.2.3", "<id>"),
    ("1.2.3-rc1", "<id>"),
    ("root@web-01", "<id>"),
    ("log4j", "log4j"),
    ("bytes2go", "bytes2go"),
    ("base64-url", "<id>"),
    ("com.acme.i18n.Text", "<id>"),
    ("java.lang.String", "java.lang.String"),
]
PATHS = [
    ("/var/lib/cart/a.log", "<path>"),
    ("/var/log/", "<path>"),
    ("/healthz", "<path>"),
    ("~/cart/a", "<path>"),
    ("./cart/a", "<path>"),
    ("../cart/a", "<path>"),
    ("/a/b, /c/d", "<path>"),
    ("/a/b /c/d", "<path>"),
    ("/a/b:12", "<path>:<num>"),
    ("(/a/b)", "(<path>)"),
    ("path=/a/b", "path=<path>"),
    ("/api/v1/users/42", "<path>"),
    ("C:\\Windows\\System32", "<path>"),
    ("D:\\x", "<path>"),
    ("\\\\server\\share\\file.txt", "<path>"),
    ("/a/b?full=true&n=3", "<path>"),
    ("(/a?n=3)", "(<path>)"),
    ("/a/b? Or", "<path>? Or"),
    ("a/b", "a/b"),
    ("and/or", "and/or"),
    ("/", "/"),
    ("~", "~"),
]
URLS = [
    ("https://a.example/c?d=e&f=g#h", "<url>"),
    ("http://10.0.0.7:8080/cart", "<url>"),
    ("http://[::1]:80/", "<url>"),
    ("https://u:p@a.example:443/c", "<url>"),
    ("(https://a.example/c)", "(<url>)"),
    ("<https://a.example/c>", "<<url>>"),
    ("url=https://a.example/c", "url=<url>"),
    ("s3://bucket/key", "<url>"),
    ("file:///etc/x", "<url>"),
    ("redis://cache:6379/0", "<url>"),
    ("jdbc:postgresql://db:5432/x", "jdbc:<url>"),
    ("https://a.example https://b.example", "<url>"),
    ("a.b+c@example.org", "<mail>"),
    ("<ann@example.org>", "<<mail>>"),
    ("ann@example.org, bob@example.org", "<mail>"),
    ("mailto:ann@example.org", "mailto:<mail>"),
    ("@here", "@here"),
]


@pytest.mark.parametrize(("written", "shown"), ADDRESSES)
def test_addresses_are_told_by_their_form(written: str, shown: str) -> None:
    """Who connects from where is a parameter, by either version and with any port."""
    assert texts(Miner(), [f"peer {written} is gone"]) == [f"peer {shown} is gone"]


@pytest.mark.parametrize(("written", "shown"), IDS)
def test_ids_are_told_by_their_form(written: str, shown: str) -> None:
    """What is made up for each request, pod or order is no word, and a name with a digit is."""
    assert texts(Miner(), [f"item {written} is gone"]) == [f"item {shown} is gone"]


@pytest.mark.parametrize(("written", "shown"), PATHS)
def test_paths_are_told_by_their_form(written: str, shown: str) -> None:
    """Files and routes are parameters on every system; two words with a slash are words."""
    assert texts(Miner(), [f"file {written} is gone"]) == [f"file {shown} is gone"]


@pytest.mark.parametrize(("written", "shown"), URLS)
def test_urls_and_mails_are_told_by_their_form(written: str, shown: str) -> None:
    """A query in a URL is part of it, brackets around it are not."""
    assert texts(Miner(), [f"see {written} for it"]) == [f"see {shown} for it"]


def test_a_client_is_one_kind_of_line_by_every_address() -> None:
    """A service that listens to both versions must not have each line twice."""
    clients = ["10.0.0.7", "2001:db8::1", "::1", "::ffff:10.0.0.7", "fe80::1%eth0"]
    assert len(set(texts(Miner(), [f"client {client} has left" for client in clients]))) == 1


def test_a_listener_is_one_kind_of_line_by_every_address_of_six() -> None:
    """The loop-back address is as much of one as a long one."""
    hosts = ["[::1]:80", "[2001:db8::1]:443", "[fe80::1%eth0]:8080"]
    assert set(texts(Miner(), [f"listening on {host}" for host in hosts])) == {
        "listening on [<ip>]:<num>"
    }


@HEAVY
@given(address=st.ip_addresses(v=4).map(IPv4Address), port=st.integers(0, 65535))
def test_every_address_of_version_four_is_one(address: IPv4Address, port: int) -> None:
    """No number in it is taken for something else."""
    assert texts(Miner(), [f"peer {address}:{port} left"]) == ["peer <ip>:<num> left"]


@HEAVY
@given(address=st.ip_addresses(v=6).filter(lambda one: int(one) > 0).map(IPv6Address))
def test_every_address_of_version_six_with_a_digit_is_one(address: IPv6Address) -> None:
    """Written short or long; one without any digit, as `fe::be`, reads like names in a program."""
    short, long = str(address), address.exploded
    written = [one for one in (long, short) if any(letter.isdigit() for letter in one)]
    found = texts(Miner(), [f"peer {one} left" for one in written])
    assert found == ["peer <ip> left"] * len(written)


@HEAVY
@given(one=st.uuids(), shape=st.sampled_from(["{}", "id={}", "({})", "[{}]", "{},"]))
def test_every_uuid_is_an_id(one: UUID, shape: str) -> None:
    """One in a few hundred is of digits alone at its begin, or begins like a number in hex."""
    assert texts(Miner(), [f"of {shape.format(one)} it"]) == [f"of {shape.format('<id>')} it"]


@HEAVY
@given(value=st.integers(0, 1 << 64))
def test_every_pointer_is_hex(value: int) -> None:
    """An address in memory is another one after each start."""
    assert texts(Miner(), [f"fault at {value:#x} in it"]) == ["fault at <hex> in it"]


@HEAVY
@given(
    parts=st.lists(
        st.text("abcdefghijklmnopqrstuvwxyz0123456789_-", min_size=1, max_size=9), min_size=1
    )
)
def test_every_rooted_path_is_a_path(parts: list[str]) -> None:
    """However deep; a name of digits alone in it does not make it a number."""
    named = ["a", *parts]
    assert texts(Miner(), [f"open /{'/'.join(named)[:200]}x now"]) == ["open <path> now"]


@HEAVY
@given(query=st.text("abcxyz0189=&%+-_.~/?:@,;!$*", max_size=60))
def test_a_query_is_part_of_its_url(query: str) -> None:
    """Who sends a question mark and forty fields makes no other kind of line."""
    assert texts(Miner(), [f"fetch https://a.example/x?{query} now"]) == ["fetch <url> now"]
