from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.kafka import RunningKafka, running_kafka
from tests.pipelines.topics.brokers import Broker, InMemory, OnKafka


@pytest.fixture(scope="module")
def kafka() -> Iterator[RunningKafka]:
    """A Kafka for the tests of a module."""
    with running_kafka() as running:
        yield running


@pytest.fixture(params=["memory", pytest.param("kafka", marks=pytest.mark.real)])
def broker(request: pytest.FixtureRequest) -> Iterator[Broker]:
    """A broker of every kind."""
    opened: Broker
    if request.param == "memory":
        opened = InMemory()
    else:
        opened = OnKafka(request.getfixturevalue("kafka").address)
    yield opened
    opened.close()
