"""Which kinds of log lines a service writes: those it is known for, and those first seen later.

Half of the signal's share of alpha goes evenly to what is known when the attempt starts: each of
the commonest templates, the others together, and all lines together. Half goes to templates that
come later, in order of arrival (gate method, 3.1).
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from detector.gate.frame import Counts, Frame
from detector.gate.learn import blocks, learn_blocks
from detector.gate.talk import Lines
from detector.series import FloatArray
from models.sequential.noise import Noise
from models.sequential.rows import Row

__all__ = ["OTHERS", "Past", "Vocabulary"]

# All known templates beyond the commonest; templates have ids, so none is called so.
OTHERS = "others"
_COMMONEST = 50
_KNOWN, _NEW = 0.5, 0.5
# All lines together fail a rollout only where no template does: a verdict is to name one.
_WHOLE = 0.05
_FEW = 50.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Past:
    """What control pods wrote of one kind before the start.

    `rate`: lines per request, half a line assumed. `served`, `lines`: requests and lines of five
    minutes each, (pods, blocks); None of what was never seen.
    """

    rate: float
    requests: float
    pods: int
    served: FloatArray
    lines: FloatArray | None = None

    def noise(self, row: Row) -> Noise:
        """How much pods differ in it."""
        lines = np.zeros_like(self.served) if self.lines is None else self.lines
        return learn_blocks(row, self.served, lines)


@dataclass(slots=True)
class Vocabulary:
    """The kinds of lines that were known at the start, and the order in which others came."""

    _served: FloatArray
    _requests: float
    _past: dict[str, Past] = field(default_factory=dict)
    _beyond: frozenset[str] = frozenset()
    _order: dict[str, int] = field(default_factory=dict)

    @classmethod
    def of(cls, lines: Lines, counts: Counts | None, frame: Frame, time_scale: float) -> Vocabulary:
        """What the control wrote in the history of a frame; `counts` are of all its error lines."""
        past, pods = max(0, -frame.first), len(frame.control.pods)
        n = np.zeros((pods, frame.bins)) if counts is None else counts.n
        made = cls(blocks(n, frame, time_scale), float(n[:, :past].sum()))
        common, beyond = _ranked(lines, past)
        groups = {lines.templates[at]: frozenset({at}) for at in common}
        groups |= {OTHERS: frozenset(beyond)} if beyond else {}
        made._beyond = frozenset(lines.templates[at] for at in beyond)
        for name, places in groups.items():
            x = lines.of(places, pods, canary=False)
            made._past[name] = made._told(blocks(x, frame, time_scale), float(x[:, :past].sum()))
        return made

    def _told(self, lines: FloatArray | None, count: float) -> Past:
        total = self._requests
        return Past(
            rate=(count + 0.5) / (total + (1.0 if total >= _FEW else _FEW)),
            requests=total,
            pods=int(np.count_nonzero(self._served.sum(axis=1))),
            served=self._served,
            lines=lines,
        )

    def kind(self, template: str) -> str:
        """What a template is judged as: itself, or one of the others."""
        return OTHERS if template in self._beyond else template

    def is_known(self, kind: str) -> bool:
        """Whether it was written before the start."""
        return kind in self._past

    def past(self, kind: str) -> Past:
        """What was written of it before the start."""
        return self._past.get(kind) or self._told(None, 0.0)

    @property
    def even(self) -> float:
        """Part of the signal's share that each known kind has."""
        return _KNOWN / (len(self._past) + 1)

    @property
    def whole(self) -> float:
        """Part that all lines together have."""
        return min(self.even, _WHOLE)

    def part(self, kind: str) -> float:
        """Its part of the signal's share; of a new one the first call settles its place."""
        if self.is_known(kind):
            return self.even
        order = self._order.setdefault(kind, len(self._order) + 1)
        return _NEW / (order * (order + 1))


def _ranked(lines: Lines, past: int) -> tuple[list[int], list[int]]:
    """Places of the commonest templates of the control's history, and of all others in it."""
    total, control = np.zeros(len(lines.templates)), ~lines.canary
    np.add.at(total, lines.template[control], lines.counts[control, :past].sum(axis=1))
    seen = [at for at in range(len(total)) if total[at] > 0]
    # By name where they are as common: the order in which a source tells them is no fact.
    seen.sort(key=lambda at: (-total[at], lines.templates[at]))
    return seen[:_COMMONEST], seen[_COMMONEST:]
