"""A service is fitted on its past, and a new model replaces the old one only where it is better."""

from __future__ import annotations

from dataclasses import replace
from functools import cache

import numpy as np
import pytest

from detector.errors import InputError
from detector.fitted.model import FittedModel, arrays_of
from detector.fitted.panel import Panel
from detector.fitted.promotion import Why
from detector.gate.aa import Scope
from detector.gate.request import VerdictRequest
from models.anomaly.multivariate.arrays import from_arrays
from models.anomaly.multivariate.model import begin, score, shares
from pipelines.flows.backtest import Past
from pipelines.flows.fit import Fitting, Order, fit_panel, fit_service
from pipelines.flows.fit_read import read_panel
from pipelines.sources.memory import MemorySource
from tests.models.anomaly.multivariate.servers import DAY, FIRST, STEP_S, server
from tests.pipelines.flows.pasts import past_of
from tests.pipelines.flows.releases import T0, Week, fill_week

SCOPE = Scope(tenant="default", cluster=None, namespace=None, service="checkout")
NAMES = ("a", "b", "c", "d", "e")
FITTING = Fitting(longest_s=6000.0)
LIKE = VerdictRequest(service="checkout", namespace="shop", canary="")
WEEK = Week(length_s=86_400.0, rate=5.0)
MINUTES = Fitting(days=1.0, step_s=60.0)
NOW = T0 + WEEK.length_s


@cache
def source() -> MemorySource:
    """A day of a quiet service."""
    return fill_week(WEEK)


def past() -> Past:
    """The world as it is remembered."""
    return replace(past_of(source()), source=source())


def panel(days: int, *, begin_day: int = 0, seed: int = 1, names: tuple[str, ...] = NAMES) -> Panel:
    """Rows of an invented server from one day on."""
    x = server((begin_day + days) * DAY, seed=seed)[begin_day * DAY :]
    return Panel(metrics=names, x=x, first=FIRST + begin_day * DAY, step_s=STEP_S)


def fitted(rows: Panel, current: FittedModel | None = None) -> FittedModel:
    """The model of some rows, as the first or against another."""
    return replace(fit_panel(rows, SCOPE, current, FITTING, at=0.0), version=1)


def test_the_metrics_of_a_service_come_from_its_plan() -> None:
    """Nobody writes a query: requests and errors are bound by discovery, starts are no metric."""
    rows = read_panel(LIKE, past(), since=NOW - 7200, until=NOW, step_s=60.0)
    assert rows.metrics == ("requests", "error_rate")
    assert np.isfinite(rows.x).all()
    requests = rows.x[10:, rows.metrics.index("requests")]
    assert requests.mean() == pytest.approx(6 * WEEK.rate, rel=0.02)
    errors = rows.x[10:, rows.metrics.index("error_rate")]
    assert errors.mean() == pytest.approx(0.004, rel=0.2)


def test_a_first_model_is_used_and_finds_a_fault_in_the_service() -> None:
    """From samples in a source to the metric that is blamed."""
    made = fit_service(Order(request=LIKE, current=None), past(), MINUTES, now=NOW)
    assert made.promotion.why is Why.FIRST
    assert made.scope == replace(SCOPE, namespace="shop")
    assert made.until < NOW - 0.14 * 86_400
    model = from_arrays(arrays_of(made.artefacts))
    rows = read_panel(LIKE, past(), since=NOW - 7200, until=NOW, step_s=60.0)
    x = rows.x.copy()
    x[60:80, rows.metrics.index("error_rate")] += 0.05
    scored, _ = score(model, x, rows.first, begin(model))
    assert scored.p_value[65:80].max() < 1e-3 < scored.p_value[:60].min()
    blamed = shares(model, x, rows.first, begin(model))[60:80].mean(axis=0)
    assert rows.metrics[int(blamed.argmax())] == "error_rate"


def test_the_same_rows_give_the_same_model_and_the_same_trial() -> None:
    """A promotion can be looked into later: seed and rows decide it."""
    assert fitted(panel(12)) == fitted(panel(12))


def test_a_service_that_changed_gets_a_new_model() -> None:
    """After a release that moves what is usual, the old model would cry for ever."""
    old = fitted(panel(12))
    rows = panel(12, begin_day=12)
    moved = replace(rows, x=rows.x * 1.4 + 5)
    new = fitted(moved, old)
    assert new.promotion.why is Why.FEWER_FALSE
    assert new.promotion.before is not None
    assert new.promotion.before.false_share > 0.5 > new.promotion.model.false_share  # type: ignore[union-attr]
    assert "version 1" in new.promotion.text


def test_a_model_of_a_bad_week_does_not_replace_a_good_one() -> None:
    """Learned on noise it finds less, and says so; the model in use stays."""
    old = fitted(panel(12))
    rows = panel(12, begin_day=12)
    noisy = rows.x.copy()
    cut = int(0.8 * len(noisy))
    noisy[:cut] += np.random.default_rng(3).normal(0, 15, noisy[:cut].shape)
    new = fitted(replace(rows, x=noisy), old)
    assert new.promotion.why is Why.FINDS_LESS
    assert not new.promotion.is_promoted


def test_a_model_that_learned_the_same_is_no_better() -> None:
    """A quiet service keeps its model: each change of model is a change of what is odd."""
    new = fitted(panel(12, begin_day=3), fitted(panel(12)))
    assert new.promotion.why in {Why.NO_BETTER, Why.FINDS_MORE}
    assert abs(new.promotion.model.found - new.promotion.before.found) < 0.1  # type: ignore[union-attr]


def test_other_metrics_cannot_be_compared() -> None:
    """A metric that is gone would be missing for ever in the old model."""
    new = fitted(panel(12, begin_day=12, names=("a", "b", "c", "d", "new")), fitted(panel(12)))
    assert new.promotion.why is Why.METRICS_CHANGED
    assert new.promotion.is_promoted


def test_a_model_that_knows_the_trial_is_not_tried() -> None:
    """Fitted twice from another span of the same rows: what it learned is no trial."""
    old = fitted(panel(24))
    assert fitted(panel(12), old).promotion.why is Why.ALREADY_LEARNED


@pytest.mark.parametrize(("days", "names"), [(2, NAMES), (12, ())])
def test_too_little_is_told_with_the_next_move(days: int, names: tuple[str, ...]) -> None:
    """What there is, what is needed, what to do."""
    rows = panel(days, names=names)
    if not names:
        rows = replace(rows, x=rows.x[:, :0])
    with pytest.raises(InputError, match=r"checkout has \d+ rows of \d metrics.*look further"):
        fitted(rows)
