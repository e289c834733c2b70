"""Where a metric source is, how to log in to it, and how much may be asked of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from detector.errors import ConfigError

__all__ = ["Auth", "Budget", "SourceSettings", "Tls"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Auth:
    """How requests are authenticated; secrets are left out of `repr`.

    Give a bearer token, or a user with a password, or neither. Files are read again for every
    query, so a rotated token needs no restart. `tenant` becomes `X-Scope-OrgID`; `headers` are
    sent as they are (and treated as secrets).
    """

    bearer_token: str | None = field(default=None, repr=False)
    bearer_token_file: str | None = None
    username: str | None = None
    password: str | None = field(default=None, repr=False)
    password_file: str | None = None
    tenant: str | None = None
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)

    def __post_init__(self) -> None:
        tokens = [self.bearer_token, self.bearer_token_file, self.username]
        if sum(value is not None for value in tokens) > 1:
            raise ConfigError("source auth: give one of bearer_token, bearer_token_file, username")
        for name, value in self.headers.items():
            if "\n" in name + value or "\r" in name + value:
                raise ConfigError(f"source auth: header {name!r} has a line break in it")


@dataclass(frozen=True, slots=True, kw_only=True)
class Tls:
    """Certificates: a private CA, a client certificate, or no verification at all."""

    ca_file: str | None = None
    cert_file: str | None = None
    key_file: str | None = None
    insecure: bool = False

    def __post_init__(self) -> None:
        if self.key_file is not None and self.cert_file is None:
            raise ConfigError("source tls: key_file needs cert_file beside it")


@dataclass(frozen=True, slots=True, kw_only=True)
class Budget:
    """What one source may be asked: we are guests on people's Prometheus.

    `max_series` and `max_samples` bound one `read`; `max_body_bytes` bounds one reply after
    decompression; spans over `max_span_s` seconds are asked for in pieces.
    """

    max_concurrent: int = 4
    max_series: int = 20_000
    max_samples: int = 20_000_000
    max_body_bytes: int = 64 * 2**20
    max_span_s: float = 21_600.0
    connect_timeout_s: float = 3.0
    retries: int = 2

    def __post_init__(self) -> None:
        bounds = (self.max_concurrent, self.max_series, self.max_samples, self.max_body_bytes)
        if min(bounds) < 1 or self.max_span_s <= 0 or self.connect_timeout_s <= 0:
            raise ConfigError("source budget: every bound must be greater than zero")
        if not 0 <= self.retries <= 10:
            raise ConfigError(f"source budget: retries is {self.retries}; give 0 to 10")


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceSettings:
    """One metric source.

    `kind` is `prometheus` (also for Thanos, Mimir, VictoriaMetrics), `memory`, or the name of an
    entry point in the group `serinus.sources`; `url` may have a path prefix. `params` are sent
    with every request (Thanos: `dedup`, `partial_response`). `allow_hosts`, when not empty, names
    the only hosts that may be asked. `options` is for sources of third parties.
    """

    kind: str = "prometheus"
    url: str = "http://127.0.0.1:9090"
    auth: Auth = field(default_factory=Auth)
    tls: Tls = field(default_factory=Tls)
    budget: Budget = field(default_factory=Budget)
    gzip: bool = False
    params: Mapping[str, str] = field(default_factory=dict)
    allow_hosts: tuple[str, ...] = ()
    options: Mapping[str, str] = field(default_factory=dict, repr=False)

    def __post_init__(self) -> None:
        check_url(self.url, self.allow_hosts)


def check_url(url: str, allow_hosts: tuple[str, ...]) -> None:
    """Refuse what is not plain http(s) to an allowed host; the text never shows a password."""
    try:
        parts = urlsplit(url)
        host, _port = parts.hostname, parts.port
    except ValueError as error:
        raise ConfigError("source url: not a URL; write http://host:port/prefix") from error
    if parts.username is not None or parts.password is not None:
        raise ConfigError("source url: has a user in it; give auth.username and auth.password")
    if parts.scheme not in {"http", "https"} or not host:
        raise ConfigError(f"source url: {url!r} is not http:// or https:// with a host")
    if parts.query or parts.fragment:
        raise ConfigError("source url: has a query or fragment; give extra parameters in params")
    if allow_hosts and host not in allow_hosts:
        raise ConfigError(f"source url: host {host!r} is not in allow_hosts {list(allow_hosts)}")
