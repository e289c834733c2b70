"""Headers, certificates and bodies: what a source is sent, and how far its reply is read."""

from __future__ import annotations

import base64
import gzip
import ssl
from collections.abc import Iterator
from pathlib import Path

import httpx2
import pytest
from hypothesis import given
from hypothesis import strategies as st

from detector.errors import ConfigError
from pipelines.sources.auth import request_headers, tls_context
from pipelines.sources.body import OversizeError, bounded_body
from pipelines.sources.settings import Auth, SourceSettings, Tls

words = st.text(st.characters(codec="utf-8", exclude_characters=":\r\n"), max_size=20)


def headers(**auth: object) -> dict[str, str]:
    return request_headers(SourceSettings(auth=Auth(**auth)))  # type: ignore[arg-type]


def test_nothing_secret_is_sent_unasked() -> None:
    """A source without a login gets no Authorization header at all."""
    sent = headers()
    assert "Authorization" not in sent
    assert sent["Accept-Encoding"] == "identity"
    assert request_headers(SourceSettings(gzip=True))["Accept-Encoding"] == "gzip"


@given(words, words)
def test_user_and_password_arrive(user: str, password: str) -> None:
    """Umlauts in passwords too."""
    kind, _, pair = headers(username=user, password=password)["Authorization"].partition(" ")
    assert kind == "Basic"
    assert base64.b64decode(pair).decode() == f"{user}:{password}"


def test_a_rotated_token_needs_no_restart(tmp_path: Path) -> None:
    """Kubernetes replaces the file each hour; the line's end is no part of the token."""
    file = tmp_path / "token"
    file.write_text("one\n", encoding="utf-8")
    auth = Auth(bearer_token_file=str(file))
    settings = SourceSettings(auth=auth)
    first = request_headers(settings)["Authorization"]
    file.write_text("two\n", encoding="utf-8")
    assert (first, request_headers(settings)["Authorization"]) == ("Bearer one", "Bearer two")


def test_a_password_from_a_file_goes_with_its_user(tmp_path: Path) -> None:
    """A mounted secret is used like one that is written down."""
    file = tmp_path / "password"
    file.write_text(" s3cret \n", encoding="utf-8")
    assert headers(username="u", password_file=str(file)) == headers(
        username="u", password="s3cret"
    )


@pytest.mark.parametrize("name", ["bearer_token_file", "password_file"])
def test_a_file_that_is_missing_is_named(name: str, tmp_path: Path) -> None:
    """Whoever forgot to mount the secret reads which one."""
    gone = str(tmp_path / "gone")
    more = {"username": "u"} if name == "password_file" else {}
    with pytest.raises(ConfigError, match="gone: No such file"):
        headers(**{name: gone}, **more)


def test_tenant_and_own_headers_are_sent() -> None:
    """Mimir needs the tenant; what a gateway wants besides goes last and wins."""
    sent = headers(tenant="team-a", bearer_token="t", headers={"Authorization": "Custom x"})
    assert sent["X-Scope-OrgID"] == "team-a"
    assert sent["Authorization"] == "Custom x"


def test_certificates_are_checked_unless_told_not_to() -> None:
    """Only the word `insecure` turns the check off."""
    safe, open_ = tls_context(Tls()), tls_context(Tls(insecure=True))
    assert (safe.verify_mode, safe.check_hostname) == (ssl.CERT_REQUIRED, True)
    assert (open_.verify_mode, open_.check_hostname) == (ssl.CERT_NONE, False)


@pytest.mark.parametrize("name", ["ca_file", "cert_file"])
def test_a_certificate_that_is_none_is_named(name: str, tmp_path: Path) -> None:
    """An empty or missing file is told at the start, with its path."""
    empty = tmp_path / "empty.pem"
    empty.write_text("", encoding="utf-8")
    for path in (empty, tmp_path / "gone.pem"):
        with pytest.raises(ConfigError, match=path.name):
            tls_context(Tls(**{name: str(path)}))  # type: ignore[arg-type]


class Chunks(httpx2.SyncByteStream):
    """A body in chunks that counts what was read of it."""

    def __init__(self, *chunks: bytes) -> None:
        self.chunks, self.read = chunks, 0

    def __iter__(self) -> Iterator[bytes]:
        for chunk in self.chunks:
            self.read += 1
            yield chunk


def reply(stream: Chunks, **headers: str) -> httpx2.Response:
    told = {name.replace("_", "-"): value for name, value in headers.items()}
    return httpx2.Response(200, headers=told, stream=stream)


@given(st.lists(st.binary(min_size=1, max_size=50), max_size=10), st.integers(0, 200))
def test_a_body_is_whole_or_refused(chunks: list[bytes], bound: int) -> None:
    """Half a body is never taken for an answer, and a bound is a bound to the byte."""
    whole = b"".join(chunks)
    if len(whole) <= bound:
        assert bounded_body(reply(Chunks(*chunks)), bound) == whole
    else:
        with pytest.raises(OversizeError) as caught:
            bounded_body(reply(Chunks(*chunks)), bound)
        assert caught.value.head == chunks[0]


def test_an_endless_body_is_left_at_its_bound() -> None:
    """A server that never stops costs the bound, not the memory."""
    stream = Chunks(*[b"x" * 100] * 1000)
    with pytest.raises(OversizeError):
        bounded_body(reply(stream), 250)
    assert stream.read == 3


def test_a_body_that_says_it_is_too_large_is_not_read() -> None:
    """Only its head, to tell what it was."""
    stream = Chunks(b"<html>", b"more", b"more")
    with pytest.raises(OversizeError, match="over 1 MB") as caught:
        bounded_body(reply(stream, content_length=str(2**20 + 1)), 2**20)
    assert (stream.read, caught.value.head) == (1, b"<html>")


def test_a_small_body_that_unpacks_to_a_large_one_is_refused() -> None:
    """The bound is for what lands in memory, not for what crossed the wire."""
    packed = gzip.compress(b"0" * 2**20)
    assert len(packed) < 2**12
    with pytest.raises(OversizeError):
        bounded_body(reply(Chunks(packed), content_encoding="gzip"), 2**16)
