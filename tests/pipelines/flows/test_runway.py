"""Capacity in the gate: no final pass where promotion would exhaust something; it replays."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from detector.capacity.report import Report
from detector.capacity.resource import Kind
from detector.capacity.rule import CapacityRule
from detector.errors import StoreError
from detector.gate.policy import Policy, RollbackRule
from detector.gate.reason import ReasonCode
from detector.gate.render import verdict_body
from detector.gate.request import Stage, VerdictRequest
from detector.gate.session import Session
from detector.gate.verdict import Outcome, Verdict
from detector.signals.plan import BoundSignal, Family
from detector.signals.signal import Kind as SignalKind
from detector.signals.signal import Shape, Signal, Unit
from pipelines.capacity.keeping import KeptCapacity, KeptOutlooks
from pipelines.flows.gate import Gate, GateSettings
from pipelines.flows.runway import Runway
from pipelines.testing import FixedDiscovery
from tests.detector.gate.test_attempt import attempt
from tests.detector.gate.test_exhausting import assessment
from tests.detector.gate.test_ruling import UNSURE, circumstances
from tests.pipelines.flows.scripted import T0, World, ask, at
from tests.pipelines.flows.test_engine import SIGNALS, discover
from tests.pipelines.flows.test_engine import shop as shop_of_engine

POLICY = Policy(name="roomy", min_total_s=200.0, capacity=CapacityRule())
STRICT = replace(POLICY, name="strict", capacity=CapacityRule(hold_unknown=True))
HELD = (Outcome.INCONCLUSIVE, ReasonCode.CAPACITY_SHORT.value)
UNKNOWN = (Outcome.INCONCLUSIVE, ReasonCode.CAPACITY_UNKNOWN.value)
PASSED = (Outcome.PASS, ReasonCode.HEALTHY.value)


MEMORY = Family(metric="container_memory_rss", shape=Shape.GAUGE, joined=True)
GROWTH = BoundSignal(
    signal=Signal(name="memory_growth", kind=SignalKind.GAUGE, judged=False, grows=True),
    pack="test",
    unit=Unit.POD,
    total=MEMORY,
)
WITH_MEMORY = FixedDiscovery(
    requests=discover.requests, signals=(*SIGNALS, GROWTH), start_time=discover.start_time
)


def shop(second: float = 400) -> World:
    """A canary that is healthy, and has passed whatever its service uses."""
    world = World()
    world.settings = GateSettings(
        outlooks=KeptOutlooks(KeptCapacity(world.stores.reports), monotonic=lambda: world.clock.at)
    )
    world.shop()
    world.clock.at = T0 + second
    return world


def assess(
    world: World,
    first: float,
    *,
    service: str = "checkout",
    growth: float = 20.0,
    kind: Kind = Kind.CPU,
) -> None:
    """A report of now, in which the CPU of a service goes on from `first` of ten cores."""
    now = round(1000 * world.clock.at)
    one = assessment(first, first + growth, service=service, kind=kind)
    assert one.outlook is not None
    moved = replace(one, as_of=now, outlook=replace(one.outlook, start_ms=now))
    report = Report(made_at=now, horizon_s=90 * 86_400, scope="", assessments=(moved,))
    KeptCapacity(world.stores.reports).keep(report)


def question(policy: Policy = POLICY, stage: Stage = Stage.FINAL, **more: object) -> VerdictRequest:
    """Whether it may become the stable one."""
    return ask(policy=policy, stage=stage, **more)


def said(verdict: Verdict) -> tuple[Outcome, str]:
    """Outcome and reason."""
    return verdict.outcome, str(verdict.reason.code)


def test_a_promotion_that_would_exhaust_something_is_held() -> None:
    """The canary serves well: it is not rolled back, and not promoted either."""
    world = shop()
    assess(world, 9.5)
    verdict = world.gate.judge(question())
    assert said(verdict) == HELD
    assert verdict.reason.text.startswith("Promotion would go on with cpu app of checkout running")
    assert not verdict.final


@pytest.mark.parametrize(
    ("policy", "stage", "first", "expected"),
    [
        (POLICY, Stage.FINAL, 1.0, PASSED),
        (POLICY, Stage.STEP, 9.5, PASSED),
        (Policy(min_total_s=200.0), Stage.FINAL, 9.5, PASSED),
        (STRICT, Stage.FINAL, 1.0, PASSED),
        (POLICY, Stage.FINAL, None, PASSED),
        (STRICT, Stage.FINAL, None, UNKNOWN),
    ],
    ids=["room", "a step", "not asked for", "strict", "unknown", "strict and unknown"],
)
def test_only_a_final_pass_without_room_is_held(
    policy: Policy, stage: Stage, first: float | None, expected: tuple[Outcome, str]
) -> None:
    """And only where the policy looks at it."""
    world = shop()
    if first is not None:
        assess(world, first)
    assert said(world.gate.judge(question(policy, stage))) == expected


def test_another_service_s_room_is_no_concern() -> None:
    """Each is held by its own."""
    world = shop()
    assess(world, 9.5, service="cart")
    assert said(world.gate.judge(question())) == PASSED


def test_the_workload_s_name_counts_as_well() -> None:
    """Packs know workloads, questions name services."""
    world = shop()
    assess(world, 9.5, service="web")
    assert said(world.gate.judge(question(rollout="web"))) == HELD


def test_a_raised_limit_lets_it_go_on() -> None:
    """With the next assessment."""
    world = shop()
    assess(world, 9.5)
    held = world.gate.judge(question())
    world.clock.at = T0 + 470
    assess(world, 1.0)
    assert (said(held), said(world.gate.judge(question()))) == (HELD, PASSED)


def test_harm_goes_before_it() -> None:
    """A canary that fails is rolled back whatever runs out."""
    world = shop()
    world.pod("web-bbbbb-wxzbc", "canary", born=T0, until=T0 + 3600, errors={T0 + 100: 20})
    assess(world, 9.5)
    assert said(world.gate.judge(question()))[0] is Outcome.FAIL


def test_a_past_moment_is_answered_by_what_was_known_then() -> None:
    """An assessment of today does not change what was due an hour ago."""
    world = shop()
    before = world.gate.judge(question())
    world.clock.at = T0 + 470
    assess(world, 9.5)
    now = world.gate.judge(question())
    past = world.gate.judge(question(as_of=at(400)))
    assert (said(before), said(now), said(past)) == (PASSED, HELD, PASSED)


def test_a_hold_is_replayed() -> None:
    """From what is stored with it, whatever was assessed since."""
    world = shop()
    assess(world, 9.5)
    verdict = world.gate.judge(question())
    world.clock.at = T0 + 470
    assess(world, 1.0)
    again = world.gate.records.replay(verdict.id)
    assert verdict_body(again, brief=False) == verdict_body(verdict, brief=False)
    elsewhere = World().gate.records.replay_file(world.gate.records.export(verdict.id))
    assert verdict_body(elsewhere, brief=False) == verdict_body(verdict, brief=False)


def test_a_way_back_is_open() -> None:
    """What was stable an hour ago is better than what runs now, whatever it uses."""
    world = shop()
    assess(world, 9.5)
    back = replace(attempt(), policy=POLICY, rollback="v42 served until 14:00")
    judged = replace(POLICY, rollback=RollbackRule.JUDGE)
    seen = circumstances(as_of=T0 + 400, stage=Stage.FINAL)
    passed = replace(UNSURE, outcome=Outcome.PASS)
    runway = Runway(world.settings.outlooks)
    assert runway.short(back, passed, seen) is None
    assert runway.short(replace(back, policy=judged), passed, seen) is not None
    assert runway.short(replace(back, rollback=None), passed, seen) is not None


def test_at_the_deadline_it_stands() -> None:
    """Undecided, with what stood in the way."""
    world = shop()
    assess(world, 9.5)
    world.gate.judge(question(deadline=at(500)))
    world.clock.at = T0 + 510
    late = world.gate.judge(question(deadline=at(500)))
    assert (said(late)[1], late.final) == (ReasonCode.DEADLINE_REACHED.value, True)
    assert "capacity_short" in late.reason.text


def test_a_store_that_fails_is_no_pass() -> None:
    """What cannot be looked up is not room."""

    class Down:
        def at(self, as_of: float) -> Report | None:
            raise StoreError("full")

    world = shop()
    world.settings = GateSettings(outlooks=Down())
    with pytest.raises(StoreError):
        world.gate.judge(question())


def hungry(cpu: float, held: float = 1.0) -> World:
    """The real engine on canary pods that use so much CPU for a request; the control's use 0.01.

    They hold `held` GiB, the control's one.
    """
    world = shop_of_engine(0.004, cpu)
    for name, born, much in (("stable", T0 - 4000, 1.0), ("canary", T0, held)):
        times = np.arange(born, T0 + 1500, 15.0)
        for number in range(6 if name == "stable" else 3):
            labels = {"__name__": MEMORY.metric, "pod": f"{name}-{number}", "container": "app"}
            world.source.store.add(labels, times, np.full(len(times), much * 2**30))
    world.settings = GateSettings(outlooks=KeptOutlooks(KeptCapacity(world.stores.reports)))
    world.made = Gate(
        source=world.source,
        catalog=world.source,
        stores=world.stores,
        clock=world.clock,
        discover=WITH_MEMORY,
        session_factory=Session,
        settings=world.settings,
    )
    return world


def promoted(world: World, kind: Kind) -> Verdict:
    """Eight of ten are used, a quarter of an hour later it is asked whether it may be promoted."""
    policy = replace(POLICY, history_s=3600.0)
    world.clock.at = T0 + 20
    assess(world, 7.9, growth=0.5, kind=kind)
    for second in range(30, 930, 60):
        world.clock.at = T0 + second
        world.gate.judge(question(policy))
    world.clock.at = T0 + 930
    return world.gate.judge(question(policy))


@pytest.mark.parametrize(
    ("cpu", "outcome"), [(0.0105, Outcome.PASS), (0.014, Outcome.INCONCLUSIVE)], ids=["5", "40"]
)
def test_what_the_engine_sees_of_cpu_is_carried_to_all_traffic(
    cpu: float, outcome: Outcome
) -> None:
    """Eight cores of ten: five per cent more fit, forty do not."""
    verdict = promoted(hungry(cpu), Kind.CPU)
    assert verdict.outcome is outcome
    if outcome is Outcome.INCONCLUSIVE:
        assert verdict.reason.code == ReasonCode.CAPACITY_SHORT
        assert "Promotion would exhaust cpu app of checkout about" in verdict.reason.text
        assert " % for all traffic. Without it " in verdict.reason.text


@pytest.mark.parametrize(
    ("held", "outcome"),
    [(0.7, Outcome.PASS), (1.02, Outcome.PASS), (1.4, Outcome.INCONCLUSIVE)],
    ids=["younger", "as much", "40"],
)
def test_memory_that_the_engine_sees_is_a_step_for_all_pods(held: float, outcome: Outcome) -> None:
    """Eight GiB of ten: forty per cent more do not fit, and a young heap is no saving."""
    world = hungry(0.01, held)
    verdict = promoted(world, Kind.MEMORY)
    assert verdict.outcome is outcome
    if outcome is Outcome.INCONCLUSIVE:
        assert verdict.reason.code == ReasonCode.CAPACITY_SHORT
        assert "Promotion would exhaust memory app of checkout about" in verdict.reason.text
        assert ": its pods hold 40 % more than older ones by now." in verdict.reason.text
    again = world.gate.records.replay(verdict.id)
    assert verdict_body(again, brief=False) == verdict_body(verdict, brief=False)
