"""Fitted models: one contract over SQLite, PostgreSQL and memory."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from detector.fitted.model import FittedModel, arrays_of, artefacts_of
from detector.fitted.ports import FittedStore
from detector.fitted.promotion import Promotion, Shown, Why
from detector.gate.aa import Scope
from models.anomaly.multivariate.arrays import from_arrays, to_arrays
from models.anomaly.multivariate.model import Kind, Recipe, begin, fit, score
from pipelines.stores.fitted import KEPT, SqlFitted
from pipelines.stores.memory_fitted import MemoryFitted
from pipelines.stores.sqlite import Database
from tests.pipelines.stores.conftest import KINDS

T0 = 1_790_000_000.0
SCOPE = Scope(tenant="default", cluster=None, namespace="shop", service="checkout")
MODEL = FittedModel(
    scope=SCOPE,
    at=T0,
    since=T0 - 14 * 86_400,
    until=T0 - 2 * 86_400,
    step_s=300.0,
    metrics=("requests", "latency_mean"),
    artefacts=artefacts_of({"format": np.array(1), "usual.centre": np.array([1.5, -2.0])}),
    promotion=Promotion(why=Why.FIRST, rows=600, model=Shown(found=0.5, false_share=0.001)),
)
KEPT_BACK = replace(
    MODEL,
    promotion=Promotion(
        why=Why.NO_BETTER,
        rows=600,
        model=Shown(found=0.5, false_share=0.001),
        predecessor=1,
        before=Shown(found=0.5, false_share=0.002),
    ),
)


@pytest.fixture(params=KINDS)
def fitted(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[FittedStore]:
    """A store of every kind, empty."""
    match request.param:
        case "memory":
            yield MemoryFitted()
        case "sqlite":
            database = Database(tmp_path / "serinus.db")
            database.stores()
            yield SqlFitted(database)
            database.close()
        case _:
            from pipelines.stores.postgres import PostgresDatabase

            shared = PostgresDatabase(request.getfixturevalue("empty"))
            yield SqlFitted(shared)
            shared.close()


def test_a_model_comes_back_whole(fitted: FittedStore) -> None:
    """After a restart the model that was promoted is the one that is used."""
    kept = fitted.save(MODEL)
    assert kept == replace(MODEL, version=1)
    assert fitted.current(SCOPE, until=T0) == kept


def test_a_model_that_was_not_promoted_is_kept_and_not_used(fitted: FittedStore) -> None:
    """People see what was tried, and the service keeps the model that is better."""
    first, second = fitted.save(MODEL), fitted.save(replace(KEPT_BACK, at=T0 + 60))
    assert fitted.current(SCOPE, until=T0 + 100) == first
    assert list(fitted.versions(SCOPE, limit=10)) == [second, first]
    assert list(fitted.versions(SCOPE, limit=1)) == [second]


def test_what_was_in_use_at_a_moment_is_found(fitted: FittedStore) -> None:
    """A replay of last week scores with last week's model."""
    first = fitted.save(MODEL)
    second = fitted.save(replace(MODEL, at=T0 + 86_400))
    assert fitted.current(SCOPE, until=T0 + 80_000) == first
    assert fitted.current(SCOPE, until=T0 + 90_000) == second
    assert fitted.current(SCOPE, until=T0 - 1) is None


@pytest.mark.parametrize(
    "other",
    [replace(SCOPE, service="cart"), replace(SCOPE, tenant="b"), replace(SCOPE, cluster="")],
)
def test_a_model_is_of_one_service_alone(fitted: FittedStore, other: Scope) -> None:
    """What is usual for one service says nothing of another."""
    fitted.save(MODEL)
    assert fitted.current(other, until=T0) is None
    assert fitted.save(replace(MODEL, scope=other)).version == 1


def test_the_model_in_use_outlives_all_that_were_tried_since(tmp_path: Path) -> None:
    """Old versions go; the one in use never does, however long nothing better came."""
    database = Database(tmp_path / "serinus.db")
    database.stores()
    fitted = SqlFitted(database)
    first = fitted.save(MODEL)
    for _ in range(KEPT + 5):
        fitted.save(KEPT_BACK)
    assert fitted.current(SCOPE, until=T0) == first
    assert len(fitted.versions(SCOPE, limit=100)) == KEPT + 1
    database.close()


def test_a_real_model_scores_the_same_when_it_was_kept(fitted: FittedStore) -> None:
    """To the bit: arrays go in and come out, and nothing of them is code."""
    x = np.random.default_rng(4).normal(size=(400, 3))
    model = fit(x, 0, 300.0, Recipe(kinds=tuple(Kind), trees=8))
    fitted.save(replace(MODEL, artefacts=artefacts_of(to_arrays(model))))
    kept = fitted.current(SCOPE, until=T0)
    assert kept is not None
    back = from_arrays(arrays_of(kept.artefacts))
    one, two = (score(m, x, 0, begin(m))[0].level for m in (model, back))
    assert np.array_equal(one, two)
