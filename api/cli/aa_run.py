"""`serinus aa`: placebos of one service after the other, judged, shown and stored."""

from __future__ import annotations

import itertools
import json
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console

from api.cli.aa_shown import aa_json, print_aa
from api.cli.backtest_policies import known_policies, policy_named
from api.cli.backtest_records import remembered
from api.cli.fleet_run import with_bar
from api.cli.serving import settings_of
from detector.backtest.course import Course
from detector.errors import InputError
from detector.gate.aa import AaResult
from detector.gate.record import Filter
from detector.gate.request import VerdictRequest
from detector.ports import Stores
from pipelines.flows.aa import Checking, judge_placebos, placebos_of
from pipelines.flows.backtest_jobs import Opening, Places, opened

__all__ = ["SelfCheck", "aa"]

_PAGE = 200
_PLAIN_WIDTH = 140


@dataclass(frozen=True, slots=True, kw_only=True)
class SelfCheck:
    """What is wanted, as it was typed."""

    services: tuple[str, ...]
    namespace: str | None
    cluster: str | None
    policy: str
    placebos: int
    days: float
    seed: int
    dry_run: bool
    jobs: int
    dask: str | None
    as_json: bool


def aa(
    wanted: SelfCheck,
    *,
    config: Path | None,
    prometheus: str | None,
    flags: Mapping[str, object | None],
) -> int:
    """Check each service; 0 when all were checked, whatever was found."""
    settings = settings_of(config, prometheus, flags)
    policy = policy_named(wanted.policy, known_policies(settings), field="policy")
    checking = Checking(policy=policy, count=wanted.placebos, days=wanted.days, seed=wanted.seed)
    opening = Opening(settings.source.native(), settings.packs)
    places = Places(jobs=wanted.jobs, dask=wanted.dask)
    made: list[AaResult] = []
    with remembered(settings, make=not wanted.dry_run) as stores:
        for request in _requests(wanted, stores):
            result = _checked(request, opening, checking, places)
            if stores is not None and not wanted.dry_run:
                stores.aa.save(result)
            made.append(result)
            if not wanted.as_json:
                print_aa(_console(), result, stored=not wanted.dry_run)
    if wanted.as_json:
        print(json.dumps([aa_json(result) for result in made], indent=2))
    return 0


def _console() -> Console:
    """As wide as the terminal; wide enough for a row where there is none."""
    plain = Console()
    return plain if plain.is_terminal else Console(width=_PLAIN_WIDTH)


def _checked(
    request: VerdictRequest, opening: Opening, checking: Checking, places: Places
) -> AaResult:
    now = time.time()
    found = placebos_of(request, opened(opening), checking, now=now)
    with _progress(request.service, len(found.found)) as step:
        return judge_placebos(found, opening, checking, places, at=now, judged=step)


def _requests(wanted: SelfCheck, stores: Stores | None) -> list[VerdictRequest]:
    """The services that were named, else those of which rollouts are remembered."""
    if wanted.services:
        return [
            VerdictRequest(
                service=name, canary="", namespace=wanted.namespace, cluster=wanted.cluster
            )
            for name in wanted.services
        ]
    found = [] if stores is None else _remembered(stores)
    if not found:
        raise InputError("no rollout is remembered here: name a service", field="service")
    return found


def _remembered(stores: Stores) -> list[VerdictRequest]:
    """One request for each service of the newest attempts."""
    page = stores.verdicts.list(Filter(limit=_PAGE, newest_only=True))
    attempts = [stores.attempts.get(verdict.attempt) for verdict in page.verdicts]
    scopes = dict.fromkeys(attempt.identity.scope for attempt in attempts)
    return [
        VerdictRequest(
            tenant=scope.tenant,
            service=scope.service,
            canary="",
            namespace=scope.namespace,
            cluster=scope.cluster,
        )
        for scope in scopes
    ]


@contextmanager
def _progress(service: str, count: int) -> Iterator[Callable[[Course], None]]:
    what, nth = f"placebos of {service}", itertools.count(1)
    with with_bar(what, count) as advance:
        yield lambda _: advance(next(nth), what)
