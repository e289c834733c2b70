"""Which pods are called a canary, and when, though nothing about them was changed."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from numpy.random import Generator

from detector.backtest.course import PastRollout, Truth
from detector.gate.aa import PlaceboKind
from detector.gate.request import VerdictRequest

__all__ = ["PLACEBO_S", "Life", "Placebo", "born_placebos", "old_placebos"]

# As long as most rollouts; one that is shorter proves less of those that are not.
PLACEBO_S = 1500.0
# A control that serves long; pods that were born within this of each other are one group.
_OLD_S, _TOGETHER_S = 1800.0, 120.0
_MOST_CANARIES, _LEAST_CONTROLS = 5, 2
_ATTEMPTS = 40
# After this long alone a release had taken over.
_ALONE_S = 3600.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Life:
    """A pod from its first sample to its last, unix seconds; `revision` tells its like.

    `born` is -inf where it was there before all that was looked at, `gone` inf where it still is.
    """

    pod: str
    revision: str
    born: float
    gone: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Placebo:
    """One group that is called a canary; the rollout is healthy by construction."""

    kind: PlaceboKind
    rollout: PastRollout


def old_placebos(
    lives: Sequence[Life],
    like: VerdictRequest,
    label: str,
    *,
    since: float,
    until: float,
    count: int,
    rng: Generator,
) -> list[Placebo]:
    """Long-lived pods called canary at random times, as many as asked for if there are any.

    `like` names the service, `label` holds a pod's name. Each draw takes one to five pods, half
    of those that serve at most; all others that are old enough are its control.
    """
    found: list[Placebo] = []
    for _ in range(_ATTEMPTS * count):
        if len(found) == count or until - since < PLACEBO_S:
            break
        start = float(rng.uniform(since, until - PLACEBO_S))
        there = _there(lives, start, start - _OLD_S)
        most = min(_MOST_CANARIES, len(there) // 2, len(there) - _LEAST_CONTROLS)
        if most < 1:
            continue
        size = int(rng.integers(1, most + 1))
        chosen = set(rng.choice(len(there), size=size, replace=False).tolist())
        canary = [life.pod for n, life in enumerate(there) if n in chosen]
        control = [life.pod for n, life in enumerate(there) if n not in chosen]
        found.append(_placebo(PlaceboKind.OLD, like, label, start, canary, control))
    return found


def born_placebos(
    lives: Sequence[Life],
    like: VerdictRequest,
    label: str,
    *,
    since: float,
    until: float,
    lasting_s: float,
) -> Iterator[Placebo]:
    """Groups that started together, from their birth: more of the same, or a release that stayed.

    A new revision counts only if it took over and the one before did not come back within
    `lasting_s`: one that was taken back may have been bad. What is younger is left out too.
    """
    for group in _groups(lives):
        start = group[0].born
        if not since <= start <= until - PLACEBO_S:
            continue
        canary = [life for life in group if life.gone >= start + PLACEBO_S][:_MOST_CANARIES]
        control = _there(lives, start, start - _OLD_S)
        if not canary or len(control) < _LEAST_CONTROLS:
            continue
        olds = {life.revision for life in control}
        same = canary[0].revision in olds
        if not same and not (
            start + lasting_s <= until
            and _stayed(lives, canary[0].revision, olds, start, lasting_s)
        ):
            continue
        kind = PlaceboKind.BORN if same else PlaceboKind.PAST
        names = [life.pod for life in canary], [life.pod for life in control]
        yield _placebo(kind, like, label, start, *names)


def _there(lives: Sequence[Life], start: float, born_by: float) -> list[Life]:
    """Pods that serve through a placebo's time and were born by then."""
    return [life for life in lives if life.born <= born_by and life.gone >= start + PLACEBO_S]


def _groups(lives: Sequence[Life]) -> Iterator[list[Life]]:
    """Pods of one revision that were born together, in order of birth."""
    born = sorted((life for life in lives if life.born > float("-inf")), key=_birth)
    group: list[Life] = []
    for life in born:
        if group and (
            life.revision != group[0].revision or life.born - group[0].born > _TOGETHER_S
        ):
            yield group
            group = []
        group.append(life)
    if group:
        yield group


def _birth(life: Life) -> tuple[str, float]:
    return life.revision, life.born


def _stayed(
    lives: Sequence[Life], new: str, olds: set[str], start: float, lasting_s: float
) -> bool:
    """Whether a revision outlived the ones before for an hour, and none of them came back."""
    last = max(life.gone for life in lives if life.revision == new)
    before = max(life.gone for life in lives if life.revision in olds)
    back = (life.born for life in lives if life.revision in olds)
    return last >= before + _ALONE_S and not any(start < at <= start + lasting_s for at in back)


def _placebo(
    kind: PlaceboKind,
    like: VerdictRequest,
    label: str,
    start: float,
    canary: Sequence[str],
    control: Sequence[str],
) -> Placebo:
    end = start + PLACEBO_S
    request = replace(
        like,
        canary=_selector(label, canary),
        control=_selector(label, control),
        started_at=datetime.fromtimestamp(start, UTC),
        deadline=datetime.fromtimestamp(end, UTC),
        as_of=None,
        attempt=f"placebo {kind.value}",
    )
    rollout = PastRollout(
        request=request, start=start, end=end, truth=Truth.HEALTHY, name=kind.value
    )
    return Placebo(kind=kind, rollout=rollout)


def _selector(label: str, pods: Sequence[str]) -> str:
    """PromQL of exactly these pods; names of pods need few escapes, and those are RE2's."""
    names = "|".join(re.escape(pod).replace(r"\-", "-") for pod in sorted(pods))
    return f'{{{label}=~"{names}"}}'.replace("\\", "\\\\")
