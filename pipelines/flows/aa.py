"""The A/A self-check: placebos of a service are found, played through the gate and added up."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from detector.backtest.course import Course
from detector.backtest.placebos import PLACEBO_S, Placebo, born_placebos, old_placebos
from detector.backtest.self_check import Judged, aa_result
from detector.errors import InputError
from detector.gate.aa import ENOUGH, AaResult, PlaceboKind
from detector.gate.attempt import identity_of
from detector.gate.policy import Policy
from detector.gate.request import VerdictRequest
from detector.signals.plan import AgeGrowth
from pipelines.flows.backtest import Past
from pipelines.flows.backtest_jobs import Places, Task, play_all
from pipelines.flows.placebo_pods import pods_of_service
from pipelines.flows.started_growth import WithGrowth, growth_of_starts

__all__ = ["Checking", "Placebos", "judge_placebos", "placebos_of"]

DAY_S = 86_400.0
_TIMEOUT_S = 120.0
# A release that is still there after this was not taken back.
_LASTING_S = DAY_S


@dataclass(frozen=True, slots=True, kw_only=True)
class Checking:
    """How a service is checked. `days` are looked back, `count` placebos are judged at least.

    `seed` draws the old pods: the same seed on the same data is the same check.
    """

    policy: Policy
    count: int = ENOUGH
    days: float = 14.0
    every_s: float = 30.0
    seed: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Placebos:
    """What can be judged of a service, and how many of each kind there are.

    `growth` is how memory grew at each age of the pods that started meanwhile.
    """

    request: VerdictRequest
    found: tuple[Placebo, ...]
    growth: tuple[AgeGrowth, ...] = ()

    def counted(self, kind: PlaceboKind) -> int:
        """How many of a kind."""
        return sum(one.kind is kind for one in self.found)


def placebos_of(
    request: VerdictRequest,
    past: Past,
    checking: Checking,
    *,
    now: float,
) -> Placebos:
    """Births and releases of the last days, filled up with old pods at random times.

    `InputError` where pods cannot be told apart, or too few served long enough.
    """
    history_s = checking.policy.history_s * checking.policy.time_scale
    since, until = now - checking.days * DAY_S, now
    pods = pods_of_service(request, past.catalog, past.discover, now=now)
    lives = pods.lives(past.source, since=since, until=until, timeout_s=_TIMEOUT_S)
    span = {"since": since + history_s, "until": until}
    born = [*born_placebos(lives, request, pods.label, lasting_s=_LASTING_S, **span)]
    old = old_placebos(
        lives,
        request,
        pods.label,
        count=max(checking.count - len(born), checking.count // 2),
        rng=np.random.default_rng(checking.seed),
        **span,
    )
    if not born and not old:
        raise InputError(
            f"no pods of {request.service} served for {(1800 + PLACEBO_S) / 60:.0f} minutes beside"
            f" two others in the last {checking.days:g} days: there is nothing to compare",
            field="service",
        )
    scale = checking.policy.time_scale
    growth = growth_of_starts(pods.plan, lives, past.source, timeout_s=_TIMEOUT_S, scale=scale)
    return Placebos(request=request, found=(*born, *old), growth=growth)


def judge_placebos(
    placebos: Placebos,
    opening: Callable[[], Past],
    checking: Checking,
    places: Places,
    *,
    at: float,
    judged: Callable[[Course], None] = lambda course: None,
) -> AaResult:
    """Play them all and add up; `at` is when the check was done, unix seconds."""
    tasks = [
        Task(
            rollout=one.rollout,
            policies=(checking.policy,),
            every_s=checking.every_s,
            as_placebo=True,
        )
        for one in placebos.found
    ]
    done: list[Judged] = []
    grown = _Grown(opening, placebos.growth)
    for number, (course,) in play_all(tasks, grown, places):
        done.append(Judged(kind=placebos.found[number].kind, course=course))
        judged(course)
    scope = identity_of(replace(placebos.request, canary='a="b"')).scope
    result = aa_result(done, scope=scope, policy=checking.policy, at=at)
    return replace(result, growth=placebos.growth)


@dataclass(frozen=True, slots=True)
class _Grown:
    """Opens a past whose plans know what the service's own starts did."""

    opening: Callable[[], Past]
    growth: tuple[AgeGrowth, ...]

    def __call__(self) -> Past:
        past = self.opening()
        return replace(past, discover=WithGrowth(past.discover, self.growth))
