from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.pipelines.topics.brokers import Broker, InMemory


@pytest.fixture(params=["memory"])
def broker(request: pytest.FixtureRequest) -> Iterator[Broker]:
    """A broker of every kind."""
    opened = InMemory()
    yield opened
    opened.close()
