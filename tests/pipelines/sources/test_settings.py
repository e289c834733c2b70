"""What a source's settings refuse, and that they keep their secrets."""

from __future__ import annotations

import pytest

from detector.errors import ConfigError
from pipelines.sources.settings import Auth, Budget, SourceSettings, Tls


@pytest.mark.parametrize(
    ("url", "word"),
    [
        ("file:///etc/passwd", "http"),
        ("gopher://host:70/", "http"),
        ("prometheus:9090", "http"),
        ("http://", "host"),
        ("http://user:hunter2@host", "auth.username"),
        ("http://host/?token=x", "params"),
        ("http://host:port", "not a URL"),
        ("http://[::1", "not a URL"),
        ("http://metadata.internal", "allow_hosts"),
    ],
)
def test_urls_that_are_refused(url: str, word: str) -> None:
    """No other scheme, no other host than allowed, no secret in an address."""
    with pytest.raises(ConfigError, match=word) as caught:
        SourceSettings(url=url, allow_hosts=("prometheus.internal",))
    assert "hunter2" not in str(caught.value)


@pytest.mark.parametrize(
    "url", ["http://h", "https://h:9090/", "http://[::1]:9090", "http://h/select/0/prometheus"]
)
def test_urls_that_are_taken(url: str) -> None:
    """Ports, IPv6 and path prefixes are ordinary."""
    assert SourceSettings(url=url).url == url


def test_secrets_are_not_shown() -> None:
    """Settings are printed when something is wrong with them."""
    settings = SourceSettings(
        auth=Auth(bearer_token="hunter2", headers={"X-Key": "hunter2"}),
        options={"key": "hunter2"},
    )
    assert "hunter2" not in repr(settings)
    assert "hunter2" not in repr(Auth(username="me", password="hunter2"))


@pytest.mark.parametrize(
    "auth",
    [
        {"bearer_token": "a", "username": "b"},
        {"bearer_token": "a", "bearer_token_file": "b"},
        {"headers": {"X": "a\r\nY: b"}},
    ],
)
def test_contradicting_or_split_credentials_are_refused(auth: dict[str, str]) -> None:
    """Which of two would be sent is nobody's guess; a header cannot bring another."""
    with pytest.raises(ConfigError, match="source auth"):
        Auth(**auth)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "budget",
    [{"max_series": 0}, {"max_concurrent": -1}, {"max_span_s": 0}, {"retries": 11}],
)
def test_budgets_of_nothing_are_refused(budget: dict[str, int]) -> None:
    """A bound of zero would make every verdict inconclusive."""
    with pytest.raises(ConfigError, match="source budget"):
        Budget(**budget)


def test_key_without_certificate_is_refused() -> None:
    """It would silently not be used."""
    with pytest.raises(ConfigError, match="cert_file"):
        Tls(key_file="client.key")
