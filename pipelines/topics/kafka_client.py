"""What every client of Kafka is told, and what its errors mean."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from kafka.errors import KafkaError

from detector.errors import BrokerError
from pipelines.sources.auth import tls_context
from pipelines.topics.settings import BrokerSettings

__all__ = ["client_options", "refusal", "speaking"]

# After a broker's restart a client is back within about so long; the library's own is 30 s.
_RECONNECT_MS = 2_000
# New partitions, and a new leader that nobody was told of, are found within so long.
_METADATA_MS = 30_000


def client_options(settings: BrokerSettings) -> dict[str, Any]:
    """The options that all kinds of clients share."""
    request_ms = round(1000 * settings.request_s)
    return {
        "bootstrap_servers": list(settings.servers),
        "client_id": settings.client_id,
        "request_timeout_ms": request_ms,
        "bootstrap_timeout_ms": request_ms,
        "reconnect_backoff_max_ms": _RECONNECT_MS,
        "metadata_max_age_ms": _METADATA_MS,
        **_security(settings),
    }


def _security(settings: BrokerSettings) -> dict[str, Any]:
    options: dict[str, Any] = {"security_protocol": _protocol(settings)}
    if settings.tls is not None:
        options["ssl_context"] = tls_context(settings.tls)
        options["ssl_check_hostname"] = not settings.tls.insecure
    if settings.sasl is not None:
        options["sasl_mechanism"] = settings.sasl.mechanism.value
        options["sasl_plain_username"] = settings.sasl.username
        options["sasl_plain_password"] = settings.sasl.secret()
    return options


def _protocol(settings: BrokerSettings) -> str:
    if settings.sasl is None:
        return "PLAINTEXT" if settings.tls is None else "SSL"
    return "SASL_PLAINTEXT" if settings.tls is None else "SASL_SSL"


@contextmanager
def speaking(settings: BrokerSettings, doing: str) -> Iterator[None]:
    """Turn what the library raises into our error, with what was being done."""
    try:
        yield
    except KafkaError as error:
        raise refusal(settings, doing, error) from error


def refusal(settings: BrokerSettings, doing: str, error: KafkaError) -> BrokerError:
    """Our error of the library's."""
    return BrokerError(f"{settings.place}, {doing}: {error}", retryable=bool(error.retriable))
