"""When the canary's share of the traffic changed: told by the controller, or seen in the counts."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from detector.series import FloatArray

__all__ = ["Weights"]

_LASTING_S = 60.0
_APART_S = 120.0
_FACTOR = float(np.log(1.5))


@dataclass(slots=True)
class Weights:
    """Steps of exposure. Times are unix seconds, weights per cent."""

    told: list[tuple[float, float]] = field(default_factory=list)
    _last_seen: int = -(10**9)

    def tell(self, at: float, weight: float) -> None:
        """The controller said so; repeats and times that go backwards change nothing."""
        if self.told and (at <= self.told[-1][0] or weight == self.told[-1][1]):
            return
        self.told.append((at, weight))

    def told_steps(self, start: float, step: float) -> set[int]:
        """Bins (of width `step`, bin 0 at `start`) in which a told step's exposure begins."""
        return {int(np.ceil((at - start) / step - 1e-9)) for at, _ in self.told[1:] if at > start}

    def newest_step(self, start: float, step: float, *, as_of: float) -> float | None:
        """When the exposure of the newest step told by `as_of` begins, judged as yet or not."""
        known = Weights(told=[told for told in self.told if told[0] <= as_of])
        bins = known.told_steps(start, step)
        return start + max(bins) * step if bins else None

    def seen_step(
        self, bin_: int, begins: float, canary: FloatArray, control: FloatArray, step_s: float
    ) -> bool:
        """Whether the share moved 1.5-fold for 60 s, by requests (T,) up to the bin before.

        `begins`: unix seconds at which the bin begins. Once a weight was told nothing is guessed.
        """
        width = max(2, round(_LASTING_S / step_s))
        told = bool(self.told) and begins >= self.told[0][0]
        if told or bin_ - self._last_seen < round(_APART_S / step_s):
            return False
        if bin_ < 2 * width or len(canary) < 2 * width:
            return False
        moved = _moved(canary[-2 * width :], control[-2 * width :], width)
        if moved:
            self._last_seen = bin_
        return moved


def _moved(canary: FloatArray, control: FloatArray, width: int) -> bool:
    before, after = canary[:width].sum(), canary[width:].sum()
    whole = [float(s.sum()) for s in (control[:width], control[width:])]
    if min(before, after) <= 0 or min(whole) <= 0:
        return False
    odds = np.log(after / whole[1]) - np.log(before / whole[0])
    chance = 2 * np.sqrt(1 / before + 1 / after)
    return bool(abs(odds) > _FACTOR + chance)
