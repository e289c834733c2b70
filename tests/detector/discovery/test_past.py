"""Past rollouts, from who was there when."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from detector.discovery.matching import fits
from detector.discovery.past import (
    Ending,
    Run,
    Seen,
    Telling,
    found_rollouts,
    revision_of,
    runs,
)
from detector.selector import parse_selector

HOUR = 3600.0
DAY = 24 * HOUR
NOW = 14 * DAY
OLD = ("web-5c4b8d-x2x7k", "web-5c4b8d-b9fqz", "web-5c4b8d-m4c8t")
NEW = ("web-6d9f7c-k8w2d",)
NEXT = ("web-7f8b9d-k8w2d",)


def there(*pods: str, first: float, last: float, **labels: str) -> list[Seen]:
    """Pods that were there from one moment to another."""
    return [
        Seen(pod=pod, revision=revision_of(pod, "pod", labels), first=first, last=last)
        for pod in pods
    ]


def told(*seen: list[Seen], gap_s: float = 900.0, since: float = 0.0) -> tuple[Telling, ...]:
    """The rollouts among these pods."""
    found = runs([one for group in seen for one in group], "pod", gap_s=gap_s)
    return found_rollouts("web", found, since=since, now=NOW)


def test_a_canary_that_takes_over_is_a_promoted_rollout() -> None:
    """The usual one."""
    (one,) = told(
        there(*OLD, first=-DAY, last=5 * DAY + 2400), there(*NEW, first=5 * DAY, last=NOW)
    )
    assert (one.start, one.until, one.ending) == (5 * DAY, 5 * DAY + 2400, Ending.PROMOTED)
    assert (one.new.selector, one.old.selector) == (
        '{pod=~"web-6d9f7c-.+"}',
        '{pod=~"web-5c4b8d-.+"}',
    )
    assert (one.new.name, one.new.by) == ("web-6d9f7c", "pod hash")


def test_a_canary_that_goes_again_was_rolled_back() -> None:
    """What a person did is what the gate is compared with."""
    (one,) = told(there(*OLD, first=-DAY, last=NOW), there(*NEW, first=DAY, last=DAY + 1200))
    assert (one.until, one.ending) == (DAY + 1200, Ending.ROLLED_BACK)


def test_a_rollout_under_way_is_open() -> None:
    """Nobody knows yet."""
    (one,) = told(there(*OLD, first=-DAY, last=NOW), there(*NEW, first=NOW - 1200, last=NOW))
    assert one.ending is Ending.OPEN


def test_a_long_rollout_is_looked_at_for_an_hour() -> None:
    """A bake of a week would be a week of samples."""
    (one,) = told(there(*OLD, first=-DAY, last=9 * DAY), there(*NEW, first=DAY, last=NOW))
    assert one.until == DAY + HOUR


def test_an_autoscaler_makes_no_rollout() -> None:
    """More pods of the same revision."""
    assert not told(
        there(*OLD, first=-DAY, last=NOW),
        there("web-5c4b8d-h7k2w", first=DAY, last=2 * DAY),
    )


def test_a_revision_that_was_there_at_the_begin_of_what_is_kept_has_no_begin() -> None:
    """Its rollout is older than the data."""
    assert not told(there(*OLD, first=-DAY, last=NOW), there(*NEW, first=0.0, last=NOW))


def test_a_service_that_began_has_no_rollout() -> None:
    """There was nothing to compare with."""
    assert not told(there(*OLD, first=DAY, last=NOW))


def test_versions_that_never_met_are_no_rollout() -> None:
    """A recreate: the old went before the new came."""
    assert not told(there(*OLD, first=-DAY, last=DAY), there(*NEW, first=DAY + 60, last=NOW))


def test_a_return_to_an_older_revision_is_told() -> None:
    """A rollback is a rollout, too."""
    first, second = told(
        there(*OLD, first=-DAY, last=DAY + 1200),
        there(*NEW, first=DAY, last=3 * DAY + 1200),
        there("web-5c4b8d-h7k2w", first=3 * DAY, last=NOW),
    )
    assert (first.is_return, second.is_return) == (False, True)
    assert second.new.selector == '{pod=~"web-5c4b8d-.+"}'


def test_three_in_a_row_are_three() -> None:
    """Each against the one before it."""
    found = told(
        there(*OLD, first=-DAY, last=DAY + 1200),
        there(*NEW, first=DAY, last=2 * DAY + 1200),
        there(*NEXT, first=2 * DAY, last=NOW),
    )
    assert [(one.new.name, one.old.name) for one in found] == [
        ("web-6d9f7c", "web-5c4b8d"),
        ("web-7f8b9d", "web-6d9f7c"),
    ]


def test_another_workload_of_the_service_is_no_control() -> None:
    """A worker is not compared with a server."""
    worker = ("worker-5c4b8d-x2x7k", "worker-5c4b8d-b9fqz")
    assert not told(there(*worker, first=-DAY, last=NOW), there(*NEW, first=DAY, last=NOW))


def test_a_primary_is_the_control_of_its_workload() -> None:
    """Flagger's stable pods are called otherwise."""
    primary = ("web-primary-5c4b8d-x2x7k",)
    (one,) = told(there(*primary, first=-DAY, last=NOW), there(*NEW, first=DAY, last=DAY + 1800))
    assert one.old.selector == '{pod=~"web-primary-5c4b8d-.+"}'


def test_a_version_label_tells_revisions_where_names_do_not() -> None:
    """A StatefulSet, or machines."""
    (one,) = told(
        there("vm-1", "vm-2", first=-DAY, last=NOW, version="1.4"),
        there("vm-3", first=DAY, last=DAY + 1800, version="1.5"),
    )
    assert (one.new.selector, one.new.by) == ('{version="1.5"}', "version label")


def test_pods_that_started_together_are_told_by_their_start_times() -> None:
    """Machines without version whose like went when they came."""
    (one,) = told(
        there("vm-1", "vm-2", first=-DAY, last=DAY + 1800),
        there("vm-7", first=DAY, last=NOW),
        there("vm-8", first=DAY + 120, last=NOW),
    )
    assert (one.new.by, one.new.pods) == ("start times", frozenset({"vm-7", "vm-8"}))


def test_machines_that_are_added_are_no_rollout() -> None:
    """The old ones stayed."""
    assert not told(there("vm-1", "vm-2", first=-DAY, last=NOW), there("vm-7", first=DAY, last=NOW))


def test_a_hash_label_goes_before_the_name() -> None:
    """What the controller says."""
    told_by = revision_of(OLD[0], "pod", {"pod_template_hash": "abc"})
    assert told_by is not None
    assert (told_by.label, told_by.value) == ("pod_template_hash", "abc")


@given(
    st.lists(
        st.tuples(st.integers(0, 4), st.floats(0, NOW - 1), st.floats(60, 3 * DAY)),
        min_size=1,
        max_size=12,
    ),
    st.randoms(use_true_random=False),
)
def test_the_order_of_pods_changes_nothing(
    drawn: list[tuple[int, float, float]], order: object
) -> None:
    """Two sources list them otherwise."""
    seen = [
        one
        for number, (revision, first, length) in enumerate(drawn)
        for one in there(
            f"web-{'bcdfg'[revision] * 6}-{'bcdfghjklmnp'[number] * 5}",
            first=first,
            last=min(first + length, NOW),
        )
    ]
    mixed = list(seen)
    order.shuffle(mixed)  # type: ignore[attr-defined]
    assert told(seen) == told(mixed)


@given(
    st.lists(
        st.tuples(st.integers(0, 3), st.floats(0, NOW - 1), st.floats(60, 3 * DAY)),
        min_size=1,
        max_size=12,
    )
)
def test_every_rollout_has_both_sides_while_it_lasts(
    drawn: list[tuple[int, float, float]],
) -> None:
    """Nothing is asked of the gate that could not be compared."""
    seen = [
        one
        for number, (revision, first, length) in enumerate(drawn)
        for one in there(
            f"web-{'bcdf'[revision] * 6}-{'bcdfghjklmnp'[number] * 5}",
            first=first,
            last=min(first + length, NOW),
        )
    ]
    for one in told(seen):
        assert one.new.revision != one.old.revision
        assert one.old.first < one.start < one.until
        assert one.until <= min(one.new.last, one.old.last)
        for run in (one.new, one.old):
            assert all(fits(parse_selector(run.selector), {"pod": pod}) for pod in run.pods)


def test_a_run_is_a_value() -> None:
    """It is kept and compared."""
    (one,) = runs(there(*NEW, first=1.0, last=2.0), "pod", gap_s=60)
    assert one == Run(
        revision=one.revision, pods=frozenset(NEW), first=1.0, last=2.0, by="pod hash"
    )
