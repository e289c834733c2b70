"""The self-check of a service, from its history to what is raised."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from functools import cache

import pytest

from detector.errors import InputError
from detector.gate.aa import AaKind, AaResult, PlaceboKind
from detector.gate.attempt import identity_of
from detector.gate.policy import Policy
from detector.gate.request import VerdictRequest
from detector.gate.session import Session
from detector.series import Matcher, MatchOp, Query
from pipelines.flows.aa import Checking, Placebos, judge_placebos, placebos_of
from pipelines.flows.backtest import Past
from pipelines.flows.backtest_jobs import Places
from pipelines.flows.gate import Gate
from pipelines.flows.placebo_pods import pods_of_service
from pipelines.sources.memory import MemorySource
from pipelines.stores.memory import memory_stores
from tests.pipelines.flows.pasts import past_of
from tests.pipelines.flows.releases import T0, Release, Week, fill_week, pods_of

LIKE = VerdictRequest(service="checkout", namespace="shop", canary="")
CHECKING = Checking(policy=Policy(history_s=3600.0), count=4, days=2.0, every_s=120.0)
RELEASES = (Release(at=8 * 3600.0), Release(at=14 * 3600.0, errors=0.03, taken_back=True))
WEEK = Week(length_s=2 * 86_400.0, releases=RELEASES, rate=5.0)
NOW = T0 + WEEK.length_s


@cache
def source() -> MemorySource:
    """Two days with a good release and a bad one."""
    return fill_week(WEEK)


def past() -> Past:
    """The world as it is remembered."""
    return replace(past_of(source()), source=source())


def found(checking: Checking = CHECKING) -> Placebos:
    """The placebos of the two days."""
    return placebos_of(LIKE, past(), checking, now=NOW)


def test_pods_are_known_by_their_first_and_last_sample() -> None:
    """Births to the sample, ends to a quarter of an hour and never too late."""
    told = pods_of_service(LIKE, source(), past().discover, now=NOW)
    lives = {
        one.pod: one for one in told.lives(source(), since=T0 + 1800, until=NOW, timeout_s=60.0)
    }
    for pod in pods_of(WEEK):
        seen = lives[pod.name]
        if pod.born > 0:
            assert 0 <= seen.born - (T0 + pod.born) < 15
        if pod.gone < WEEK.length_s:
            assert -1300 < seen.gone - (T0 + pod.gone) <= 0
        else:
            assert seen.gone == float("inf")


@pytest.mark.slow
def test_a_quiet_service_is_not_raised() -> None:
    """Its pods are alike: no placebo is called bad, the release that stayed among them."""
    placebos = found()
    made = judge_placebos(placebos, past, CHECKING, Places(), at=NOW)
    assert placebos.counted(PlaceboKind.PAST) == 1
    assert placebos.counted(PlaceboKind.OLD) >= 2
    assert (made.placebos, made.failed, made.raised) == (4, 0, 1.0)
    assert made.scope.service == "checkout"
    assert {"error_rate", "latency"} <= set(made.by_signal)


def test_the_bad_release_is_no_placebo() -> None:
    """Or thresholds would be raised until such a release passes."""
    canaries = {one.rollout.request.canary for one in found().found}
    assert not any("7f8b9d" in canary for canary in canaries)


def test_a_service_that_is_not_there_is_told() -> None:
    """With what there is instead."""
    with pytest.raises(InputError) as told:
        placebos_of(replace(LIKE, service="chekout"), past(), CHECKING, now=NOW)
    assert told.value.field == "service"
    assert "checkout" in str(told.value)


def test_too_few_pods_are_told() -> None:
    """A service of one pod has nothing to be compared with."""
    week = replace(WEEK, releases=(), length_s=3 * 3600.0)
    small = fill_week(week)
    for pod in pods_of(week)[1:]:
        assert pod.born < 0
    alone = MemorySource(retention_s=1e9)
    first = pods_of(week)[0].name
    for labels in small.series([_everything()], T0, T0 + week.length_s):
        if labels["pod"] == first:
            (answer,) = small.read([_exactly(labels)], T0 - 1, T0 + week.length_s)
            alone.add(labels, answer.series[0].times, answer.series[0].values)
    with pytest.raises(InputError, match="there is nothing to compare"):
        placebos_of(LIKE, replace(past_of(alone), source=alone), CHECKING, now=T0 + week.length_s)


def _everything() -> Query:
    return Query("http_requests_total")


def _exactly(labels: Mapping[str, str]) -> Query:
    chosen = tuple(
        Matcher(name, MatchOp.EQUAL, value) for name, value in labels.items() if name != "__name__"
    )
    return Query("http_requests_total", chosen)


def test_what_was_found_stands_beside_the_next_attempt() -> None:
    """And is frozen into it when it begins."""
    made = AaResult(
        scope=identity_of(replace(LIKE, canary='pod="x"')).scope,
        at=T0,
        since=T0 - 1,
        until=T0,
        policy="",
        engine="",
        kinds=(AaKind(kind=PlaceboKind.OLD, placebos=240, failed=0, reached=0),),
        signals=(),
    )
    stores, now = memory_stores(), [T0 + WEEK.length_s - 60]
    stores.aa.save(made)
    gate = Gate(
        source=source(),
        catalog=source(),
        stores=stores,
        clock=lambda: now[0],
        discover=past().discover,
        session_factory=Session,
    )
    pods = "|".join(pod.name for pod in pods_of(WEEK)[-2:])
    asked = replace(
        LIKE, canary=f'{{pod=~"{pods}"}}', started_at=datetime.fromtimestamp(now[0] - 300, UTC)
    )
    first = gate.judge(asked)
    stores.aa.save(replace(made, at=now[0] + 1, raised=7.0))
    now[0] += 60
    second = gate.judge(asked)
    assert (first.aa, second.aa) == (made.summary, made.summary)
    assert any("of 240 placebos" in note for note in second.notes)
