"""OOM kills: a canary that runs out of memory fails by its restarts, and people read why."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from detector.gate.kills import KILLED
from detector.gate.policy import Policy
from detector.gate.verdict import Outcome
from detector.gate.words import note_words
from detector.signals.plan import Family
from detector.signals.signal import Kind, Shape
from tests.detector.gate.scraped import T0, Town, Watching, lives, scraped, signal_of
from tests.detector.gate.traffic import (
    ERRORS,
    LATENCY,
    RESTARTS,
    Store,
    bound,
    build,
    frame_of,
    plan,
    scrapes,
)
from tests.profiles import HEAVY

OOM = Family(metric="oom_total", shape=Shape.COUNTER, joined=True)
PLAN = plan(ERRORS, bound("restarts", Kind.EVENTS, RESTARTS, also=(OOM,)))
TOWN = Town(seed=3)
LIVES = lives(TOWN)
KILLS = tuple(range(60, 840, 120))


def served(store: Store, pod: str, track: str, begin: float) -> None:
    """Ten requests a second until T0 + 600, if any time is as good as T0."""
    times = scrapes(begin, 600)
    told = {"pod": pod, "track": track, "instance": f"{pod}:80", "code": "200"}
    store.put("requests_total", times, 10 * (times - begin), **told)


def killed(store: Store, pod: str, begin: float, kills: list[float]) -> None:
    """What cAdvisor says: a counter that is there from the begin."""
    times = scrapes(begin, 600)
    counted = np.searchsorted(np.sort(kills), times, side="right").astype(float)
    store.put("oom_total", times, counted, pod=pod, container="web")
    store.put("restarts_total", times, np.zeros(len(times)), pod=pod, container="web")


def shop(kills: dict[str, list[float]]) -> Store:
    """Two pods of each side with the seconds at which they were killed."""
    store = Store()
    for pod, track, begin in (("c-1", "canary", 1.0), ("s-1", "stable", -599.0)):
        served(store, pod, track, begin)
        killed(store, pod, begin, kills.get(pod, []))
    return store


def test_kills_of_the_canary_are_told_by_their_own_name() -> None:
    """`Restarts` alone sends people to look for a crash; memory is another fault."""
    notes = frame_of(shop({"c-1": [100.0, 300.0, 301.0]}), PLAN, until=700).notes
    assert notes[KILLED] == 3
    assert note_words(KILLED, 3) == (
        "OOM kills of the canary's containers, counted among its restarts: 3."
    )


@pytest.mark.parametrize("kills", [{}, {"s-1": [-300.0, 100.0]}], ids=["none", "the control's"])
def test_kills_of_others_are_not_the_canarys(kills: dict[str, list[float]]) -> None:
    """Nobody looks into a release for what its predecessor suffers from."""
    assert KILLED not in frame_of(shop(kills), PLAN, until=700).notes


def test_a_reason_that_appears_with_the_first_kill_counts_it() -> None:
    """kube-state-metrics has no series of a last termination before there was one."""
    store = shop({})
    del store.series["oom_total"]
    times = scrapes(316, 600)
    store.put("oom_total", times, np.ones(len(times)), pod="c-1", container="web")
    assert frame_of(store, PLAN, until=700).notes[KILLED] == 1


def test_restarts_without_kills_are_restarts() -> None:
    """A plan whose source tells no kills has none to tell."""
    bare = plan(ERRORS, bound("restarts", Kind.EVENTS, RESTARTS))
    assert KILLED not in frame_of(shop({"c-1": [100.0]}), bare, until=700).notes


@HEAVY
@given(
    st.lists(st.floats(20, 560), max_size=8),
    st.lists(st.floats(1, 690), max_size=4).map(sorted),
)
def test_polls_do_not_change_how_many_there_were(kills: list[float], polls: list[float]) -> None:
    """Bins freeze once: however often one asks, no kill is told twice or lost."""
    store = shop({"c-1": kills})
    often = build(store, PLAN, until=700, polls=polls).frame().notes
    assert often.get(KILLED, 0) == frame_of(store, PLAN, until=700).notes.get(KILLED, 0)
    assert often.get(KILLED, 0) == len(kills)


def test_forgotten_bins_are_not_forgotten_kills() -> None:
    """After a long bake the early kills are still told."""
    builder = build(shop({"c-1": [100.0]}), PLAN, until=700)
    builder.drop_before(30)
    assert builder.frame().notes[KILLED] == 1


# -- judged


def watched(kills: tuple[int, ...], *, reported: str) -> Watching:
    """A healthy town but for canary pods that are killed, as one of the two sources tells it."""
    store = scraped(LIVES)
    for life in LIVES:
        times = T0 + np.arange(life.begin + 2.0, TOWN.length, 15.0)
        seen = np.array(kills if life.track == "canary" else (), np.float64) + T0
        count = np.searchsorted(seen, times, side="right").astype(float)
        who = {"pod": life.name, "container": "web"}
        store.put("restarts_total", times, count, **who)
        if reported == "counter":
            store.put("oom_total", times, count, **who)
        elif count.any():
            dead = count > 0
            store.put("oom_total", times[dead], np.ones(dead.sum()), **who)
    what = plan(ERRORS, LATENCY, bound("restarts", Kind.EVENTS, RESTARTS, also=(OOM,)))
    return Watching(store, plan=what, policy=Policy(history_s=2400.0))


@pytest.mark.parametrize("reported", ["counter", "last reason"])
def test_a_canary_that_runs_out_of_memory_fails_and_says_so(reported: str) -> None:
    """Errors and latency may stay as they were: clients retry, and the pods come back."""
    told = watched(KILLS, reported=reported).ask(TOWN.length - 5)
    assert (told.outcome, told.reason.code) == (Outcome.FAIL, "restarts_up")
    assert "OOM kills of the canary's containers" in told.reason.text
    assert any(note in told.reason.text for note in told.notes)


@pytest.mark.parametrize("reported", ["counter", "last reason"])
def test_one_kill_of_each_pod_at_once_fails_nothing(reported: str) -> None:
    """A node under memory pressure kills what runs on it; a kill is told twice, and is one."""
    told = watched((300,), reported=reported).ask(TOWN.length - 5)
    assert told.outcome is not Outcome.FAIL
    assert signal_of(told, "restarts").outcome is not Outcome.FAIL
