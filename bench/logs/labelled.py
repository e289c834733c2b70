"""Log lines with a label each, in the layout of loghub, and how well a grouping matches them."""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Hashable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

__all__ = ["DEFAULT", "Labelled", "Scores", "columns", "scores", "sets"]

ROOT = Path(__file__).resolve().parents[2]
DEFAULT = ROOT.parent / "shared" / "data" / "loghub"


@dataclass(frozen=True, slots=True, kw_only=True)
class Labelled:
    """Messages of a system without their headers, in order; a label each, and the corrected one."""

    system: str
    messages: tuple[str, ...]
    labels: tuple[str, ...]
    corrected: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Scores:
    """Shares between 0 and 1.

    `ga`: lines in a group that holds exactly the lines of one label. `fga`: F1 of such groups
    against labels, each counted once (Zhu et al. 2019, Jiang et al. 2024).
    """

    ga: float
    fga: float
    groups: int
    labels: int


def sets(folder: Path) -> Iterator[Labelled]:
    """Every `X/X_2k.log_structured.csv`, and its corrected labels where they are there."""
    for path in sorted(folder.glob("*/*.log_structured.csv")):
        rows = _rows(path)
        better = path.with_name(path.name.replace(".csv", "_corrected.csv"))
        corrected = _rows(better) if better.is_file() else rows
        yield Labelled(
            system=path.parent.name,
            messages=tuple(row["Content"] for row in rows),
            labels=tuple(row["EventId"] for row in rows),
            corrected=tuple(row["EventId"] for row in corrected),
        )


def _rows(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def columns(messages: Sequence[str]) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
    """As a miner takes them."""
    raw = [message.encode() for message in messages]
    ends = np.cumsum([len(message) for message in raw], dtype=np.int64)
    return np.frombuffer(b"".join(raw), np.uint8), ends


def scores(labels: Sequence[str], groups: Sequence[Hashable]) -> Scores:
    """How well groups match labels, line by line."""
    of_label, of_group = Counter(labels), Counter(groups)
    both = Counter(zip(labels, groups, strict=True))
    exact = [n for (label, group), n in both.items() if n == of_label[label] == of_group[group]]
    return Scores(
        ga=sum(exact) / len(labels),
        fga=2 * len(exact) / (len(of_label) + len(of_group)),
        groups=len(of_group),
        labels=len(of_label),
    )
