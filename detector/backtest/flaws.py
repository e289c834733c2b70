"""Lists of past rollouts: what in them cannot be judged as it stands, and how to mend it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import groupby

from detector.backtest.course import PastRollout, Truth
from detector.gate.attempt import identity_of

__all__ = ["Flaw", "flaws"]

_LONGEST_S = 7 * 86_400.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Flaw:
    """What is wrong with one field of one line, and what to write instead."""

    line: int
    field: str
    text: str
    advice: str

    @property
    def words(self) -> str:
        """As people read it."""
        where = f"line {self.line}: {self.field}" if self.field else f"line {self.line}"
        return f"{where}: {self.text}; {self.advice}" if self.advice else f"{where}: {self.text}"


def flaws(rollouts: Sequence[PastRollout], *, now: float) -> tuple[Flaw, ...]:
    """All that is wrong with a list, by line; `now` is unix seconds."""
    found = [*_spans(rollouts, now), *_effects(rollouts), *_overlaps(rollouts)]
    return tuple(sorted(found, key=lambda flaw: (flaw.line, flaw.field)))


def _spans(rollouts: Sequence[PastRollout], now: float) -> Iterator[Flaw]:
    """Rollouts that end before they begin, are not over yet, or last too long."""
    for one in rollouts:
        field = "deadline" if one.request.as_of is None else "as_of"
        if one.end <= one.start:
            text = f"{_utc(one.end)} is not after the start, {_utc(one.start)}"
            yield _flaw(one, field, text, "give the moment at which the rollout ended")
        elif one.end > now:
            text = f"this rollout has not ended yet: {_utc(one.end)} lies ahead of the clock here"
            yield _flaw(one, field, text, "leave the line out, or give an earlier end")
        elif one.end - one.start > _LONGEST_S:
            days = (one.end - one.start) / 86_400
            text = f"{days:.3g} days are longer than any rollout that is judged"
            yield _flaw(
                one, field, text, "give the end of the canary, at most 7 days after it began"
            )


def _effects(rollouts: Sequence[PastRollout]) -> Iterator[Flaw]:
    """Harm of a healthy rollout, or beyond a rollout's end."""
    for one in rollouts:
        if one.effect_at is None:
            continue
        if one.truth is not Truth.REGRESSED:
            text = "an effect is told of a rollout that is not told to have regressed"
            yield _flaw(one, "effect_at", text, 'say "truth": "regressed", or leave it out')
        elif not one.start <= one.effect_at < one.end:
            text = f"{_utc(one.effect_at)} is not within {_utc(one.start)} to {_utc(one.end)}"
            yield _flaw(one, "effect_at", text, "give the moment at which the harm began")


def _overlaps(rollouts: Sequence[PastRollout]) -> Iterator[Flaw]:
    """Two rollouts of a service at once: the canary of one would stand in the other's control."""
    ordered = sorted(rollouts, key=lambda one: (repr(identity_of(one.request).scope), one.start))
    for _, group in groupby(ordered, key=lambda one: identity_of(one.request).scope):
        earlier: PastRollout | None = None
        for one in group:
            if earlier is not None and one.start < earlier.end:
                yield from _overlap(earlier, one)
            if earlier is None or one.end > earlier.end:
                earlier = one


def _overlap(earlier: PastRollout, later: PastRollout) -> Iterator[Flaw]:
    if earlier.request.canary == later.request.canary:
        text = f"the same canary is asked about from {_utc(later.start)} on in line {earlier.line}"
        yield _flaw(later, "started_at", text, "keep one of the two lines")
    elif None in (earlier.request.control, later.request.control):
        text = (
            f"{later.request.service} was being rolled out until {_utc(earlier.end)} by line"
            f" {earlier.line}: either canary would be part of the other's control"
        )
        yield _flaw(
            later, "started_at", text, 'give both lines their own "control", or leave one out'
        )


def _flaw(one: PastRollout, field: str, text: str, advice: str) -> Flaw:
    return Flaw(line=one.line or 0, field=field, text=text, advice=advice)


def _utc(at: float) -> str:
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
