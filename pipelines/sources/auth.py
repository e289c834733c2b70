"""Request headers and the TLS context of a source, made from its settings."""

from __future__ import annotations

import base64
import ssl
from pathlib import Path

from detector.errors import ConfigError
from pipelines.sources.settings import Auth, SourceSettings, Tls

__all__ = ["request_headers", "tls_context"]


def request_headers(settings: SourceSettings) -> dict[str, str]:
    """Headers of one request; token and password files are read anew each time."""
    headers = {
        "Accept": "application/json",
        "Accept-Encoding": "gzip" if settings.gzip else "identity",
        "User-Agent": "serinus",
    }
    if settings.auth.tenant is not None:
        headers["X-Scope-OrgID"] = settings.auth.tenant
    credentials = _authorization(settings.auth)
    if credentials is not None:
        headers["Authorization"] = credentials
    return headers | dict(settings.auth.headers)


def _authorization(auth: Auth) -> str | None:
    if auth.username is not None:
        password = _secret(auth.password, auth.password_file) or ""
        pair = f"{auth.username}:{password}".encode()
        return "Basic " + base64.b64encode(pair).decode("ascii")
    token = _secret(auth.bearer_token, auth.bearer_token_file)
    return None if token is None else f"Bearer {token}"


def _secret(value: str | None, file: str | None) -> str | None:
    if value is not None or file is None:
        return value
    try:
        return Path(file).read_text(encoding="utf-8").strip()
    except OSError as error:
        raise ConfigError(f"source auth: cannot read {file}: {error.strerror}") from error


def tls_context(tls: Tls) -> ssl.SSLContext:
    """A client context: the system's authorities, or only the private one that is named."""
    try:
        context = ssl.create_default_context(cafile=tls.ca_file)
        if tls.cert_file is not None:
            context.load_cert_chain(tls.cert_file, tls.key_file)
    except OSError as error:  # ssl.SSLError is one
        files = [file for file in (tls.ca_file, tls.cert_file, tls.key_file) if file]
        raise ConfigError(f"source tls: cannot use {', '.join(files)}: {error}") from error
    if tls.insecure:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    return context
