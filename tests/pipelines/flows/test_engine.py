"""The gate with the real engine: raw counters in, verdicts out, replayed to the bit."""

from __future__ import annotations

import json

import numpy as np
import pytest

from detector.gate.policy import Policy
from detector.gate.render import verdict_body
from detector.gate.session import Session
from detector.gate.verdict import Outcome, Verdict
from detector.series import Matcher, MatchOp
from detector.signals.plan import BoundSignal, Family
from detector.signals.signal import Kind, Shape, Signal, Unit
from pipelines.flows.gate import Gate
from pipelines.testing import Fault, FixedDiscovery
from tests.pipelines.flows.scripted import T0, World, ask, at

EDGES = np.array([0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5])
POLICY = Policy(history_s=3600.0)
REQUESTS = Family(metric="http_requests_total", shape=Shape.COUNTER)
BUCKETS = Family(metric="http_request_duration_seconds_bucket", shape=Shape.BUCKETS)
STARTED = Family(metric="process_start_time_seconds", shape=Shape.START_TIME)
CPU = Family(metric="container_cpu_usage_seconds_total", shape=Shape.COUNTER, joined=True)


def bound(name: str, kind: Kind, family: Family, *, required: bool = False) -> BoundSignal:
    """A signal of the shop."""
    return BoundSignal(
        signal=Signal(name=name, kind=kind, required=required, judged=kind is not Kind.GAUGE),
        pack="test",
        unit=Unit.POD,
        total=family,
        bad=(Matcher("code", MatchOp.MATCHES, "5.."),) if kind is Kind.RATIO else (),
        load=REQUESTS if kind is Kind.GAUGE else None,
    )


SIGNALS = (
    bound("error_rate", Kind.RATIO, REQUESTS, required=True),
    bound("latency", Kind.LATENCY, BUCKETS, required=True),
    bound("tail95", Kind.LATENCY, BUCKETS),
    bound("restarts", Kind.EVENTS, STARTED),
    bound("cpu_per_request", Kind.GAUGE, CPU),
)


discover = FixedDiscovery(requests=REQUESTS, signals=SIGNALS, start_time=STARTED)


def serve(
    world: World,
    rng: np.random.Generator,
    name: str,
    track: str,
    born: float,
    errors: float,
    cpu: float = 0.01,
) -> None:
    """One pod at 20 requests/s until T0 + 1500, with errors, latencies and CPU."""
    times = np.arange(born, T0 + 1500, 15.0) + rng.uniform(0, 15)
    requests = rng.poisson(300.0, len(times))
    failed = rng.binomial(requests, errors)
    shares = np.diff(np.concatenate([[0], 1 - np.exp(-EDGES / 0.08), [1]]))
    buckets = np.cumsum([rng.multinomial(n, shares) for n in requests], axis=0).cumsum(axis=1)
    pod = {"service": "checkout", "pod": name, "track": track}
    add = world.source.store.add
    for code, counts in (("200", requests - failed), ("500", failed)):
        labels = {"__name__": REQUESTS.metric, **pod, "code": code}
        add(labels, times, np.cumsum(counts).astype(float))
    for number, edge in enumerate([*EDGES, np.inf]):
        le = "+Inf" if np.isinf(edge) else str(edge)
        add({"__name__": BUCKETS.metric, **pod, "le": le}, times, buckets[:, number].astype(float))
    add({"__name__": STARTED.metric, **pod}, times, np.full(len(times), born))
    labels = {"__name__": CPU.metric, "pod": name, "container": "app"}
    add(labels, times, np.cumsum(requests * cpu))


def shop(errors: float, cpu: float = 0.01) -> World:
    """Six stable pods and three canary pods from T0 on, which use so much CPU for a request."""
    world, rng = World(), np.random.default_rng(7)
    for number in range(6):
        serve(world, rng, f"stable-{number}", "stable", T0 - 4000, 0.004)
    for number in range(3):
        serve(world, rng, f"canary-{number}", "canary", T0, errors, cpu)
    start(world)
    return world


def start(world: World) -> None:
    """A process on the world's stores, with the real engine."""
    world.made = Gate(
        source=world.source,
        catalog=world.source,
        stores=world.stores,
        clock=world.clock,
        discover=discover,
        session_factory=Session,
    )


def poll(world: World, second: float) -> Verdict:
    """Ask at a moment after T0."""
    world.clock.at = T0 + second
    return world.gate.judge(ask(policy=POLICY))


def body(verdict: Verdict) -> str:
    """The JSON of a verdict."""
    return json.dumps(verdict_body(verdict, brief=False), allow_nan=False)


@pytest.mark.parametrize(
    ("errors", "outcome"), [(0.004, Outcome.PASS), (0.04, Outcome.FAIL)], ids=["healthy", "errors"]
)
def test_a_rollout_is_judged_and_replayed(errors: float, outcome: Outcome) -> None:
    """Polls, a restart in the middle, a look back and a replay give one story."""
    world = shop(errors)
    given = []
    for second in range(30, 1000, 60):
        given.append(poll(world, second))
        if second == 510:
            start(world)
    assert given[-1].outcome is outcome
    assert {s.name for s in given[-1].signals} >= {"error_rate", "latency", "cpu_per_request"}
    start(world)
    for verdict in given[::4]:
        assert body(world.gate.records.replay(verdict.id)) == body(
            world.gate.records.verdict(verdict.id)
        )
    past = world.gate.judge(ask(policy=POLICY, as_of=at(510)))
    assert past.outcome is given[8].outcome
    assert past.signals == given[8].signals


def test_polling_does_not_change_what_the_engine_says() -> None:
    """Asked once or thirty times, with the source down in between."""
    often, once = shop(0.04), shop(0.04)
    for second in range(20, 900, 30):
        often.source.fault = Fault.DOWN if 200 < second < 300 else Fault.NONE
        poll(often, second)
    one, other = poll(often, 900), poll(once, 900)
    latches = [w.stores.attempts.get(v.attempt).latch for w, v in ((often, one), (once, other))]
    assert latches[0] is not None
    assert latches[1] is not None
    assert latches[0].at == latches[1].at
    judged = [[s for s in v.signals if s.judged] for v in (one, other)]
    assert judged[0] == judged[1]
