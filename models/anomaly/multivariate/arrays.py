"""A model as named arrays and back: nothing of it is code, and a later format is refused."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from models.anomaly.multivariate.forest import Forest
from models.anomaly.multivariate.members import Covariance, Deviation, Member, Projection
from models.anomaly.multivariate.model import Kind, Multivariate, Recipe
from models.anomaly.multivariate.seasons import Usual
from models.anomaly.multivariate.tail import Tail

__all__ = ["FORMAT", "Arrays", "from_arrays", "to_arrays"]

Arrays = Mapping[str, NDArray[Any]]
T = TypeVar("T")

FORMAT = 1
# A kind's number never changes; a new kind gets the next.
_KINDS = (Kind.DEVIATION, Kind.COVARIANCE, Kind.PROJECTION, Kind.FOREST)
_MEMBERS: Mapping[Kind, type[Any]] = {
    Kind.DEVIATION: Deviation,
    Kind.COVARIANCE: Covariance,
    Kind.PROJECTION: Projection,
    Kind.FOREST: Forest,
}


def to_arrays(model: Multivariate) -> dict[str, NDArray[Any]]:
    """All of the model; `from_arrays` gives one that scores to the same bit."""
    arrays = {"format": np.array(FORMAT, dtype=np.int64)}
    arrays |= _parts("recipe", _plain_recipe(model.recipe))
    arrays |= _parts("usual", model.usual) | _parts("tail", model.tail)
    for number, member in enumerate(model.members):
        arrays |= _parts(f"member{number}", member)
    whole = {"centre": model.centre, "spread": model.spread, "precision": model.precision}
    return arrays | whole


def from_arrays(arrays: Arrays) -> Multivariate:
    """The model of arrays; `ValueError` for another format, or where an array is missing."""
    found = int(arrays["format"]) if "format" in arrays else 0
    if found != FORMAT:
        raise ValueError(f"a model of format {found}; this version reads format {FORMAT}")
    try:
        recipe = _recipe(arrays)
        return Multivariate(
            recipe=recipe,
            usual=_built(Usual, "usual", arrays),
            precision=arrays["precision"],
            members=tuple(_member(kind, at, arrays) for at, kind in enumerate(recipe.kinds)),
            centre=arrays["centre"],
            spread=arrays["spread"],
            tail=_built(Tail, "tail", arrays),
        )
    except KeyError as error:
        raise ValueError(f"a model without its array {error}") from error


def _member(kind: Kind, number: int, arrays: Arrays) -> Member:
    member: Member = _built(_MEMBERS[kind], f"member{number}", arrays)
    return member


def _parts(name: str, value: object) -> dict[str, NDArray[Any]]:
    """The fields of a value, scalars as arrays without a dimension."""
    if isinstance(value, Mapping):
        return {f"{name}.{key}": np.asarray(part) for key, part in value.items()}
    return {
        f"{name}.{one.name}": np.asarray(getattr(value, one.name))
        for one in fields(value)  # type: ignore[arg-type]
    }


def _built(kind: type[T], name: str, arrays: Arrays) -> T:
    """A value of its fields; what has no dimension is a number again."""
    parts = {one.name: arrays[f"{name}.{one.name}"] for one in fields(kind)}  # type: ignore[arg-type]
    return kind(**{key: part if part.ndim else part.item() for key, part in parts.items()})


def _plain_recipe(recipe: Recipe) -> dict[str, object]:
    named = {one.name: getattr(recipe, one.name) for one in fields(recipe)}
    return named | {"kinds": [_KINDS.index(kind) for kind in recipe.kinds]}


def _recipe(arrays: Arrays) -> Recipe:
    plain = {one.name: arrays[f"recipe.{one.name}"].tolist() for one in fields(Recipe)}
    return Recipe(
        kinds=tuple(_KINDS[number] for number in plain["kinds"]),
        lags=tuple(plain["lags"]),
        half_lives_s=tuple(plain["half_lives_s"]),
        shrinkage=plain["shrinkage"],
        kept=plain["kept"],
        trees=plain["trees"],
        sample=plain["sample"],
        seed=plain["seed"],
    )
