"""Only what is new: whatever polls overlap, each sample is taken once and in its order."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from detector.series import Answer, Columns, Query, Series
from detector.signals.plan import ArmName, Family, Reading
from detector.signals.signal import Shape
from pipelines.flows.fresh import Fresh

FAMILY = Family(metric="requests_total", shape=Shape.COUNTER)
OTHER = Family(metric="seconds_bucket", shape=Shape.BUCKETS)
Samples = Mapping[str, Sequence[float]]


def reading(family: Family = FAMILY, arm: ArmName | None = ArmName.CANARY) -> Reading:
    return Reading(family=family, arm=arm, query=Query(family.metric))


def answer(samples: Samples, *, flat: bool = False, warnings: tuple[str, ...] = ()) -> Answer:
    """Series by pod with samples at these times; `flat` as the source's arrays."""
    series = tuple(
        Series(
            labels={"pod": pod},
            times=np.array(times, dtype=np.float64),
            values=np.array(times, dtype=np.float64) * 2,
        )
        for pod, times in samples.items()
    )
    return Answer(series=Columns.of(series) if flat else series, warnings=warnings)


def told(found: Answer) -> dict[str, list[float]]:
    """Times by pod; the values must be theirs."""
    for series in found.series:
        np.testing.assert_array_equal(series.values, series.times * 2)
    return {series.labels["pod"]: series.times.tolist() for series in found.series}


def fed(fresh: Fresh, samples: Samples, *, flat: bool = False) -> dict[str, list[float]]:
    """What is new of one answer, which is then taken."""
    (new,) = fresh.new([reading()], [answer(samples, flat=flat)])
    fresh.take([reading()], [new])
    return told(new)


def test_the_first_answer_is_all_new() -> None:
    """The history before the start is read once and for all."""
    assert fed(Fresh(), {"a": [1.0, 2.0], "b": [1.5]}) == {"a": [1.0, 2.0], "b": [1.5]}


def test_the_overlap_is_taken_out() -> None:
    """Ten minutes are read again at each poll, so that late samples are not lost."""
    fresh = Fresh()
    fed(fresh, {"a": [1.0, 2.0], "b": [1.0]})
    assert fed(fresh, {"a": [1.0, 2.0, 3.0], "b": [1.0]}) == {"a": [3.0]}
    assert fed(fresh, {"a": [2.0, 3.0], "b": [1.0]}) == {}


def test_a_sample_older_than_one_that_was_taken_is_too_late() -> None:
    """A replica that lags behind does not make time run backwards."""
    fresh = Fresh()
    fed(fresh, {"a": [5.0]})
    assert fed(fresh, {"a": [3.0, 4.0, 5.0, 6.0]}) == {"a": [6.0]}


def test_what_was_only_looked_at_is_still_new() -> None:
    """A poll whose samples could not be stored is read again; nothing was fed, nothing is lost."""
    fresh = Fresh()
    asked, said = [reading()], [answer({"a": [1.0, 2.0]})]
    first, second = fresh.new(asked, said), fresh.new(asked, said)
    assert told(first[0]) == told(second[0]) == {"a": [1.0, 2.0]}


def test_arms_and_families_are_told_apart() -> None:
    """The same pod's labels in another metric, or on the other side, are other series."""
    fresh = Fresh()
    readings = [reading(), reading(OTHER), reading(arm=ArmName.CONTROL), reading(arm=None)]
    fresh.take(readings[:1], [answer({"a": [9.0]})])
    new = fresh.new(readings, [answer({"a": [5.0]})] * 4)
    assert [told(one) for one in new] == [{}, {"a": [5.0]}, {"a": [5.0]}, {"a": [5.0]}]


def test_two_questions_of_one_family_share_what_was_taken() -> None:
    """A selector in two spellings gives the same pods twice; they are counted once."""
    fresh = Fresh()
    twice = [reading(), Reading(family=FAMILY, arm=ArmName.CANARY, query=Query("x"))]
    fresh.take(twice[:1], [answer({"a": [1.0]})])
    assert told(fresh.new(twice[1:], [answer({"a": [1.0]})])[0]) == {}


def test_warnings_are_kept_where_nothing_is_new() -> None:
    """A source that says it may be missing series is heard also in a quiet minute."""
    fresh = Fresh()
    fed(fresh, {"a": [1.0]})
    (new,) = fresh.new([reading()], [answer({"a": [1.0]}, warnings=("a store is down",))])
    assert (told(new), new.warnings) == ({}, ("a store is down",))


def test_an_empty_answer_is_empty() -> None:
    """No pod yet, or a series without samples."""
    assert fed(Fresh(), {}) == {}
    assert fed(Fresh(), {"a": [], "b": [1.0]}) == {"b": [1.0]}


TIMES = st.lists(st.integers(1, 60).map(float), unique=True, max_size=25).map(sorted)
PODS = st.dictionaries(st.sampled_from("abc"), TIMES, max_size=3)
POLLS = st.lists(st.tuples(st.integers(0, 60), st.integers(0, 30)), max_size=8)


def windows(polls: Iterable[tuple[int, int]]) -> list[tuple[float, float]]:
    """Spans that are asked for: each ends no earlier than the last, and reaches back to it."""
    ends = sorted(end for end, _ in polls)
    begins = [0, *ends[:-1]]
    backs = [back for _, back in polls]
    return [(max(0.0, b - back), e) for b, back, e in zip(begins, backs, ends, strict=False)]


@given(PODS, POLLS, st.booleans())
def test_each_sample_is_taken_once_whatever_is_polled(
    pods: Samples, polls: list[tuple[int, int]], flat: bool
) -> None:
    """Polled often or seldom, with any overlap, the judge hears the same samples in order."""
    fresh, heard = Fresh(), dict[str, list[float]]()
    spans = windows(polls)
    for begin, end in spans:
        seen = {pod: [t for t in times if begin < t <= end] for pod, times in pods.items()}
        for pod, times in fed(fresh, seen, flat=flat).items():
            heard.setdefault(pod, []).extend(times)
    last = max((end for _, end in spans), default=0.0)
    whole = {pod: [t for t in times if t <= last] for pod, times in pods.items()}
    assert heard == {pod: times for pod, times in whole.items() if times}


@given(PODS, st.randoms(use_true_random=False))
def test_the_order_of_series_is_no_matter(pods: Samples, draws: object) -> None:
    """A source may list its series in another order at each poll."""
    one, other = Fresh(), Fresh()
    half = {pod: [t for t in times if t <= 30] for pod, times in pods.items()}
    fed(one, half)
    fed(other, half)
    listed = list(pods.items())
    draws.shuffle(listed)  # type: ignore[attr-defined]
    assert fed(other, dict(listed)) == fed(one, pods)
