"""A fitted model of a service as it is kept: versioned, with why it is used or not."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from detector.fitted.panel import Column
from detector.fitted.promotion import Promotion
from detector.gate.aa import Scope

__all__ = ["Artefact", "FittedModel", "arrays_of", "artefacts_of"]

_TYPES = frozenset({"<f8", "<f4", "<i8", "<i4", "<i2", "|b1", "|i1", "|u1"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Artefact:
    """One array: `dtype` as numpy spells it with its byte order, `data` in C order."""

    name: str
    dtype: str
    shape: tuple[int, ...]
    data: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class FittedModel:
    """One version of the model of a service.

    `metrics` names its columns in order; rows are `step_s` seconds apart. It learned from rows
    between `since` and `until`, unix seconds. `version` is given by the store, 0 before. `columns`
    say which series each metric is made of; models of before do not tell it.
    """

    scope: Scope
    at: float
    since: float
    until: float
    step_s: float
    metrics: tuple[str, ...]
    artefacts: tuple[Artefact, ...]
    promotion: Promotion
    version: int = 0
    columns: tuple[Column, ...] = ()


def artefacts_of(arrays: Mapping[str, NDArray[Any]]) -> tuple[Artefact, ...]:
    """Arrays as they are kept, by name; `ValueError` for one that is not of plain numbers."""
    return tuple(_artefact(name, arrays[name]) for name in sorted(arrays))


def arrays_of(artefacts: tuple[Artefact, ...]) -> dict[str, NDArray[Any]]:
    """The arrays again; `ValueError` where bytes and shape do not fit."""
    return {one.name: _array(one) for one in artefacts}


def _artefact(name: str, array: NDArray[Any]) -> Artefact:
    little = array.astype(array.dtype.newbyteorder("<"), order="C", copy=False)
    spelt = _known(little.dtype.str, name)
    return Artefact(name=name, dtype=spelt, shape=array.shape, data=little.tobytes())


def _array(one: Artefact) -> NDArray[Any]:
    flat = np.frombuffer(one.data, dtype=np.dtype(_known(one.dtype, one.name)))
    return flat.reshape(one.shape).copy()


def _known(dtype: str, name: str) -> str:
    if dtype not in _TYPES:
        raise ValueError(f"{name}: an array of {dtype} is not kept in a model")
    return dtype
