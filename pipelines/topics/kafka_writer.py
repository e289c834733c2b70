"""Messages written to Kafka, each of them once and acknowledged by all copies."""

from __future__ import annotations

from kafka import KafkaProducer
from kafka.errors import KafkaError

from pipelines.topics.kafka_client import client_options, refusal, speaking
from pipelines.topics.port import Outgoing
from pipelines.topics.settings import BrokerSettings

__all__ = ["KafkaWriter"]

_LINGER_MS = 5
_CLOSE_S = 1.0


class KafkaWriter:
    """`Writer` of a Kafka: idempotent, so that a retry of the library doubles nothing."""

    def __init__(self, settings: BrokerSettings) -> None:
        self._settings = settings
        request_ms = round(1000 * settings.request_s)
        self._failed: KafkaError | None = None
        with speaking(settings, "opening a writer"):
            self._producer = KafkaProducer(
                **client_options(settings),
                acks="all",
                enable_idempotence=True,
                compression_type="lz4",
                linger_ms=_LINGER_MS,
                max_block_ms=request_ms,
                delivery_timeout_ms=2 * request_ms + _LINGER_MS,
                max_request_size=settings.message_bytes,
                allow_auto_create_topics=False,
                metrics_enabled=False,
            )

    def send(self, message: Outgoing) -> None:
        """Take a message; it is sent in the background."""
        with speaking(self._settings, f"writing to topic {message.topic} (does it exist?)"):
            sent = self._producer.send(
                message.topic, message.value, message.key, headers=list(message.headers)
            )
        sent.add_errback(self._fail)

    def flush(self, timeout_s: float) -> None:
        """Wait for the answers to all that was sent."""
        doing = "waiting for what was written"
        with speaking(self._settings, doing):
            self._producer.flush(timeout=timeout_s)
        failed, self._failed = self._failed, None
        if failed is not None:
            raise refusal(self._settings, doing, failed) from failed

    def close(self) -> None:
        """Stop, without waiting for what was not flushed."""
        try:
            self._producer.close(timeout=_CLOSE_S)
        except KafkaError:
            # It waits for a flush first, and leaves its thread running when that takes too long.
            self._producer._sender.force_close()

    def _fail(self, error: KafkaError) -> None:
        self._failed = error
