"""A model comes back from its arrays to the bit, and what is not understood is refused."""

from __future__ import annotations

import numpy as np
import pytest

from models.anomaly.multivariate.arrays import FORMAT, from_arrays, to_arrays
from models.anomaly.multivariate.model import Kind, Recipe, begin, fit, score, shares
from tests.models.anomaly.multivariate.servers import DAY, FIRST, STEP_S, server

RECIPES = [
    Recipe(),
    Recipe(kinds=tuple(Kind), trees=8, sample=32, seed=3, half_lives_s=(0.0,), lags=(0, 3)),
    Recipe(kinds=(Kind.FOREST, Kind.PROJECTION), trees=8, kept=0.5),
]


@pytest.mark.parametrize("recipe", RECIPES)
def test_a_model_comes_back_to_the_bit(recipe: Recipe) -> None:
    """A restart must not change a level, not even by rounding."""
    model = fit(server(5 * DAY), FIRST, STEP_S, recipe)
    arrays = {name: np.array(one.tolist(), one.dtype) for name, one in to_arrays(model).items()}
    back = from_arrays(arrays)
    x = server(50, seed=8)
    assert back.recipe == recipe
    (one, _), (two, _) = (score(m, x, FIRST, begin(m)) for m in (model, back))
    assert np.array_equal(one.level, two.level)
    assert np.array_equal(one.p_value, two.p_value)
    mine, theirs = (shares(m, x, FIRST, begin(m)) for m in (model, back))
    assert np.array_equal(mine, theirs)


def test_no_array_holds_code() -> None:
    """Nothing is pickled: what is read from a store cannot run."""
    arrays = to_arrays(fit(server(5 * DAY), FIRST, STEP_S, RECIPES[1]))
    assert all(one.dtype.kind in "fi" for one in arrays.values())


@pytest.mark.parametrize("found", [0, FORMAT + 1])
def test_another_format_is_refused_by_number(found: int) -> None:
    """An older program must not misread a newer model."""
    arrays = to_arrays(fit(server(5 * DAY), FIRST, STEP_S, Recipe()))
    with pytest.raises(ValueError, match=f"format {found}; this version reads format {FORMAT}"):
        from_arrays(arrays | {"format": np.array(found)})


@pytest.mark.parametrize("gone", ["usual.day", "member1.weights", "tail.decay", "recipe.lags"])
def test_a_missing_array_is_named(gone: str) -> None:
    """Half a model is none."""
    arrays = to_arrays(fit(server(5 * DAY), FIRST, STEP_S, Recipe()))
    del arrays[gone]
    with pytest.raises(ValueError, match=gone):
        from_arrays(arrays)


def test_arrays_without_a_format_are_no_model() -> None:
    """Something else of the store was read."""
    with pytest.raises(ValueError, match="format 0"):
        from_arrays({})
