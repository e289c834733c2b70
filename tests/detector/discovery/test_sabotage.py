"""Faults in copies of samples: they are plain, they stay counters, and they touch nobody else."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from detector.discovery.sabotage import Sabotage, sabotaged, sabotages
from detector.selector import parse_selector
from detector.series import Answer, Query, Series
from detector.signals.plan import BoundSignal, Family, Plan
from detector.signals.signal import Direction, Kind, Shape, Signal, Unit

SINCE = 1000.0
TIMES = np.arange(SINCE - 300, SINCE + 301, 15.0)
REQUESTS = Family(metric="requests_total", shape=Shape.COUNTER)
BUCKETS = Family(metric="seconds_bucket", shape=Shape.BUCKETS)
RESTARTS = Family(metric="restarts_total", shape=Shape.COUNTER, joined=True)
STARTS = Family(metric="start_seconds", shape=Shape.START_TIME)
DEPTH = Family(metric="queue_depth", shape=Shape.GAUGE)
FIVES = parse_selector('{code=~"5.."}')
EDGES = (0.1, 0.5, 1.0, float("inf"))


def plan(*signals: BoundSignal) -> Plan:
    """A plan of these signals."""
    canary = parse_selector('{track="canary"}')
    control = (parse_selector('{track="stable"}'),)
    return Plan(service="web", canary=canary, control=control, requests=REQUESTS, signals=signals)


def bound(kind: Kind, total: Family, *, judged: bool = True, **more: object) -> BoundSignal:
    """A signal on a family."""
    direction = more.pop("direction", Direction.UP)
    signal = Signal(name=kind.value, kind=kind, judged=judged, direction=direction)  # type: ignore[arg-type]
    return BoundSignal(signal=signal, pack="x", unit=Unit.POD, total=total, **more)  # type: ignore[arg-type]


def fault(one: BoundSignal) -> Sabotage:
    """The plain fault of a signal."""
    (made,) = sabotages(plan(one), since=SINCE, pods=frozenset({"c"}))
    return made


def series(values: Sequence[float] | np.ndarray, track: str = "canary", **labels: str) -> Series:
    """One series of one of the two pods."""
    pod = "c" if track == "canary" else "s"
    own = {"__name__": "x", "pod": pod, "track": track, **labels}
    return Series(labels=own, times=TIMES, values=np.asarray(values, float))


def spoiled(one: BoundSignal, *held: Series, family: Family | None = None) -> list[Series]:
    """What the source would have said."""
    query = Query((family or one.total).metric, plan().canary)
    return list(sabotaged(fault(one), query, Answer(series=held)).series)


def rising(per_sample: float = 30.0) -> np.ndarray:
    """A counter."""
    return 500 + per_sample * np.arange(len(TIMES))


def last(held: Sequence[Series], **labels: str) -> float:
    """The newest value of the series with these labels."""
    (one,) = [s for s in held if labels.items() <= s.labels.items()]
    return float(one.values[-1])


def test_a_fifth_of_the_requests_fails_from_the_fault_on() -> None:
    """The plainest of regressions."""
    out = spoiled(bound(Kind.RATIO, REQUESTS, bad=FIVES), series(rising(), code="200"))
    risen = rising()[-1] - rising()[TIMES <= SINCE][-1]
    assert last(out, code="500") == pytest.approx(0.2 * risen, abs=1)
    assert last(out, code="200") == pytest.approx(rising()[-1] - 0.2 * risen, abs=1)


def test_before_the_fault_nothing_is_changed() -> None:
    """The history that is learned from stays what it was."""
    out = spoiled(bound(Kind.RATIO, REQUESTS, bad=FIVES), series(rising(), code="200"))
    (good,) = [s for s in out if s.labels["code"] == "200"]
    early = TIMES <= SINCE
    assert np.array_equal(good.values[early], rising()[early])


def test_errors_are_added_to_those_that_are_there() -> None:
    """A service with errors of its own keeps them."""
    errors = series(np.full(len(TIMES), 7.0), code="500")
    out = spoiled(bound(Kind.RATIO, REQUESTS, bad=FIVES), series(rising(), code="200"), errors)
    assert len([s for s in out if s.labels["code"] == "500"]) == 1
    assert last(out, code="500") > 7


def test_the_control_is_left_alone() -> None:
    """A fault on both sides would be an incident, and no regression."""
    control = series(rising(), "stable", code="200")
    out = spoiled(bound(Kind.RATIO, REQUESTS, bad=FIVES), control)
    assert out == [control]


def test_probes_do_not_fail() -> None:
    """They are no traffic."""
    family = Family(
        metric="requests_total", shape=Shape.COUNTER, health=parse_selector('{path="/healthz"}')
    )
    probe = series(rising(), code="200", path="/healthz")
    out = spoiled(bound(Kind.RATIO, family, bad=FIVES), probe)
    assert out == [probe]


@pytest.mark.parametrize(
    ("label", "match", "word"),
    [
        ("grpc_code", "Internal|Unavailable", "Internal"),
        ("outcome", "SERVER_ERROR", "SERVER_ERROR"),
        ("status", "fail(ed|ure)", "failed"),
    ],
)
def test_a_word_that_counts_as_bad_is_found(label: str, match: str, word: str) -> None:
    """Every convention has its own."""
    bad = parse_selector(f'{{{label}=~"{match}"}}')
    out = spoiled(bound(Kind.RATIO, REQUESTS, bad=bad), series(rising(), **{label: "OK"}))
    assert {s.labels[label] for s in out} == {"OK", word}


def histogram() -> list[Series]:
    """Half of the requests below 0.1 s, nine tenths below 0.5 s."""
    shares = (0.5, 0.9, 0.99, 1.0)
    return [
        series(np.floor(share * rising()), le=f"{edge:g}" if edge < 9 else "+Inf")
        for share, edge in zip(shares, EDGES, strict=True)
    ]


def test_slower_requests_move_up_the_buckets() -> None:
    """Fewer are below each edge, and as many in all."""
    out = spoiled(bound(Kind.LATENCY, BUCKETS), *histogram())
    before = {s.labels["le"]: s.values[-1] for s in histogram()}
    after = {s.labels["le"]: s.values[-1] for s in out}
    assert after["+Inf"] == before["+Inf"]
    assert all(after[le] < before[le] for le in ("0.1", "0.5", "1"))


def test_a_histogram_stays_one() -> None:
    """Counts rise over the edges and over time."""
    out = spoiled(bound(Kind.LATENCY, BUCKETS), *histogram())
    rows = np.array([s.values for s in sorted(out, key=lambda s: float(s.labels["le"]))])
    assert (np.diff(rows, axis=0) >= 0).all()
    assert (np.diff(rows, axis=1) >= 0).all()


def test_containers_restart_again_and_again() -> None:
    """By counter, and by start time."""
    held = series(np.zeros(len(TIMES)))
    counted = spoiled(bound(Kind.EVENTS, RESTARTS), held)
    assert last(counted, pod="c") == 1
    begun = spoiled(bound(Kind.EVENTS, STARTS), series(np.full(len(TIMES), 5.0)))
    assert last(begun, pod="c") == SINCE + 180


def test_a_gauge_is_three_times_as_high_or_a_third() -> None:
    """By the direction that harms."""
    level = series(np.full(len(TIMES), 9.0))
    assert last(spoiled(bound(Kind.GAUGE, DEPTH), level), pod="c") == 27
    down = bound(Kind.GAUGE, DEPTH, direction=Direction.DOWN)
    assert last(spoiled(down, level), pod="c") == 3


def test_other_metrics_are_passed_on_as_they_are() -> None:
    """One fault at a time."""
    answer = Answer(series=(series(rising()),))
    told = sabotaged(fault(bound(Kind.RATIO, REQUESTS, bad=FIVES)), Query("other"), answer)
    assert told is answer


def test_what_only_advises_is_not_broken() -> None:
    """It cannot fail, and nobody says that it could."""
    one = bound(Kind.GAUGE, DEPTH, judged=False)
    assert list(sabotages(plan(one), since=SINCE, pods=frozenset({"c"}))) == []


@given(
    st.lists(st.integers(0, 50), min_size=len(TIMES), max_size=len(TIMES)),
    st.sampled_from([None, 10, 25]),
)
def test_no_request_is_lost_or_made(increments: list[int], reset: int | None) -> None:
    """Good and bad together rise as the counter did, through a reset, too."""
    values = np.cumsum(np.array(increments, float))
    if reset is not None:
        values[reset:] = np.cumsum(np.array(increments[reset:], float))
    held = series(values, code="200")
    out = spoiled(bound(Kind.RATIO, REQUESTS, bad=FIVES), held)
    late = TIMES > SINCE
    bad = next((s.values for s in out if s.labels["code"] == "500"), np.zeros(late.sum()))
    good = next(s.values for s in out if s.labels["code"] == "200")[late]
    assert np.allclose(good + bad, values[late])
    is_reset = np.diff(values[late]) < 0
    assert min(good.min(), bad.min()) >= 0
    assert not ((np.diff(bad) < 0) & ~is_reset).any()


LOGS = Family(metric="serinus_log_lines_total", shape=Shape.COUNTER, joined=True)


def test_each_pod_of_the_canary_writes_lines_that_nobody_wrote_before() -> None:
    """A gate that reads logs must be able to fail on them, whatever else it reads."""
    one = bound(Kind.EVENTS, LOGS, apart="template")
    chat = series(rising(), level="info", template="")
    other = series(rising(), track="stable", level="info", template="")
    out = spoiled(one, chat, other)
    (made,) = [s for s in out if s.labels.get("template")]
    assert (made.labels["level"], made.labels["pod"]) == ("error", "c")
    assert made.values[-1] == 600
    assert made.times[0] > SINCE
    assert chat in out
    assert "error lines of a new kind" in fault(one).words
