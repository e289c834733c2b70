"""`serinus backtest`: the list, the polls with their progress, and what came of them."""

from __future__ import annotations

import math
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console

from api.cli.backtest_json import backtest_json
from api.cli.backtest_lines import Line, lines_of
from api.cli.backtest_policies import known_policies, policy_named
from api.cli.backtest_text import print_backtest
from api.cli.fleet_run import kept_in, with_bar
from api.cli.moments import span_of
from api.cli.serving import settings_of
from api.settings import Settings
from detector.backtest.course import Course, PastRollout
from detector.backtest.flaws import Flaw, flaws
from detector.errors import InputError, SourceError
from detector.gate.policy import Policy
from pipelines.flows.backtest import find_start
from pipelines.flows.backtest_jobs import Opening, Places, Task, opened, play_kept

__all__ = ["Backtesting", "backtest"]

_SHORTEST_S = 1.0
_PLAIN_WIDTH = 120


@dataclass(frozen=True, slots=True, kw_only=True)
class Backtesting:
    """What is wanted, as it was typed."""

    rollouts: Path | None
    last: int | None = None
    service: str | None = None
    namespace: str | None = None
    every: str = "30s"
    policy: str | None = None
    against: str | None = None
    skip_bad: bool = False
    jobs: int = 1
    dask: str | None = None
    resume: Path | None = None
    html: Path | None = None
    as_json: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class _Listed:
    """A rollout with the policies that judge it."""

    rollout: PastRollout
    policies: tuple[Policy, ...]


def backtest(
    wanted: Backtesting,
    *,
    config: Path | None,
    prometheus: str | None,
    flags: Mapping[str, object | None],
) -> int:
    """Play the list, print what came of it; 0 when it was judged."""
    settings = settings_of(config, prometheus, flags)
    every_s = max(span_of(wanted.every, "every"), _SHORTEST_S)
    opening = Opening(settings.source.native(), settings.packs)
    listed = _listed(wanted, settings, opening)
    begun = time.monotonic()
    columns = _played(listed, opening, wanted, every_s)
    took_s = time.monotonic() - begun
    names = _names(wanted, listed)
    made = backtest_json(names, columns, every_s=every_s, took_s=took_s)
    if wanted.html is not None:
        from api.ui.backtest import backtest_page

        wanted.html.write_text(backtest_page(names, columns, every_s=every_s), encoding="utf-8")
    if wanted.as_json:
        import json

        print(json.dumps(made, indent=2))
    else:
        print_backtest(_console(), names, columns)
        if wanted.html is not None:
            print(f"\npage: {wanted.html}")
    return 0


def _console() -> Console:
    """As wide as the terminal; wide enough for a row where there is none."""
    plain = Console()
    return plain if plain.is_terminal else Console(width=_PLAIN_WIDTH)


def _names(wanted: Backtesting, listed: Sequence[_Listed]) -> tuple[str, ...]:
    """What each column of courses was judged by."""
    own = {one.policies[0].name for one in listed}
    first = own.pop() if len(own) == 1 else "each line's own"
    others = (policy.name for policy in listed[0].policies[1:])
    return (first, *others)


def _listed(wanted: Backtesting, settings: Settings, opening: Opening) -> list[_Listed]:
    """The rollouts that can be judged; `InputError` tells every line that cannot."""
    known = known_policies(settings)
    one = None if wanted.policy is None else policy_named(wanted.policy, known, field="policy")
    others = (
        () if wanted.against is None else (policy_named(wanted.against, known, field="against"),)
    )
    if wanted.last is not None:
        return [
            _Listed(rollout=found, policies=(one or _own(found, known), *others))
            for found in _last(wanted, wanted.last, settings)
        ]
    if wanted.rollouts is None:
        raise InputError("give a list of rollouts, or --last and how many", field="rollouts")
    good: list[_Listed] = []
    lines, bad = lines_of(wanted.rollouts)
    for line in lines:
        try:
            own = one or _own(line, known)
        except InputError as error:
            bad.append(Flaw(line=line.number, field="policy", text=str(error), advice=""))
            continue
        started = _started(line, own, opening, bad)
        if started is not None:
            good.append(_Listed(rollout=started, policies=(own, *others)))
    bad += flaws([one.rollout for one in good], now=time.time())
    return _without(good, bad, skip=wanted.skip_bad)


def _last(wanted: Backtesting, most: int, settings: Settings) -> Sequence[PastRollout]:
    if wanted.rollouts is not None:
        raise InputError("--rollouts and --last: give one", field="last")
    from api.cli.backtest_last import last_rollouts

    return last_rollouts(most, settings, wanted.service, wanted.namespace)


def _own(of: Line | PastRollout, known: Mapping[str, Policy]) -> Policy:
    policy = of.request.policy
    return policy if isinstance(policy, Policy) else policy_named(policy, known, field="policy")


def _started(line: Line, policy: Policy, opening: Opening, bad: list[Flaw]) -> PastRollout | None:
    """With its start, which is looked for where it was not told."""
    told = line.request.started_at
    if told is not None:
        return line.rollout(told.timestamp())
    try:
        start = find_start(line.request, opened(opening), policy=policy, end=line.end)
        text = "no sample of the canary was found in the day before the rollout's end"
    except (SourceError, InputError) as error:
        start, text = None, str(error)
    if start is None:
        advice = 'give "started_at", or see that the source still holds that time'
        bad.append(Flaw(line=line.number, field="started_at", text=text, advice=advice))
        return None
    return line.rollout(start)


def _without(good: list[_Listed], bad: list[Flaw], *, skip: bool) -> list[_Listed]:
    """The list without its bad lines, if that is wished and leaves any."""
    if not bad:
        return good
    bad.sort(key=lambda flaw: (flaw.line, flaw.field))
    for flaw in bad:
        print(f"serinus: {flaw.words}", file=sys.stderr)
    wrong = {flaw.line for flaw in bad}
    left = [one for one in good if one.rollout.line not in wrong]
    if not skip or not left:
        count = f"{len(wrong)} line{'s' if len(wrong) > 1 else ''} cannot be judged as they stand"
        hint = "mend them" if not left else "mend them, or leave them out with --skip-bad"
        raise InputError(f"{count}: {hint}", field="rollouts")
    print(f"serinus: left out {len(wrong)} of {len(wrong) + len(left)} lines", file=sys.stderr)
    return left


def _played(
    listed: Sequence[_Listed], opening: Opening, wanted: Backtesting, every_s: float
) -> list[list[Course]]:
    """The courses of each policy, in the order of the list."""
    tasks = [Task(rollout=one.rollout, policies=one.policies, every_s=every_s) for one in listed]
    places, done = Places(jobs=wanted.jobs, dask=wanted.dask), dict[int, tuple[Course, ...]]()
    # As of now or then: what rollouts were is told by their own times.
    with kept_in(wanted.resume, math.inf) as (kept, _), with_bar("rollouts", len(tasks)) as advance:
        for number, courses in play_kept(tasks, opening, places, kept, opening.said):
            done[number] = courses
            advance(len(done), courses[0].rollout.name or "rollouts")
    width = len(listed[0].policies)
    return [[done[n][column] for n in range(len(tasks))] for column in range(width)]
