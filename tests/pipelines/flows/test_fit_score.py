"""What was odd lately, by the model that was fitted."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from detector.errors import InputError
from detector.fitted.model import FittedModel
from detector.fitted.panel import Panel
from pipelines.flows.fit import Order, fit_service
from pipelines.flows.fit_score import odd_of, odd_rows
from tests.models.anomaly.multivariate.servers import DAY, STEP_S
from tests.pipelines.flows.test_fit import LIKE, MINUTES, NOW, fitted, panel, past


def broken() -> tuple[FittedModel, Panel, int]:
    """A model, and a day after it with a fault in metric b."""
    rows = panel(1, begin_day=12, seed=1)
    x = rows.x.copy()
    x[60:72, 1] += 8.0
    return fitted(panel(12)), replace(rows, x=x), rows.first + 60


def test_a_fault_is_told_with_its_time_and_its_metric() -> None:
    """When it began, and by what."""
    model, rows, first = broken()
    (one,) = odd_rows(model, rows, below=1e-3)
    assert first * STEP_S <= one.start <= (first + 2) * STEP_S
    assert one.blamed[0].metric == "b"
    assert one.p_value < 1e-4


def test_metrics_in_another_order_and_new_ones_change_nothing() -> None:
    """A column is found by its name."""
    model, rows, _ = broken()
    order = [4, 2, 0, 1, 3]
    names = (*(rows.metrics[at] for at in order), "new")
    other = replace(rows, x=np.column_stack([rows.x[:, order], np.ones(DAY)]), metrics=names)
    assert odd_rows(model, other, below=1e-3) == odd_rows(model, rows, below=1e-3)


def test_a_metric_that_is_gone_is_missing_and_not_odd() -> None:
    """The others are judged on."""
    model, rows, _ = broken()
    less = replace(rows, x=rows.x[:, 1:], metrics=rows.metrics[1:])
    (one,) = odd_rows(model, less, below=1e-3)
    assert one.blamed[0].metric == "b"


def test_rows_without_values_are_not_odd() -> None:
    """A scrape that fails in the midst of an incident is no part of it."""
    model, rows, first = broken()
    x = rows.x.copy()
    x[70:] = np.nan
    told = odd_rows(model, replace(rows, x=x), below=1e-3)
    assert max(one.end for one in told) < (first + 10) * STEP_S


@pytest.mark.parametrize("changed", [{"step_s": 60.0}, {"metrics": ("v", "w", "x", "y", "z")}])
def test_a_model_of_other_rows_is_refused_with_the_next_move(changed: dict[str, object]) -> None:
    """Not scored as if it were the same."""
    model, rows, _ = broken()
    with pytest.raises(InputError, match="serinus fit"):
        odd_rows(model, replace(rows, **changed), below=1e-3)  # type: ignore[arg-type]


def test_a_quiet_service_shows_nothing() -> None:
    """From samples in a source."""
    model = fit_service(Order(request=LIKE, current=None), past(), MINUTES, now=NOW)
    assert odd_of(LIKE, model, past(), since=NOW - 3600, until=NOW, below=1e-4) == ()
