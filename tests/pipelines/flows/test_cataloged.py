"""A catalogue that keeps the names it was told."""

from __future__ import annotations

import pytest

from detector.errors import SourceError
from detector.series import Query
from pipelines.flows.cataloged import KeptCatalog
from pipelines.sources.memory import MemorySource
from pipelines.testing import FakeSource, Fault


def held() -> FakeSource:
    """A source with one series."""
    store = MemorySource(retention_s=1e9)
    store.add({"__name__": "up", "job": "shop"}, [10.0], [1.0])
    return FakeSource(store)


def test_names_are_asked_for_once_and_series_each_time() -> None:
    """What is there changes, what it is called does not within a minute."""
    source = held()
    kept = KeptCatalog(source)
    assert kept.metrics(timeout_s=1) == {"up"}
    source.store.add({"__name__": "new", "job": "shop"}, [20.0], [1.0])
    assert kept.metrics(timeout_s=1) == {"up"}
    assert len(kept.series([Query("new")], 0, 30, timeout_s=1)) == 1
    assert kept.label_values("job", [Query("up")], 0, 30, timeout_s=1) == ["shop"]


def test_a_failure_is_not_kept() -> None:
    """The next service asks again."""
    source = held()
    kept = KeptCatalog(source)
    source.script(Fault.DOWN)
    with pytest.raises(SourceError):
        kept.metrics(timeout_s=1)
    assert kept.metrics(timeout_s=1) == {"up"}
