"""Where a Kafka is: what is wrong is told before anything connects."""

from __future__ import annotations

from pathlib import Path

import pytest

from detector.errors import ConfigError
from pipelines.sources.settings import Tls
from pipelines.topics.kafka_client import client_options
from pipelines.topics.settings import BrokerSettings, Mechanism, Sasl


@pytest.mark.parametrize("server", ["kafka", "kafka:", ":9092", "http://kafka:9092", "a b:1", ""])
def test_a_server_is_a_host_with_a_port(server: str) -> None:
    """A client waits for ever for what nobody can resolve."""
    with pytest.raises(ConfigError, match="host:port"):
        BrokerSettings(servers=(server,))


@pytest.mark.parametrize("server", ["kafka:9092", "10.0.0.7:9092", "[fe80::1]:9092", "a-b.c_d:1"])
def test_names_and_addresses_are_servers(server: str) -> None:
    """Kubernetes, addresses of both kinds, and the odd underscore."""
    assert server in BrokerSettings(servers=(server,)).place


def test_no_server_is_told() -> None:
    """The commands of Kafka need one."""
    with pytest.raises(ConfigError, match="host:port"):
        BrokerSettings(servers=())


def test_a_pause_is_no_shorter_than_a_session() -> None:
    """The broker would refuse every join, and say little."""
    with pytest.raises(ConfigError, match="pause"):
        BrokerSettings(servers=("a:1",), session_s=45, pause_s=30)


@pytest.mark.parametrize("more", [{}, {"password": "a", "password_file": "b"}], ids=str)
def test_a_user_has_one_password(more: dict[str, str]) -> None:
    """Two of them, and nobody knows which is used."""
    with pytest.raises(ConfigError, match="one of password"):
        Sasl(mechanism=Mechanism.PLAIN, username="me", **more)


def test_a_password_is_in_no_message() -> None:
    """Settings are logged."""
    sasl = Sasl(mechanism=Mechanism.PLAIN, username="me", password="hush-hush")
    assert "hush-hush" not in repr(BrokerSettings(servers=("a:1",), sasl=sasl))


def test_a_password_is_read_from_its_file_when_it_is_used(tmp_path: Path) -> None:
    """A rotated secret needs no new configuration."""
    file = tmp_path / "password"
    sasl = Sasl(mechanism=Mechanism.PLAIN, username="me", password_file=str(file))
    with pytest.raises(ConfigError, match="cannot read"):
        sasl.secret()
    file.write_text("first\n", encoding="utf-8")
    assert sasl.secret() == "first"
    file.write_text("second\n", encoding="utf-8")
    assert sasl.secret() == "second"


@pytest.mark.parametrize(
    ("tls", "user", "protocol"),
    [
        (False, False, "PLAINTEXT"),
        (True, False, "SSL"),
        (False, True, "SASL_PLAINTEXT"),
        (True, True, "SASL_SSL"),
    ],
)
def test_the_protocol_follows_from_what_is_given(tls: bool, user: bool, protocol: str) -> None:
    """A password must not go over a plain connection where TLS was asked for."""
    sasl = Sasl(mechanism=Mechanism.SCRAM_SHA_512, username="me", password="x") if user else None
    settings = BrokerSettings(servers=("a:1",), tls=Tls() if tls else None, sasl=sasl)
    options = client_options(settings)
    assert options["security_protocol"] == protocol
    assert ("ssl_context" in options) == tls
    assert options.get("sasl_mechanism") == ("SCRAM-SHA-512" if user else None)
