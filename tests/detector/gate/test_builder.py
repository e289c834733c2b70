"""From raw samples to frames: every awkward thing a metric store does has a stated effect."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from detector.gate.builder import FrameBuilder
from detector.gate.frame import Arm, Frame
from detector.series import Answer, FloatArray, Matcher, MatchOp, Series
from detector.signals.plan import Family
from detector.signals.signal import Kind, Shape, Unit
from tests.detector.gate.traffic import (
    CPU,
    EDGES,
    ERRORS,
    LATENCY,
    MEMORY,
    REQUESTS,
    RESTARTS,
    STARTED,
    Store,
    bound,
    build,
    frame_of,
    plan,
    scrapes,
)
from tests.profiles import HEAVY

OOM = Family(metric="oom_total", shape=Shape.COUNTER, joined=True)


def serve(
    store: Store,
    pod: str,
    times: FloatArray,
    rate: float = 10.0,
    *,
    since: float | None = None,
    base: float = 0.0,
    **labels: str,
) -> None:
    """A pod's request counter: `rate` a second since `since`, `base` before that."""
    track = "canary" if pod.startswith("c") else "stable"
    begin = times[0] if since is None else since
    told = {"pod": pod, "track": track, "instance": f"{pod}:80", "job": "web", "code": "200"}
    store.put("requests_total", times, base + rate * (times - begin), **{**told, **labels})


def buckets(
    store: Store, pod: str, times: FloatArray, edges: tuple[float, ...] = EDGES, **labels: str
) -> None:
    """One request a second per bucket, written with the edges that are asked for."""
    track = "canary" if pod.startswith("c") else "stable"
    for at, edge in enumerate([*edges, np.inf]):
        le = "+Inf" if np.isinf(edge) else f"{edge:g}"
        told = {"pod": pod, "track": track, "instance": f"{pod}:80", "job": "web", "le": le}
        store.put("seconds_bucket", times, (at + 1) * times, **{**told, **labels})


def pair(until: float = 600.0, every: float = 15.0) -> Store:
    store = Store()
    serve(store, "s-1", scrapes(-599, until, every))
    serve(store, "c-1", scrapes(1, until, every))
    return store


def column(frame: Frame, arm: Arm, at: float) -> int:
    return int((at - frame.start) // frame.step) - frame.first


def test_arms_are_told_apart_and_counted() -> None:
    """Each pod is in its arm, its requests in the bins in which they happened."""
    frame = frame_of(pair(), plan(), until=600)
    assert (frame.canary.pods, frame.control.pods) == (("c-1",), ("s-1",))
    assert frame.first == -40
    assert frame.bins == frame.control.requests.shape[1] == 40 + 38
    assert frame.control.requests[0, 1:] == pytest.approx(np.full(77, 150.0))
    assert frame.canary.requests[0, :40].sum() == 0.0
    assert frame.canary.requests[0, 41:] == pytest.approx(np.full(37, 150.0))
    assert frame.interval == pytest.approx(15.0)


def test_errors_are_zero_without_an_error_child() -> None:
    """No error series beside counted requests is zero errors, not unknown."""
    counts = frame_of(pair(), plan(), until=600).canary.counts["error_rate"]
    assert counts.x.sum() == 0.0
    assert counts.n.sum() > 0


def test_first_error_of_a_pod_is_counted() -> None:
    """An error child that appears with its first event counts it; paths and codes add up."""
    store = pair()
    for path, code in (("/a", "500"), ("/b", "503")):
        store.put(
            "requests_total",
            scrapes(301, 600),
            np.full(20, 2.0),
            pod="c-1",
            track="canary",
            instance="c-1:80",
            job="web",
            code=code,
            path=path,
        )
    counts = frame_of(store, plan(), until=700).canary.counts["error_rate"]
    assert counts.x.sum() == pytest.approx(4.0)


def test_bad_series_may_be_a_metric_of_their_own() -> None:
    """Errors counted elsewhere belong to the same pod and scrape."""
    errors = Family(metric="failed_total", shape=Shape.COUNTER)
    store = pair()
    store.put(
        "failed_total",
        scrapes(301, 600),
        np.full(20, 3.0),
        pod="c-1",
        track="canary",
        instance="c-1:80",
        job="web",
    )
    what = plan(bound("error_rate", Kind.RATIO, REQUESTS, bad_in=errors))
    counts = frame_of(store, what, until=700).canary.counts["error_rate"]
    assert counts.x.sum() == pytest.approx(3.0)
    assert counts.n.sum() == pytest.approx(10 * 585)


def test_failures_of_several_counters_are_added_up() -> None:
    """Tasks that failed for good and tasks that are tried again are both failures."""
    store = pair()
    failures = [
        Family(metric=name, shape=Shape.COUNTER) for name in ("failed_total", "again_total")
    ]
    for family, many in zip(failures, (3.0, 5.0), strict=True):
        store.put(
            family.metric,
            scrapes(301, 600),
            np.full(20, many),
            pod="c-1",
            track="canary",
            instance="c-1:80",
            job="web",
        )
    errors = bound("error_rate", Kind.RATIO, REQUESTS, bad_in=failures[0])
    frame = frame_of(store, plan(replace(errors, also=(failures[1],))), until=700)
    assert frame.canary.counts["error_rate"].x.sum() == pytest.approx(8.0)
    assert frame.canary.counts["error_rate"].n.sum() == pytest.approx(10 * 585)
    assert frame.control.counts["error_rate"].x.sum() == 0.0


def test_health_checks_are_left_out() -> None:
    """Probes would dilute errors; they are dropped and counted."""
    store = pair()
    serve(store, "c-1", scrapes(1, 600), rate=99, path="/healthz")
    family = Family(
        metric="requests_total",
        shape=Shape.COUNTER,
        health=(Matcher("path", MatchOp.MATCHES, "/healthz?"),),
    )
    what = plan(bound("error_rate", Kind.RATIO, family, bad=()))
    frame = frame_of(store, what, until=700)
    assert frame.canary.counts["error_rate"].n.sum() == pytest.approx(10 * 585)
    assert frame.notes["health_checks"] == 1


def test_canary_pod_is_never_control() -> None:
    """A pod that both selectors match would be compared with itself."""
    store = pair()
    what = plan()
    wide = type(what)(
        service="web",
        canary=what.canary,
        control=((Matcher("job", MatchOp.EQUAL, "web"),),),
        requests=REQUESTS,
        signals=(ERRORS,),
    )
    frame = frame_of(store, wide, until=600)
    assert (frame.canary.pods, frame.control.pods) == (("c-1",), ("s-1",))
    assert frame.canary.requests[0, 41:] == pytest.approx(np.full(37, 150.0))


def test_pods_come_in_order_of_birth() -> None:
    """The share of alpha goes by birth; equal births go by name."""
    store = pair()
    for pod, begin in (("c-9", 91.0), ("c-3", 91.0), ("c-0", 301.0)):
        serve(store, pod, scrapes(begin, 600))
    assert frame_of(store, plan(), until=600).canary.pods == ("c-1", "c-3", "c-9", "c-0")


def test_dead_pods_keep_their_rows() -> None:
    """A replaced pod is another pod; what the first one did stays."""
    store = Store()
    serve(store, "s-1", scrapes(-599, 900))
    serve(store, "c-1", scrapes(1, 300))
    serve(store, "c-2", scrapes(301, 900))
    frame = frame_of(store, plan(), until=900)
    assert frame.canary.pods == ("c-1", "c-2")
    first, second = frame.canary.requests
    assert first.sum() == pytest.approx(10 * 285)
    assert first[column(frame, frame.canary, 400) :].sum() == 0
    assert second.sum() > 0


def test_ages_and_births() -> None:
    """A pod that was there at the beginning of the data is old; others are born when first seen."""
    frame = frame_of(pair(), plan(), until=600)
    assert frame.control.born.tolist() == [-np.inf]
    assert np.isinf(frame.control.age).all()
    assert frame.canary.born.tolist() == [1.0]
    age = frame.canary.age[0]
    assert np.isnan(age[:40]).all()
    assert age[40:].tolist() == [15.0 * (at + 1) - 1.0 for at in range(38)]


def test_start_time_tells_ages_and_restarts() -> None:
    """A restart in the same pod makes it young again."""
    store = pair()
    times = scrapes(1, 600)
    started = np.where(times < 300, -4.0, 293.0)
    store.put(
        STARTED.metric, times, started, pod="c-1", track="canary", instance="c-1:80", job="web"
    )
    frame = frame_of(store, plan(start_time=STARTED), until=600)
    age = frame.canary.age[0]
    assert frame.canary.born.tolist() == [-4.0]
    assert age[column(frame, frame.canary, 150)] == 165.0 + 4.0 - 0.0
    assert age[column(frame, frame.canary, 300)] == 315.0 - 293.0


def test_restart_without_start_time_makes_young() -> None:
    """Counters that fell tell a restart too."""
    store = Store()
    serve(store, "s-1", scrapes(-599, 600))
    times = scrapes(1, 600)
    values = np.where(times < 300, 10 * times, 10 * (times - 295))
    store.put(
        "requests_total",
        times,
        values,
        pod="c-1",
        track="canary",
        instance="c-1:80",
        job="web",
        code="200",
    )
    frame = frame_of(store, plan(), until=600)
    assert frame.notes["resets"] == 1
    assert frame.canary.age[0, column(frame, frame.canary, 315)] < 40.0


def test_start_time_restart_counts_even_above_the_old_value() -> None:
    """After a known restart the counter's value is all new, though it did not fall."""
    store = Store()
    serve(store, "s-1", scrapes(-599, 600))
    times = scrapes(1, 600)
    labels = {"pod": "c-1", "track": "canary", "instance": "c-1:80", "job": "web"}
    store.put("requests_total", times, np.where(times < 300, 5.0, 7.0), code="200", **labels)
    store.put(STARTED.metric, times, np.where(times < 300, -4.0, 290.0), **labels)
    frame = frame_of(store, plan(start_time=STARTED), until=600)
    assert frame.canary.requests.sum() == pytest.approx(5.0 + 7.0)


def test_seen_is_the_share_covered() -> None:
    """A bin without scrapes around it was not seen."""
    store = Store()
    times = scrapes(-599, 600)
    serve(store, "s-1", times[(times < 100) | (times > 300)])
    frame = frame_of(store, plan(), until=600)
    seen = frame.control.seen[0]
    assert seen[1 : column(frame, frame.control, 60)] == pytest.approx(1.0)
    assert seen[column(frame, frame.control, 120) : column(frame, frame.control, 290)].sum() == 0
    assert frame.notes["gaps"] == 1


def joined_store() -> Store:
    store = pair()
    for pod, begin in (("s-1", -599.0), ("c-1", 1.0), ("other-9", -599.0)):
        times = scrapes(begin + 3, 600)
        told = {"pod": pod, "container": "web", "instance": "ksm:8080", "job": "ksm"}
        store.put("restarts_total", times, np.floor((times - begin) / 200), **told)
        store.put("cpu_seconds_total", times, 0.25 * times, **told)
        store.put("memory_bytes", times, np.full(len(times), 1e8), **told)
    return store


def test_joined_metrics_are_read_by_pod_and_assigned() -> None:
    """Container metrics know no version; they follow the pods that requests named."""
    what = plan(
        ERRORS,
        bound("restarts", Kind.EVENTS, RESTARTS),
        bound("cpu", Kind.GAUGE, CPU, load=REQUESTS),
        bound("memory", Kind.GAUGE, MEMORY),
    )
    builder = build(joined_store(), what, until=600)
    query = next(r.query for r in builder.readings() if r.family is RESTARTS)
    assert query.matchers[-1] == Matcher("pod", MatchOp.MATCHES, "c-1|s-1")
    frame = builder.frame()
    assert frame.canary.pods == ("c-1",)
    restarts = frame.canary.counts["restarts"]
    assert restarts.x.sum() == pytest.approx(2.0)
    assert restarts.n[0, -3:] == pytest.approx(np.full(3, 15 / 3600))
    assert frame.canary.gauges["cpu"][0, -3:] == pytest.approx(0.25)
    assert frame.canary.gauges["cpu.load"][0, -3:] == pytest.approx(10.0)
    assert frame.canary.gauges["memory"][0, -3:] == pytest.approx(1e8)
    assert np.isnan(frame.canary.gauges["memory"][0, :39]).all()


def test_new_pods_hold_back_freezing_until_joined_metrics_are_read() -> None:
    """A restart of a new pod cannot be lost because its name was not known yet."""
    store, what = joined_store(), plan(ERRORS, bound("restarts", Kind.EVENTS, RESTARTS))
    builder = FrameBuilder(what, start=0, step=15, history_s=600, settle_s=25.1)
    readings = builder.readings()
    assert all(reading.arm is not None for reading in readings)
    answers = [store.answer(reading, -600, 600) for reading in readings]
    assert builder.append(readings, answers, now=600) == -40
    readings = builder.readings()
    answers = [store.answer(reading, -600, 600) for reading in readings]
    assert builder.append(readings, answers, now=600) == 38


def test_many_pods_are_asked_in_hundreds() -> None:
    """No query names more than 100 pods, and names are taken literally."""
    store = Store()
    for at in range(230):
        serve(store, f"s.{at}", scrapes(-50, 100))
    builder = build(store, plan(ERRORS, bound("restarts", Kind.EVENTS, RESTARTS)), until=100)
    joined = [r.query.matchers[-1].value for r in builder.readings() if r.arm is None]
    assert [len(value.split("|")) for value in joined] == [100, 100, 30]
    assert joined[0].startswith(r"s\.0|s\.1|s\.10|")


def test_events_of_further_families_are_added() -> None:
    """OOM kills count beside restarts; a pod that has only those is exposed too."""
    store = joined_store()
    times = scrapes(4, 600)
    store.put("oom_total", times, np.where(times > 300, 1.0, 0.0), pod="c-1", container="web")
    what = plan(bound("restarts", Kind.EVENTS, RESTARTS, also=(OOM,)))
    assert frame_of(store, what, until=700).canary.counts["restarts"].x.sum() == pytest.approx(3)


def test_start_time_changes_count_as_restarts() -> None:
    """Where nothing counts restarts, a later start time is one."""
    store = pair()
    times = scrapes(1, 600)
    started = np.select([times < 200, times < 400], [-4.0, 195.0], 395.0)
    store.put(STARTED.metric, times, started, pod="c-1", track="canary", instance="c-1:80")
    what = plan(bound("restarts", Kind.EVENTS, STARTED), start_time=STARTED)
    assert frame_of(store, what, until=700).canary.counts["restarts"].x.sum() == pytest.approx(2)


def test_pod_hours_follow_the_time_scale() -> None:
    """A demo fifteen times as fast has fifteen times the pod-hours."""
    store = Store()
    serve(store, "s-1", scrapes(-40, 40, 1.0))
    store.put("restarts_total", scrapes(-40, 40, 1.0), np.zeros(80), pod="s-1")
    what = plan(bound("restarts", Kind.EVENTS, RESTARTS))
    frame = frame_of(store, what, until=40, step=1.0, history=40, time_scale=1 / 15)
    assert frame.control.counts["restarts"].n[0, -2] == pytest.approx(15 / 3600)


def test_histogram_counts_per_bucket() -> None:
    """Cumulative buckets become requests per bucket; the last is beyond all edges."""
    store = pair()
    buckets(store, "s-1", scrapes(-599, 600))
    buckets(store, "c-1", scrapes(1, 600))
    frame = frame_of(store, plan(ERRORS, LATENCY), until=600)
    histogram = frame.canary.histograms["latency"]
    assert histogram.edges.tolist() == list(EDGES)
    assert histogram.counts.shape == (1, frame.bins, 12)
    assert histogram.counts[0, -3:] == pytest.approx(np.full((3, 12), 15.0))


def test_histograms_meet_on_common_edges() -> None:
    """Arms with other buckets are compared where both can; milliseconds become seconds."""
    store = pair()
    millis = Family(metric="seconds_bucket", shape=Shape.BUCKETS, scale=0.001)
    buckets(store, "s-1", scrapes(-599, 600), (1, 2, 5, 10, 20, 50))
    buckets(store, "c-1", scrapes(1, 600), (2, 3, 5, 7, 10, 20, 100))
    frame = frame_of(store, plan(bound("latency", Kind.LATENCY, millis)), until=600)
    canary, control = (a.histograms["latency"] for a in (frame.canary, frame.control))
    assert canary.edges.tolist() == control.edges.tolist() == [0.002, 0.005, 0.01, 0.02]
    assert canary.counts[0, -2] == pytest.approx([15, 30, 30, 15, 30])
    assert control.counts[0, -2] == pytest.approx([30, 15, 15, 15, 30])


def test_an_edge_at_nought_is_left_out() -> None:
    """The usual buckets of OpenTelemetry and gRPC begin at 0, and log 0 was no verdict at all."""
    store = pair()
    for pod, begin in (("s-1", -599), ("c-1", 1)):
        buckets(store, pod, scrapes(begin, 600), (0, 0.005, 0.01, 0.1, 1))
    frame = frame_of(store, plan(ERRORS, LATENCY), until=600)
    histogram = frame.canary.histograms["latency"]
    assert histogram.edges.tolist() == [0.005, 0.01, 0.1, 1]
    assert histogram.counts[0, -2] == pytest.approx([30, 15, 15, 15, 15])


def test_too_few_common_edges_are_no_histogram() -> None:
    """Three edges in common are too few: the signal is left out, and it is said."""
    store = pair()
    buckets(store, "s-1", scrapes(-599, 600), (0.1, 0.2, 0.3, 0.4, 0.5))
    buckets(store, "c-1", scrapes(1, 600), (0.1, 0.2, 0.3, 1.4, 1.5))
    frame = frame_of(store, plan(ERRORS, LATENCY), until=600)
    assert frame.canary.histograms == {}
    assert frame.notes["incompatible_histograms"] == 1


def test_one_bucket_is_no_histogram() -> None:
    """A histogram that only counts says nothing about latency."""
    store = pair()
    buckets(store, "s-1", scrapes(-599, 600), ())
    buckets(store, "c-1", scrapes(1, 600), ())
    assert frame_of(store, plan(ERRORS, LATENCY), until=600).control.histograms == {}


def test_edges_that_change_midway() -> None:
    """A new bucket layout in the same pods counts on the edges of both."""
    store = pair()
    old, new = (0.1, 0.2, 0.3, 0.4, 0.5), (0.1, 0.2, 0.35, 0.4, 0.5)
    buckets(store, "s-1", scrapes(-599, 1), old)
    buckets(store, "s-1", scrapes(1, 600), new)
    frame = frame_of(store, plan(ERRORS, LATENCY), until=600)
    histogram = frame.control.histograms["latency"]
    assert histogram.edges.tolist() == [0.1, 0.2, 0.4, 0.5]
    assert histogram.counts[0, 5] == pytest.approx([15, 15, 30, 15, 15])
    assert histogram.counts[0, -2] == pytest.approx([15, 15, 30, 15, 15])


def test_falling_cumulative_buckets_are_clamped_and_counted() -> None:
    """A bucket below its smaller neighbour holds nothing, never less."""
    store = pair()
    times = scrapes(-599, 600)
    for le, rate in (("0.1", 3), ("0.2", 2), ("0.3", 4), ("0.4", 5), ("+Inf", 6)):
        store.put("seconds_bucket", times, rate * times, pod="s-1", track="stable", le=le)
    frame = frame_of(store, plan(ERRORS, LATENCY), until=600)
    assert frame.control.histograms["latency"].counts[0, -2] == pytest.approx([45, 0, 15, 15, 15])
    assert frame.notes["clamped"] > 0


@pytest.mark.parametrize("le", ["", "abc", "NaN"])
def test_bad_bucket_edges_are_dropped(le: str) -> None:
    """A bucket without a number is none."""
    store = pair()
    store.put("seconds_bucket", scrapes(1, 600), scrapes(1, 600), pod="c-1", track="canary", le=le)
    assert frame_of(store, plan(ERRORS, LATENCY), until=600).notes["bad_buckets"] == 1


def test_replicas_are_one() -> None:
    """Two Prometheus of a pair do not double the traffic; where one is silent the other speaks."""
    store = Store()
    times = scrapes(-599, 600)
    serve(store, "s-1", times[(times < 0) | (times > 200)], since=-599, replica="a")
    serve(store, "s-1", times + 7, since=-599, replica="b")
    frame = frame_of(store, plan(), until=600)
    assert frame.control.requests[0, 2:] == pytest.approx(np.full(76, 150.0), rel=0.02)


def test_replicas_of_gauges_are_one() -> None:
    """Memory read by two replicas is not twice the memory."""
    store = pair()
    for replica in "ab":
        store.put(
            "memory_bytes", scrapes(1, 600), np.full(40, 5.0), pod="c-1", prometheus_replica=replica
        )
    frame = frame_of(store, plan(ERRORS, bound("memory", Kind.GAUGE, MEMORY)), until=600)
    assert frame.canary.gauges["memory"][0, -2] == 5.0


def test_nan_and_infinite_samples_are_dropped_and_counted() -> None:
    """A value that is no number is no sample."""
    store = Store()
    times = scrapes(-599, 600)
    values = 10 * times
    values[10], values[20] = np.nan, np.inf
    store.put("requests_total", times, values, pod="s-1", track="stable", code="200")
    frame = frame_of(store, plan(), until=600)
    assert frame.notes["not_finite"] == 2
    assert frame.control.requests[0, 1:] == pytest.approx(np.full(77, 150.0))


def test_time_going_backwards_is_ignored() -> None:
    """Samples out of order or repeated change nothing."""
    store = Store()
    times = scrapes(-599, 600)
    serve(store, "s-1", times)
    told = store.series["requests_total"][0]
    order = np.r_[0:30, 20:30, 30 : len(times), 5:9]
    twisted = Series(labels=told.labels, times=told.times[order], values=told.values[order])
    builder = FrameBuilder(plan(), start=0, step=15, history_s=600, settle_s=25.1)
    readings = builder.readings()
    answers = [Answer(series=()), Answer(series=(twisted,))]
    builder.append(readings, answers, now=600)
    expected = frame_of(store, plan(), until=600)
    assert np.array_equal(builder.frame().control.requests, expected.control.requests)
    assert "out_of_order" not in builder.frame().notes, "each of them had been taken"


def test_now_going_backwards_changes_nothing() -> None:
    """An earlier poll after a later one cannot thaw a bin."""
    store = pair()
    builder = build(store, plan(), until=600)
    before = builder.frame().canary.requests.copy()
    store.poll(builder, 300)
    assert builder.done == 38
    assert np.array_equal(builder.frame().canary.requests, before)


def test_nothing_at_all() -> None:
    """No series is an empty frame, not an error."""
    frame = frame_of(Store(), plan(ERRORS, LATENCY), until=600)
    assert frame.canary.pods == frame.control.pods == ()
    assert frame.canary.requests.shape == (0, 78)
    assert not frame.canary.counts
    assert not frame.canary.histograms
    assert frame.canary.newest == -np.inf


def test_extremes_stay_finite() -> None:
    """10^15 requests, one pod, one sample: numbers remain numbers."""
    store = Store()
    serve(store, "s-1", scrapes(-599, 600), rate=1e15)
    serve(store, "c-1", scrapes(1, 2), rate=0.0)
    frame = frame_of(store, plan(), until=600)
    assert np.isfinite(frame.control.requests).all()
    assert frame.canary.requests.sum() == 0.0
    assert frame.canary.pods == ("c-1",)


@pytest.mark.parametrize("unit", [Unit.WORKLOAD, Unit.PROXY])
def test_workloads_are_one_row_per_arm(unit: Unit) -> None:
    """Where series stand for no pod an arm is one row; each series is cleaned before adding."""
    store = Store()
    for proxy in ("p-1", "p-2"):
        times = scrapes(-599, 600)
        serve(store, "s-1", times, instance=proxy)
        serve(store, "c-1", scrapes(1, 600), instance=proxy)
    frame = frame_of(store, plan(unit=unit), until=600)
    assert (frame.canary.pods, frame.control.pods) == (("canary",), ("control",))
    assert frame.control.requests[0, 1:] == pytest.approx(np.full(77, 300.0))


@pytest.mark.parametrize("every", [5.0, 15.0, 30.0, 60.0])
def test_scrape_interval_does_not_change_sums(every: float) -> None:
    """The same traffic read more or less often adds up to the same."""
    store = Store()
    seconds = np.arange(-600.0, 900.0)
    served = np.cumsum(5 + 3 * np.sin(seconds / 70))
    at = scrapes(-597, 890, every)
    values = np.interp(at, seconds, served)
    store.put("requests_total", at, values, pod="s-1", track="stable", code="200")
    frame = frame_of(store, plan(), until=900, step=max(15.0, every))
    ends = frame.start + (frame.first + np.array([10, frame.bins - 1])) * frame.step
    got = frame.control.requests[0, 10 : frame.bins - 1].sum()
    assert got == pytest.approx(np.diff(np.interp(ends, seconds, served))[0], rel=0.005)


def test_drop_before_keeps_later_bins() -> None:
    """Memory is given back, and what is kept stays the same."""
    store = pair(1800)
    kept = build(store, plan(), until=900)
    whole = build(store, plan(), until=900)
    kept.drop_before(20)
    for builder in (kept, whole):
        store.poll(builder, 1800)
    one, all_ = kept.frame(), whole.frame()
    assert one.first == 20
    assert np.array_equal(one.canary.requests, all_.canary.requests[:, 60:])
    assert np.array_equal(one.canary.age, all_.canary.age[:, 60:], equal_nan=True)
    assert kept.nbytes < whole.nbytes * 2


def rollout(seed: int) -> Store:
    """Everything at once: jitter, births, a restart, a gap, a second replica, joined metrics."""
    rng = np.random.default_rng(seed)
    store = Store()
    for pod, begin, end in (
        ("s-1", -600, 700),
        ("s-2", -600, 700),
        ("c-1", 5, 300),
        ("c-2", 300, 700),
    ):
        times = scrapes(begin, end) + rng.uniform(0, 2, len(scrapes(begin, end)))
        times = times[rng.random(len(times)) > 0.05]
        served = rng.poisson(40, len(times)).cumsum().astype(float)
        restart = int(rng.integers(5, len(times)))
        track = "canary" if pod.startswith("c") else "stable"
        told = {"pod": pod, "track": track, "instance": f"{pod}:80", "job": "web"}
        after = np.where(np.arange(len(times)) >= restart, served - served[restart], served)
        store.put("requests_total", times, after, code="200", **told)
        born = int(rng.integers(1, len(times)))
        store.put(
            "requests_total", times[born:], 1.0 + np.arange(len(times) - born), code="500", **told
        )
        for at, le in enumerate(("0.1", "0.2", "0.4", "0.8", "+Inf")):
            store.put("seconds_bucket", times, (at + 1) / 5 * after, le=le, **told)
        started = np.where(np.arange(len(times)) >= restart, times[restart] - 3, begin - 5.0)
        store.put(STARTED.metric, times, started, **told)
        store.put("cpu_seconds_total", times + 2.5, served / 9, pod=pod, container="web")
        store.put("memory_bytes", times + 2.5, served, pod=pod, container="web")
        store.put("restarts_total", times + 4, np.where(times > 400, 1.0, 0.0), pod=pod)
    return store  # fmt: skip


WHOLE = plan(
    ERRORS,
    LATENCY,
    bound("restarts", Kind.EVENTS, RESTARTS, also=(STARTED,)),
    bound("cpu", Kind.GAUGE, CPU, load=REQUESTS),
    bound("memory", Kind.GAUGE, MEMORY),
    bound("calls", Kind.RATE, REQUESTS),
    start_time=STARTED,
)


def same(one: Arm, two: Arm) -> bool:
    """Whether two arms agree to the bit."""
    arrays = [(one.born, two.born), (one.age, two.age), (one.seen, two.seen)]
    arrays += [(one.requests, two.requests)]
    for name, counts in one.counts.items():
        arrays += [(counts.n, two.counts[name].n), (counts.x, two.counts[name].x)]
    for name, histogram in one.histograms.items():
        arrays += [(histogram.edges, two.histograms[name].edges)]
        arrays += [(histogram.counts, two.histograms[name].counts)]
    arrays += [(gauge, two.gauges[name]) for name, gauge in one.gauges.items()]
    return _names(one) == _names(two) and all(
        np.array_equal(a, b, equal_nan=True) for a, b in arrays
    )


def _names(arm: Arm) -> tuple[object, ...]:
    return (*arm.counts, "|", *arm.histograms, "|", *arm.gauges, arm.pods, arm.newest)


@HEAVY
@given(st.integers(0, 50), st.lists(st.floats(-500, 700), max_size=10))
def test_polls_change_no_bit(seed: int, polls: list[float]) -> None:
    """More polls, other poll times, or everything at once: the same frame."""
    store = rollout(seed)
    one = build(store, WHOLE, until=700).frame()
    two = build(store, WHOLE, polls=sorted(polls), until=700).frame()
    assert same(one.canary, two.canary)
    assert same(one.control, two.control)


@HEAVY
@given(st.integers(0, 50), st.randoms(use_true_random=False))
def test_order_of_series_changes_no_bit(seed: int, random: object) -> None:
    """A source may list series in any order."""
    store, mixed = rollout(seed), rollout(seed)
    for series in mixed.series.values():
        random.shuffle(series)  # type: ignore[attr-defined]
    one, two = (build(held, WHOLE, until=700).frame() for held in (store, mixed))
    assert same(one.canary, two.canary)
    assert same(one.control, two.control)


@HEAVY
@given(st.integers(0, 50))
def test_overlap_changes_no_bit(seed: int) -> None:
    """Reading ten minutes again, or only what is new, is the same."""
    store = rollout(seed)
    frames = []
    for overlap in (1e9, 400.0):
        builder = build(store, WHOLE, until=-590)
        for now in range(-500, 701, 50):
            store.poll(builder, float(now), overlap)
        frames.append(builder.frame())
    assert same(frames[0].canary, frames[1].canary)
    assert same(frames[0].control, frames[1].control)


@HEAVY
@given(st.integers(0, 50), st.floats(-1e5, 1e9))
def test_shift_of_all_times_keeps_sums(seed: int, shift: float) -> None:
    """Nothing depends on where the clock's zero is."""
    store, moved = rollout(seed), Store()
    shift = float(round(shift / 64) * 64)
    for name, held in store.series.items():
        for series in held:
            values = series.values + (shift if name == STARTED.metric else 0.0)
            labels = {k: v for k, v in series.labels.items() if k != "__name__"}
            moved.put(name, series.times + shift, values, **labels)
    one = build(store, WHOLE, until=700).frame()
    two = build(moved, WHOLE, until=700 + shift, start=shift).frame()
    assert two.canary.requests == pytest.approx(one.canary.requests, abs=1e-3)
    assert two.canary.age == pytest.approx(one.canary.age, abs=1e-3, nan_ok=True)
