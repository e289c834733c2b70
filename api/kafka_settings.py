"""What is said of Kafka in the configuration: where it is, and which topics there are."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import Field, SecretStr, model_validator

from api.section import Count, Seconds, Section, TlsSettings, secret_text, text_of

if TYPE_CHECKING:
    from pipelines.ingest.protocol import Format, TraceFormat
    from pipelines.topics.port import Topic
    from pipelines.topics.settings import BrokerSettings

__all__ = [
    "KafkaSection",
    "LogsTopicSection",
    "MetricsTopicSection",
    "TopicSection",
    "TracesTopicSection",
]

Hours = Annotated[float, Field(gt=0)]


class KafkaTlsSection(TlsSettings):
    """Certificates towards the brokers."""

    enabled: bool = False


class SaslSection(Section):
    """A user of the brokers."""

    mechanism: Literal["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"] = "SCRAM-SHA-512"
    username: str | None = None
    password: SecretStr | None = None
    password_file: Path | None = None

    @model_validator(mode="after")
    def is_whole(self) -> SaslSection:
        """A user has one password, and nobody has none."""
        secrets = sum(one is not None for one in (self.password, self.password_file))
        if secrets != (self.username is not None):
            raise ValueError("give username with one of password, password_file, or none of them")
        return self


class TopicSection(Section):
    """How a topic is made; null is what `kafka` says for all."""

    partitions: Count | None = None
    retention_h: Hours = 24.0


class MetricsTopicSection(TopicSection):
    """A topic of metrics, and how its messages are written."""

    format: Literal["otlp_proto", "otlp_json", "remote_write", "columnar"]

    @property
    def written(self) -> Format:
        """The same in the words of the doors."""
        from pipelines.ingest.protocol import Format

        return Format(self.format)


class LogsTopicSection(TopicSection):
    """A topic of logs: of a protocol, or of JSON lines.

    Those are read by the mapping that is named, or (`json_lines`) each by what it is recognised as.
    """

    format: Annotated[str, Field(pattern=r"^[A-Za-z0-9._-]{1,64}$")]


class TracesTopicSection(TopicSection):
    """A topic of traces, and how its messages are written."""

    format: Literal["otlp_proto", "otlp_json"]

    @property
    def written(self) -> TraceFormat:
        """The same in the words of the doors."""
        from pipelines.ingest.protocol import TraceFormat

        return TraceFormat(self.format)


class OwnTopicSection(TopicSection):
    """A topic that serinus writes to."""

    topic: str
    retention_h: Hours = 168.0


_METRICS = {
    "otlp_metrics": MetricsTopicSection(format="otlp_proto"),
    "serinus-remote-write": MetricsTopicSection(format="remote_write"),
    "serinus-columns": MetricsTopicSection(format="columnar"),
}


# As the OpenTelemetry collector's Kafka exporter calls them.
_LOGS = {"otlp_logs": LogsTopicSection(format="otlp_proto")}
_TRACES = {"otlp_spans": TracesTopicSection(format="otlp_proto")}


class KafkaSection(Section):
    """Kafka, for many machines."""

    servers: tuple[str, ...] = ()
    client_id: str = "serinus"
    group: str = "serinus"
    tls: KafkaTlsSection = KafkaTlsSection()
    sasl: SaslSection = SaslSection()
    request_s: Seconds = 15.0
    session_s: Seconds = 45.0
    longest_pause_s: Seconds = 300.0
    message_kb: Count = 2048
    partitions: Count = 12
    replication: Count = 1
    metrics: dict[str, MetricsTopicSection] = Field(default_factory=lambda: dict(_METRICS))
    logs: dict[str, LogsTopicSection] = Field(default_factory=lambda: dict(_LOGS))
    traces: dict[str, TracesTopicSection] = Field(default_factory=lambda: dict(_TRACES))
    anomalies: OwnTopicSection = OwnTopicSection(topic="serinus-anomalies")
    dead_letters: OwnTopicSection = OwnTopicSection(topic="serinus-dead-letters", partitions=1)

    @model_validator(mode="after")
    def names_are_of_one_topic(self) -> KafkaSection:
        """What serinus writes must not come back to it, and a topic has messages of one kind."""
        names = [*self.read, self.anomalies.topic, self.dead_letters.topic]
        twice = next((name for name in names if names.count(name) > 1), None)
        if twice is not None:
            raise ValueError(f"topic {twice!r} is named for two things: give each its own")
        return self

    @property
    def formats(self) -> dict[str, Format]:
        """How the messages of each topic of metrics are written."""
        return {name: one.written for name, one in self.metrics.items()}

    @property
    def read(self) -> list[str]:
        """All topics that workers read."""
        return [*self.metrics, *self.logs, *self.traces]

    def native(self) -> BrokerSettings:
        """The same in the words of the clients; `ConfigError` where there is no broker."""
        from pipelines.topics.settings import BrokerSettings, Mechanism, Sasl

        sasl = None
        if self.sasl.username is not None:
            sasl = Sasl(
                mechanism=Mechanism(self.sasl.mechanism),
                username=self.sasl.username,
                password=secret_text(self.sasl.password),
                password_file=text_of(self.sasl.password_file),
            )
        return BrokerSettings(
            servers=self.servers,
            client_id=self.client_id,
            tls=self.tls.native() if self.tls.enabled else None,
            sasl=sasl,
            request_s=self.request_s,
            session_s=self.session_s,
            pause_s=self.longest_pause_s,
            message_bytes=self.message_kb * 1024,
        )

    def topics(self) -> list[Topic]:
        """All topics, as they are to be."""
        return list(self._topics())

    def _topics(self) -> Iterator[Topic]:
        for name, metrics in self.metrics.items():
            yield self._topic(name, metrics)
        for name, one in (*self.logs.items(), *self.traces.items()):
            # Lines and spans are counted when they come: one sender's clock moves no other's.
            yield self._topic(name, one, {"message.timestamp.type": "LogAppendTime"})
        yield self._topic(self.anomalies.topic, self.anomalies)
        letters = {"max.message.bytes": str(self.message_kb * 1024)}
        yield self._topic(self.dead_letters.topic, self.dead_letters, letters)

    def _topic(self, name: str, one: TopicSection, more: dict[str, str] | None = None) -> Topic:
        from pipelines.topics.port import Topic

        retention_ms = round(one.retention_h * 3_600_000)
        return Topic(
            name=name,
            partitions=one.partitions or self.partitions,
            replication=self.replication,
            config={"retention.ms": str(retention_ms), **(more or {})},
        )
