"""Machines with many metrics each and labels by row, read from the layout of ASD and SMD."""

from __future__ import annotations

import gzip
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

__all__ = ["STEP_S", "Blame", "Machine", "machines_in"]

Floats = NDArray[np.float64]
# What the publishers say of each set; the files have no clock.
STEP_S = {"asd": 300.0, "smd": 60.0}
_FIRST_METRIC = {"asd": 1, "smd": 1}
_TRAIN = "_train.csv.gz"


@dataclass(frozen=True, slots=True, kw_only=True)
class Blame:
    """A labelled window, rows `first` to `last`, and the columns that people blamed."""

    first: int
    last: int
    metrics: frozenset[int]


@dataclass(frozen=True, slots=True, kw_only=True)
class Machine:
    """`train` (T, M) has no labels and is taken as usual; `test` (S, M) follows it at once."""

    set: str
    name: str
    train: Floats
    test: Floats
    label: NDArray[np.int64]
    blames: tuple[Blame, ...]

    @property
    def step_s(self) -> float:
        """Seconds between rows."""
        return STEP_S[self.set]


def machines_in(folder: Path) -> Iterator[Machine]:
    """Every machine in `folder`/asd and `folder`/smd, by name."""
    for name in STEP_S:
        for file in sorted((folder / name).glob(f"*{_TRAIN}")):
            yield _machine(name, file)


def _machine(name: str, file: Path) -> Machine:
    stem = file.name.removesuffix(_TRAIN)
    test = _table(file.with_name(f"{stem}_test.csv.gz"))
    words = file.with_name(f"{stem}_interpretation.txt")
    return Machine(
        set=name,
        name=stem,
        train=_table(file),
        test=test[:, :-1],
        label=test[:, -1].astype(np.int64),
        blames=tuple(_blames(words, _FIRST_METRIC[name])) if words.is_file() else (),
    )


def _table(file: Path) -> Floats:
    with gzip.open(file, "rt", encoding="ascii") as lines:
        table: Floats = np.loadtxt(lines, delimiter=",", skiprows=1, ndmin=2)
    return table


def _blames(file: Path, first_metric: int) -> Iterator[Blame]:
    for line in file.read_text(encoding="ascii").split():
        rows, _, metrics = line.partition(":")
        first, _, last = rows.partition("-")
        columns = frozenset(int(metric) - first_metric for metric in metrics.split(","))
        yield Blame(first=int(first), last=int(last), metrics=columns)
