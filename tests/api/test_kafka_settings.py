"""What is said of Kafka in the configuration, and what is made of it."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from api.kafka_settings import KafkaSection
from api.settings import Settings
from api.worker_judges import log_forms, topics_read
from detector.errors import ConfigError
from pipelines.ingest.protocol import Format, LogFormat, Packing
from pipelines.topics.settings import Mechanism


def section(**keys: object) -> KafkaSection:
    """A section with these keys."""
    return KafkaSection.model_validate({"servers": ["kafka:9092"], **keys})


def test_without_servers_there_is_no_kafka() -> None:
    """One machine needs none: the section alone must not make it fail."""
    with pytest.raises(ConfigError, match="host:port"):
        KafkaSection().native()


def test_a_topic_of_metrics_has_one_format() -> None:
    """A message does not say what it is: its topic does."""
    found = section(metrics={"a": {"format": "columnar"}, "b": {"format": "otlp_proto"}})
    assert found.formats == {"a": Format.COLUMNAR, "b": Format.OTLP_PROTO}


def test_every_format_of_a_topic_can_be_named() -> None:
    """What the doors can read would otherwise be out of reach."""
    every = {one.value: {"format": one.value} for one in Format}
    assert set(section(metrics=every).formats.values()) == set(Format)


def test_an_unknown_format_is_refused_by_name() -> None:
    """A typo must not be found by every message becoming a dead letter."""
    with pytest.raises(ValidationError, match="format"):
        section(metrics={"a": {"format": "otlp"}})


@pytest.mark.parametrize("name", ["serinus-anomalies", "serinus-dead-letters"])
def test_what_serinus_writes_is_no_topic_of_metrics(name: str) -> None:
    """Each dead letter would come back, and become another."""
    with pytest.raises(ValidationError, match="two things"):
        section(metrics={name: {"format": "columnar"}})


def test_topics_are_made_as_they_are_described() -> None:
    """Partitions and copies of all, unless one has its own; retention in milliseconds."""
    found = section(
        metrics={"a": {"format": "columnar", "partitions": 3, "retention_h": 1.5}},
        partitions=8,
        replication=3,
        message_kb=512,
    )
    topics = {one.name: one for one in found.topics()}
    own = {"serinus-anomalies", "serinus-dead-letters"}
    assert set(topics) == {"a", "otlp_logs", "otlp_spans", *own}
    assert [topics[name].partitions for name in sorted(topics)] == [3, 8, 8, 8, 1]
    assert {one.replication for one in topics.values()} == {3}
    assert topics["a"].config == {"retention.ms": "5400000"}
    assert topics["otlp_logs"].config["message.timestamp.type"] == "LogAppendTime"
    letters = topics["serinus-dead-letters"].config
    assert letters == {"retention.ms": "604800000", "max.message.bytes": str(512 * 1024)}


def test_tls_is_used_where_it_is_asked_for() -> None:
    """Certificates that are named and not used would be a plain connection in disguise."""
    assert section().native().tls is None
    tls = section(tls={"enabled": True, "insecure": True}).native().tls
    assert tls is not None
    assert tls.insecure


def test_a_user_is_taken_with_its_mechanism() -> None:
    """The default is the one that shows the password to nobody."""
    sasl = section(sasl={"username": "me", "password": "hush"}).native().sasl
    assert sasl is not None
    assert (sasl.mechanism, sasl.secret()) == (Mechanism.SCRAM_SHA_512, "hush")


@pytest.mark.parametrize(
    "keys",
    [
        {"username": "me"},
        {"password": "x"},
        {"username": "me", "password": "x", "password_file": "y"},
    ],
    ids=["no password", "no user", "two passwords"],
)
def test_half_a_user_is_refused(keys: dict[str, str]) -> None:
    """It would log in as nobody, and be told so by a broker in its own words."""
    with pytest.raises(ValidationError, match="username"):
        section(sasl=keys)


def test_a_topic_of_logs_is_of_a_protocol_or_of_a_mapping() -> None:
    """Whoever has Fluent Bit writes its name as it is written elsewhere, with either sign."""
    formats = [*(one.value for one in LogFormat), "fluent_bit", "filebeat", "vector", "ecs"]
    kafka = {"logs": {name: {"format": name} for name in formats}}
    found = log_forms(Settings.model_validate({"kafka": kafka}))
    assert {name: one.mapping for name, one in found.items()} == {
        **{one.value: "auto" for one in LogFormat},
        "fluent_bit": "fluent-bit",
        "filebeat": "filebeat",
        "vector": "vector",
        "ecs": "ecs",
    }
    assert found["loki"].packing is Packing.SNAPPY


def test_a_format_of_logs_that_is_none_is_refused_with_those_that_are() -> None:
    """A typo must not be found by lines that are read as something else."""
    settings = Settings.model_validate({"kafka": {"logs": {"a": {"format": "fluentbit"}}}})
    with pytest.raises(ConfigError, match=r"kafka\.logs\.a\.format: 'fluentbit'.*fluent-bit"):
        log_forms(settings)


def test_a_topic_has_messages_of_one_kind() -> None:
    """Each message of logs would be a dead letter of traces, and the other way round."""
    with pytest.raises(ValidationError, match="two things"):
        section(logs={"a": {"format": "otlp_proto"}}, traces={"a": {"format": "otlp_proto"}})


def test_without_logs_their_topics_are_not_read() -> None:
    """Somebody who wants metrics alone would pay for lines."""
    off = Settings.model_validate({"logs": {"enabled": False}})
    assert topics_read(off) == list(off.kafka.metrics)
    assert {"otlp_logs", "otlp_spans"} <= set(topics_read(Settings()))
