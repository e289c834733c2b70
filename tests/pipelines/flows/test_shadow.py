"""The look back on shadow mode, from what the gate stored."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from detector.backtest.course import Truth
from detector.backtest.shadow import Said, ShadowReport, said
from detector.gate.policy import Mode, Policy
from detector.gate.request import VerdictRequest
from detector.gate.session import Session
from detector.gate.verdict import Outcome
from detector.ports import Stores
from pipelines.flows.discovery import Discovery
from pipelines.flows.gate import Gate
from pipelines.flows.shadow import look_back
from pipelines.packs import load_packs
from pipelines.stores.memory import memory_stores
from tests.pipelines.flows.releases import T0, Release, Week, fill_week

pytestmark = pytest.mark.slow

HOUR_S = 3600.0
WEEK = Week(
    length_s=9 * HOUR_S,
    releases=(
        Release(at=2 * HOUR_S),
        Release(at=4.5 * HOUR_S, errors=0.05, taken_back=True),
        Release(at=7 * HOUR_S),
    ),
)
SHADOW = Policy(name="shadow", mode=Mode.SHADOW, history_s=3600.0)
HASHES = ("6d9f7c", "7f8b9d", "84b6cf")


@pytest.fixture(scope="module")
def stores() -> Stores:
    """Three releases, each asked about every five minutes while it was judged in shadow."""
    source, made, now = fill_week(WEEK), memory_stores(), [T0]
    gate = Gate(
        source=source,
        catalog=source,
        stores=made,
        clock=lambda: now[0],
        discover=Discovery(load_packs(), source),
        session_factory=Session,
    )
    for release, name in zip(WEEK.releases, HASHES, strict=True):
        asked = VerdictRequest(
            service="checkout",
            namespace="shop",
            canary=f'{{pod=~"checkout-{name}-.+"}}',
            revision=name,
            started_at=datetime.fromtimestamp(T0 + release.at, UTC),
            deadline=datetime.fromtimestamp(T0 + release.at + 1500, UTC),
            policy=SHADOW,
        )
        for minute in range(5, 30, 5):
            now[0] = T0 + release.at + 60 * minute
            assert gate.judge(asked).answer is Outcome.PASS
    return made


def looked(stores: Stores, since: float = 0.0) -> ShadowReport:
    """The whole of it."""
    return look_back(stores, since=T0 + since, until=T0 + WEEK.length_s)


def test_a_block_was_right_where_the_release_never_became_stable(stores: Stores) -> None:
    """Nobody had to write it down: the next release was compared with the one before."""
    told = {one.revision: one for one in looked(stores).watched}
    assert said(told["7f8b9d"]) is Said.RIGHTLY_BLOCKED
    assert told["7f8b9d"].by == "it never became the stable version"


def test_a_pass_was_right_where_the_release_became_stable(stores: Stores) -> None:
    """It was the control of the next."""
    told = {one.revision: one for one in looked(stores).watched}
    assert said(told["6d9f7c"]) is Said.RIGHTLY_PASSED
    assert told["6d9f7c"].by == "it became the stable version"


def test_of_the_newest_release_nothing_is_known_yet(stores: Stores) -> None:
    """It is not counted as right."""
    made = looked(stores)
    assert made.watched[0].revision == "84b6cf"
    assert made.watched[0].truth is None
    assert made.right == (2, 2)


def test_a_person_knows_better(stores: Stores) -> None:
    """What somebody decided about an attempt is its truth."""
    newest = looked(stores).watched[0]
    other = replace(stores, overrides=memory_stores().overrides)
    gate = Gate(
        source=fill_week(replace(WEEK, length_s=60.0, releases=())),
        catalog=fill_week(replace(WEEK, length_s=60.0, releases=())),
        stores=other,
        clock=lambda: T0 + WEEK.length_s,
        discover=Discovery(load_packs()),
        session_factory=Session,
    )
    gate.people.override(
        newest.attempt, outcome=Outcome.FAIL, person="ada", reason="slow", for_s=60.0
    )
    told = looked(other).watched[0]
    assert (told.truth, said(told), told.by) == (Truth.REGRESSED, Said.MISSED, "ada decided so")


def test_only_the_span_and_only_shadow_is_counted(stores: Stores) -> None:
    """An attempt that was enforced had its say."""
    assert len(looked(stores, since=4 * HOUR_S).watched) == 2
    assert look_back(stores, since=0.0, until=T0).watched == ()
    assert look_back(stores, since=0.0, until=T0 + WEEK.length_s, service="cart").watched == ()
