"""What pods write to their logs: lines of each template, kept apart pod by pod and bin by bin."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from detector.gate.cells import Cells
from detector.series import FloatArray

__all__ = ["GRAVE", "TEMPLATES_MAX", "Lines", "Talk"]

Ints = NDArray[np.int64]
# Levels whose lines are judged.
GRAVE = frozenset({"error", "fatal"})
# Templates of one attempt that are told apart. Those that come later count in the lines of their
# level only: an id in every line must not take the memory of a thousand rollouts.
TEMPLATES_MAX = 1000


class Talk:
    """Cells of pods and templates; grows as series appear."""

    def __init__(self, *, first: int) -> None:
        self.cells = Cells(first=first, fill=0.0)
        self.additions: list[tuple[str, int, int]] = []
        self.templates: list[str] = []
        self.of_cell: list[tuple[int, int]] = []
        self._template_at: dict[str, int] = {}
        self._cell_at: dict[tuple[int, int], int] = {}

    def admits(self, template: str) -> bool:
        """Whether a template is told apart, or there is still room for it."""
        return template in self._template_at or len(self.templates) < TEMPLATES_MAX

    def add(self, name: str, counter: int, pod: int, template: str) -> None:
        """Count a series into the cell of its pod and template."""
        at = self._template_at.get(template)
        if at is None:
            at = self._template_at[template] = len(self.templates)
            self.templates.append(template)
        cell = self._cell_at.get((pod, at))
        if cell is None:
            cell = self._cell_at[pod, at] = self.cells.add()
            self.of_cell.append((pod, at))
        self.additions.append((name, counter, cell))


@dataclass(frozen=True, slots=True, kw_only=True)
class Lines:
    """Error lines of both arms by template, one row for each pod that wrote any of it.

    `template` (C,): place in `templates`. `pod` (C,): place among the pods of its arm. `canary`
    (C,): whose it is. `counts` (C, T): lines in the bins of the frame.
    """

    templates: tuple[str, ...]
    template: Ints
    pod: Ints
    canary: NDArray[np.bool_]
    counts: FloatArray

    def of(self, places: frozenset[int], pods: int, *, canary: bool) -> FloatArray:
        """Lines of some templates together by pod of an arm, (pods, T)."""
        out = np.zeros((pods, self.counts.shape[1]))
        mine = (self.canary == canary) & np.isin(self.template, sorted(places))
        np.add.at(out, self.pod[mine], self.counts[mine])
        return out

    def between(self, begin: int, end: int) -> Lines:
        """Some of the bins; views."""
        return replace(self, counts=self.counts[:, begin:end])
