"""The rules of access, decided from a request's head alone."""

from __future__ import annotations

import base64
import binascii
import hmac
import ipaddress
from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from api.problems import Refused
from detector.errors import ConfigError

__all__ = ["Access", "is_loopback"]

# Probes have no token; they say nothing but whether the process lives and can answer.
OPEN_PATHS = frozenset({"/healthz", "/readyz"})
# Who sends no header of ours: Flagger's own door looks at the payload and the path, the doors of
# senders of changes and for Slack at their signatures.
OWN_DOORS = ("/flagger/", "/hooks/", "/slack/")
SAFE = frozenset({"GET", "HEAD", "OPTIONS"})
BEARER = 'Bearer realm="serinus"'
# A browser asks for a password and sends it by itself: good enough to look, not to change.
LOGIN = 'Basic realm="serinus: any user, the token as password"'


@dataclass(frozen=True, slots=True, kw_only=True)
class Access:
    """Who may do what. Without a token only the machine itself is answered."""

    token: str | None = field(default=None, repr=False)
    flagger_token: str | None = field(default=None, repr=False)
    insecure: bool = False
    allowed_hosts: tuple[str, ...] = ()

    def check(self, method: str, path: str, headers: Mapping[str, str]) -> None:
        """`Refused` where the caller may not; `headers` have lower-case names."""
        if path in OPEN_PATHS:
            return
        if self.token is None and not self.insecure:
            self._check_host(headers.get("host", ""))
        if method not in SAFE:
            _check_origin(headers)
        if self.token is not None and not path.startswith(OWN_DOORS):
            self._check_login(method, headers.get("authorization", ""))

    def check_sender(self, headers: Mapping[str, str]) -> None:
        """`Refused` unless a sender that signs nothing has the token."""
        if self.token is not None:
            self._check_login("POST", headers.get("authorization", ""))

    def check_flagger(self, *offered: str | None) -> None:
        """`Refused` unless one of the tokens that came by payload, path or header is right."""
        wanted = self.flagger_token or self.token
        if wanted is None or any(_is_same(token, wanted) for token in offered if token):
            return
        raise Refused(
            "Flagger sends no header: put the token into the webhook's metadata as `token`.",
            status=401,
            challenges=(BEARER,),
        )

    def _check_host(self, host: str) -> None:
        """A page in a browser can point its own name at 127.0.0.1, but not change this header."""
        name = _host_name(host)
        if is_loopback(name) or name in {host.lower() for host in self.allowed_hosts}:
            return
        raise Refused(
            f"Without a token only requests to this machine are answered, not to {name[:80]!r}: "
            "set SERINUS_TOKEN, or name the host in allowed_hosts."
        )

    def _check_login(self, method: str, authorization: str) -> None:
        scheme, _, value = authorization.partition(" ")
        assert self.token is not None
        match scheme.lower():
            case "bearer" if _is_same(value.strip(), self.token):
                return
            case "basic" if _is_same(_password(value), self.token):
                if method in SAFE:
                    return
                raise Refused("A browser's login may look only: send the token as bearer.")
        raise Refused(
            "Send the token: `Authorization: Bearer $SERINUS_TOKEN`.",
            status=401,
            challenges=(BEARER, LOGIN) if method in SAFE else (BEARER,),
        )


def _check_origin(headers: Mapping[str, str]) -> None:
    """Another site's page may not act through the browser of a person who sits here."""
    site, origin = headers.get("sec-fetch-site", "none"), headers.get("origin")
    is_foreign = origin is not None and origin.partition("://")[2] != headers.get("host", "")
    if site in {"cross-site", "same-site"} or is_foreign:
        raise Refused("Requests from another site's page are refused.")


def _password(value: str) -> str:
    try:
        plain = base64.b64decode(value.strip(), validate=True).decode("utf-8")
    except (binascii.Error, UnicodeDecodeError):
        return ""
    return plain.partition(":")[2]


def _is_same(offered: str, wanted: str) -> bool:
    """Compare in a time that tells nothing of the token."""
    return hmac.compare_digest(offered.encode(errors="replace"), wanted.encode())


def _host_name(host: str) -> str:
    try:
        return (urlsplit(f"//{host}").hostname or "").rstrip(".")
    except ValueError:
        return ""


def is_loopback(host: str) -> bool:
    """Whether an address (or `localhost`) is this machine only."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def check_exposure(host: str, *, token: str | None, insecure: bool) -> None:
    """`ConfigError` for listening beyond this machine without a token."""
    if token is not None and len(token) < 8:
        raise ConfigError("SERINUS_TOKEN is shorter than 8 characters: make it longer")
    if token is None and not insecure and not is_loopback(host):
        raise ConfigError(
            f"listening on {host} lets others in: set SERINUS_TOKEN (for example to the output of "
            "`openssl rand -hex 24`), or say --insecure if something before serinus checks callers"
        )
