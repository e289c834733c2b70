"""The weight from a controller's own gauge: read with the samples, replayed, and told."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from detector.gate.attempt import Weight
from detector.gate.record import Chunk
from detector.gate.render import verdict_body
from detector.gate.request import VerdictRequest
from detector.gate.session import Session
from detector.gate.verdict import Verdict
from detector.ports import MetricCatalog
from detector.series import Answer, Matcher, MatchOp, Query, Series
from detector.signals.plan import Plan
from pipelines.flows.discovery import Discovery
from pipelines.flows.gate import Gate
from pipelines.flows.steering import Steering
from pipelines.flows.tape import TapeReader, Told
from pipelines.packs import load_packs
from pipelines.sources.memory import MemorySource
from pipelines.stores.memory import memory_stores
from pipelines.testing import FakeSource, Fault
from tests.pipelines.flows.scripted import T0, Counting, World, ask, at, counting, discover
from tests.pipelines.flows.shops import DIALECTS, Faults, fill
from tests.profiles import HEAVY

METRIC = "flagger_canary_weight"
GAUGE = Query(METRIC, (Matcher("workload", MatchOp.EQUAL, "web"),))
LABELS = {"__name__": METRIC, "workload": "web", "namespace": "shop"}
# Seconds after T0, and per cent since then.
STEPS = ((-7200.0, 0.0), (40.0, 10.0), (200.0, 20.0), (410.0, 50.0))
# Scrapes come seven seconds after the quarters of a minute.
SHOWN = [(0.0, 0.0), (52.0, 10.0), (202.0, 20.0), (412.0, 50.0)]


def steered(
    catalog: MetricCatalog, request: VerdictRequest, *, start: float, end: float, timeout_s: float
) -> Plan:
    """The shop of a controller that shows the weight."""
    plan = discover(catalog, request, start=start, end=end, timeout_s=timeout_s)
    return replace(plan, weight=None if request.weight is not None else GAUGE)


class Shop(World):
    """A shop whose gauge is scraped each 15 s; `judges` are all that were made."""

    judges: list[Counting]

    def restart(self) -> None:
        """A process that knows only what is stored."""
        self.judges = []
        self.made = Gate(
            source=self.source,
            catalog=self.source,
            stores=self.stores,
            clock=self.clock,
            discover=steered,
            session_factory=self._judge,
            settings=self.settings,
        )

    def _judge(self, *args: object, **kwargs: object) -> Counting:
        self.judges.append(counting(*args, **kwargs))  # type: ignore[arg-type]
        return self.judges[-1]

    def show(self, *steps: tuple[float, float], until: float = 900.0, **labels: str) -> None:
        """Scrapes of the gauge."""
        times = np.arange(-293.0, until, 15.0)
        moments = np.array([moment for moment, _ in steps])
        values = np.array([value for _, value in steps])
        shown = values[moments.searchsorted(times, side="right") - 1]
        self.source.store.add({**LABELS, **labels}, T0 + times, shown)

    def told(self) -> list[tuple[float, float]]:
        """What the newest judge of an attempt was told, after T0."""
        return [(moment - T0, weight) for moment, weight in self.judges[0].weights]


def shop(*steps: tuple[float, float]) -> Shop:
    made = Shop()
    made.shop()
    if steps:
        made.show(*steps)
    return made


def poll(world: World, second: float, **changes: object) -> Verdict:
    """Ask at a moment after T0."""
    world.clock.at = T0 + second
    return world.gate.judge(ask(**changes))


def weights(verdict: Verdict) -> list[object]:
    """How many the judge knew."""
    return [signal.details["weights"] for signal in verdict.signals]


def kept(world: World, verdict: Verdict) -> list[tuple[float, float]]:
    """The weights of the stored attempt, after T0."""
    return [(w.at - T0, w.weight) for w in world.stores.attempts.get(verdict.attempt).weights]


def chunks(world: World, verdict: Verdict) -> tuple[Chunk, ...]:
    """The stored samples of an attempt."""
    return tuple(world.stores.points.chain(world.stores.attempts.get(verdict.attempt).head))


# -- what is told


def test_the_judge_is_told_what_the_gauge_shows() -> None:
    """Each step at the scrape that showed it first, whenever it was asked."""
    world = shop(*STEPS)
    last = poll(world, 600)
    assert world.told() == SHOWN
    assert kept(world, last) == SHOWN
    assert all(w.is_read for w in world.stores.attempts.get(last.attempt).weights)


POLLS = st.lists(st.tuples(st.floats(1, 590), st.booleans()), max_size=8)


@HEAVY
@given(POLLS)
def test_polling_changes_no_step(polls: list[tuple[float, bool]]) -> None:
    """More polls, other times, restarts between them: the same steps at the same times."""
    world = shop(*STEPS)
    for second, restart in sorted(polls):
        poll(world, second)
        if restart:
            world.restart()
    last = poll(world, 600)
    assert world.told() == SHOWN
    assert kept(world, last) == SHOWN


@HEAVY
@given(POLLS, st.floats(1, 590))
def test_the_answer_of_a_moment_knows_the_weights_of_then(
    polls: list[tuple[float, bool]], second: float
) -> None:
    """Asked then, between two boundaries or not, or looked back at from the end: the same."""
    world, quiet = shop(*STEPS), shop(*STEPS)
    for moment, _ in sorted(polls):
        if moment < second:
            poll(world, moment)
    then = poll(world, second)
    poll(quiet, 600)
    back = quiet.gate.judge(ask(as_of=at(second)))
    assert (back.notes, weights(back)) == (then.notes, weights(then))


def test_a_step_is_told_before_the_samples_that_it_bears_on() -> None:
    """A judge that hears of it after would have judged its first bins as the exposure before."""
    world = shop(*STEPS)
    last = poll(world, 600)
    reader = TapeReader()
    events = [event for chunk in chunks(world, last) for event in reader.read(chunk.body)]
    kinds = [isinstance(event, Told) for event in events]
    assert kinds == sorted(kinds, reverse=True)
    assert sum(kinds) == len(SHOWN)


# -- where it comes from


def test_the_verdict_says_where_the_weight_came_from() -> None:
    """The series, the weight and since when: a person can look it up."""
    world = shop(*STEPS)
    notes = [poll(world, second).notes for second in (100, 300)]
    where = f"No weight was sent; the controller's own {METRIC}"
    assert notes[0][1:] == (where + '{workload="web"} shows 10 % since 14:14:12 UTC.',)
    assert notes[1][1:] == (where + '{workload="web"} shows 20 % since 14:16:42 UTC.',)


def test_a_weight_that_is_sent_wins() -> None:
    """Whoever asks knows it: the gauge is not read, now and after a restart."""
    world = shop(*STEPS)
    first = poll(world, 100, weight=5)
    world.restart()
    last = poll(world, 600)
    assert kept(world, last) == [(100.0, 5.0)]
    assert [first.notes, last.notes] == [first.notes[:1]] * 2
    assert METRIC not in {q.metric for r in world.source.reads for q in r.queries}


def test_a_weight_that_is_sent_later_ends_the_reading() -> None:
    """From then on there is one voice; a repeated weight is no step."""
    world = shop(*STEPS)
    poll(world, 100)
    poll(world, 130, weight=10)
    world.source.reads.clear()
    last = poll(world, 600)
    assert kept(world, last) == [(0.0, 0.0), (52.0, 10.0), (130.0, 10.0)]
    assert METRIC not in {q.metric for r in world.source.reads for q in r.queries}
    assert not any("No weight was sent" in note for note in last.notes)


def test_a_sent_weight_is_never_undone_by_a_question_that_repeats_it() -> None:
    """A controller that still sends the old weight after the gauge moved on."""
    world = shop(*STEPS)
    poll(world, 60, weight=10)
    for second in (120, 240, 360, 480):
        poll(world, second, weight=10)
    assert world.judges[0].weights == [(T0 + 60, 10.0)]


# -- what it costs, and what can go wrong


@pytest.mark.parametrize("steps", [(), STEPS], ids=["no samples", "with samples"])
def test_a_gauge_costs_no_further_read(steps: tuple[tuple[float, float], ...]) -> None:
    """One query more in the same read, with its time-out and its span."""
    plain, world = World(), shop(*steps)
    plain.shop()
    for second in (100, 160, 161, 220):
        poll(plain, second)
        poll(world, second)
    spans = [[(r.start, r.end, r.timeout_s > 0) for r in w.source.reads] for w in (plain, world)]
    more = [
        len(ours.queries) - len(theirs.queries)
        for ours, theirs in zip(world.source.reads, plain.source.reads, strict=True)
    ]
    assert spans[0] == spans[1]
    assert more[-3:] == [1, 1, 1]
    assert sum(more) == 3


def test_a_gauge_without_samples_leaves_the_traffic_to_tell() -> None:
    """Named in the plan, gone since: no weight, no note, and the verdict as without it."""
    world, plain = shop(), World()
    plain.shop()
    ours, theirs = poll(world, 600), poll(plain, 600)
    assert world.told() == []
    assert (ours.outcome, ours.reason, ours.notes) == (theirs.outcome, theirs.reason, theirs.notes)


def test_a_source_that_was_down_costs_no_step() -> None:
    """What the gauge showed meanwhile is read when the source is back."""
    world = shop(*STEPS)
    poll(world, 100)
    world.source.fault = Fault.DOWN
    poll(world, 300)
    world.source.fault = Fault.NONE
    poll(world, 600)
    assert world.told() == SHOWN


def test_an_answer_with_holes_is_asked_for_again() -> None:
    """A warned answer tells no weight either until it is believed."""
    world = shop(*STEPS)
    poll(world, 100)
    world.source.script(Fault.WARNINGS)
    poll(world, 220)
    assert world.told() == SHOWN[:2]
    poll(world, 600)
    assert world.told() == SHOWN


def test_replicas_of_the_gauge_are_one_voice() -> None:
    """Two Prometheus behind one address."""
    world = shop()
    for replica in ("a", "b"):
        world.show(*STEPS, replica=replica)
    poll(world, 600)
    assert world.told() == SHOWN


def test_weights_come_once_where_the_samples_were_lost() -> None:
    """The source is read anew, and the attempt keeps its steps as they were."""
    world = shop(*STEPS)
    poll(world, 300)
    lost = replace(world.stores, points=memory_stores().points)
    world.stores = lost
    world.restart()
    last = poll(world, 600)
    assert any("samples were lost" in note for note in last.notes)
    assert kept(world, last) == SHOWN
    assert world.told() == SHOWN


def test_a_new_canary_begins_with_its_own_weights() -> None:
    """After a rollback the next one is not told where the last one stood."""
    world = Shop()
    fault = {T0 + 200.0: 4.0, T0 + 260.0: 4.0, T0 + 330.0: 4.0}
    for name in ("web-zzzzz-ccccc", "web-zzzzz-ddddd"):
        world.pod(name, "stable", born=T0 - 7200, until=T0 + 3600)
    world.pod("web-bbbbb-wxzbc", "canary", born=T0, until=T0 + 400, errors=fault)
    world.show((-300.0, 10.0), (390.0, 0.0), (700.0, 20.0))
    failed = poll(world, 395)
    world.pod("web-ddddd-zzzzz", "canary", born=T0 + 600, until=T0 + 3600)
    begun = [poll(world, second) for second in (640, 700, 860)][-1]
    assert begun.attempt != failed.attempt
    assert kept(world, begun) == [(600.0, 0.0), (712.0, 20.0)]


# -- replay


def test_a_replay_is_the_same_to_the_word() -> None:
    """From the store and from an evidence file, also of a source that shows something else now."""
    world = shop(*STEPS)
    given = [poll(world, second) for second in (100, 300, 600)]
    stored = [verdict_body(world.stores.verdicts.get(v.id).verdict, brief=False) for v in given]
    file = world.gate.records.export(given[-1].id)
    world.source.store = FakeSource().store
    world.restart()
    assert [verdict_body(world.gate.records.replay(v.id), brief=False) for v in given] == stored
    assert verdict_body(Shop().gate.records.replay_file(file), brief=False) == stored[-1]
    assert "shows 50 %" in given[-1].notes[-1]


def test_the_answer_of_a_deadline_keeps_the_weight_of_then() -> None:
    """Steps after it are not its own."""
    world = shop(*STEPS)
    final = poll(world, 400, deadline=at(390))
    later = poll(world, 600, deadline=at(390))
    assert weights(final) == weights(later) == [3.0]


# -- the steering of one watch


def answer(*samples: tuple[float, float]) -> Answer:
    times, values = np.array(samples).T
    return Answer(series=(Series(labels={}, times=T0 + times, values=values),))


def test_what_was_told_is_not_told_again_by_a_read_that_did_not_end() -> None:
    """The second round failed: the next read begins where the last whole one ended."""
    steering = Steering(gauge=GAUGE, start=T0, scale=1.0)
    shown = answer((-5, 10), (10, 10), (25, 20), (40, 20), (55, 20))
    for event in steering.news(shown, since=T0 - 5, until=T0 + 40):
        steering.take(event)
    assert steering.newest == Weight(at=T0 + 25, weight=20.0, is_read=True)
    assert steering.news(shown, since=T0 - 5, until=T0 + 55) == ()


def test_no_gauge_no_query_and_no_note() -> None:
    """Where the weight is sent, or nobody tells it."""
    steering = Steering(gauge=None, start=T0, scale=1.0)
    steering.take(Told(at=T0 + 5, weight=20.0))
    assert (steering.queries, steering.notes()) == ((), ())


# -- the real engine


def flagger(held: MemorySource, *steps: tuple[float, float]) -> None:
    """Flagger's two series for the Deployment `checkout`, scraped each 30 s."""
    times = np.arange(-600.0, 1800.0, 30.0)
    moments = np.array([moment for moment, _ in steps])
    values = np.array([value for _, value in steps])
    shown = values[moments.searchsorted(times, side="right") - 1]
    for workload, per_cent in (("checkout", shown), ("checkout-primary", 100 - shown)):
        labels = {"__name__": METRIC, "workload": workload, "namespace": "flagger-system"}
        held.add({**labels, "exported_namespace": "shop"}, T0 + times, per_cent)


def real(held: MemorySource, now: list[float]) -> Gate:
    """The gate as it is served."""
    return Gate(
        source=held,
        catalog=held,
        stores=memory_stores(),
        clock=lambda: now[-1],
        discover=Discovery(load_packs(), held),
        session_factory=Session,
    )


def test_the_exposure_begins_with_the_step_that_flagger_shows() -> None:
    """Nothing is configured: a pass waits until the new weight has lasted, and says since when."""
    held = fill(DIALECTS[0], Faults())
    flagger(held, (-600.0, 0.0), (0.0, 10.0), (845.0, 20.0))
    now = [T0]
    gate = real(held, now)
    given: dict[int, Verdict] = {}
    for second in (840, 960, 1500):
        now.append(T0 + second)
        given[second] = gate.judge(VerdictRequest(service="checkout", canary=DIALECTS[0].canary))
    stepped = given[1500].exposure_since
    assert [given[second].outcome.value for second in given] == ["pass", "inconclusive", "pass"]
    assert stepped is not None
    assert 0 <= stepped.timestamp() - (T0 + 870) <= 15
    assert "shows 20 %" in given[1500].notes[-1]
    again = gate.records.replay(given[1500].id)
    assert verdict_body(again, brief=False) == verdict_body(given[1500], brief=False)


def test_without_a_gauge_the_same_rollout_has_one_exposure() -> None:
    """The traffic of this shop does not move: only the gauge knew of the step above."""
    held = fill(DIALECTS[0], Faults())
    now = [T0 + 1500]
    verdict = real(held, now).judge(VerdictRequest(service="checkout", canary=DIALECTS[0].canary))
    assert verdict.exposure_since is not None
    assert verdict.exposure_since.timestamp() < T0 + 60
    assert not any("No weight was sent" in note for note in verdict.notes)


def test_the_gauge_leaves_its_steps_on_the_tape_and_no_samples() -> None:
    """A steady weight costs its query and nothing in the store."""
    sizes = []
    for one in (shop((-7200.0, 10.0)), shop()):
        last = [poll(one, second) for second in (100, 300, 600)][-1]
        sizes.append(sum(len(chunk.body) for chunk in chunks(one, last)))
    assert 0 < sizes[0] - sizes[1] < 40
