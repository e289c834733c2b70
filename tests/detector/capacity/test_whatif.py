"""What if."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from detector.capacity.assessed import DriverModel
from detector.capacity.resource import Kind, Limit
from detector.capacity.whatif import Load, LoadOf, Resized, WhatIf, carried, loaded, parse, resized
from detector.errors import InputError
from models.baseline.calendar import DAY_MS
from tests.detector.capacity.worlds import NOW, disk, web

FIRST = 1_793_836_800_000  # 5 November 2026.
AT = NOW + DAY_MS * np.arange(10, dtype=np.int64) + DAY_MS // 2
MODEL = DriverModel(
    name="requests/s",
    base=1.0,
    slope=0.01,
    slope_low=0.01,
    slope_high=0.01,
    explained=1.0,
    seen=300.0,
)


def on(
    paths: np.ndarray, *what_ifs: WhatIf, kind: Kind = Kind.CPU, model: DriverModel | None = None
) -> np.ndarray:
    """With these on them."""
    return loaded(paths, AT, what_ifs, kind, model, np.random.default_rng(0))


@pytest.mark.parametrize(
    ("text", "of", "factor", "since", "until"),
    [
        ("traffic +40% from 2026-11-05", LoadOf.TRAFFIC, 1.4, FIRST, None),
        ("traffic +40 % from 5 November", LoadOf.TRAFFIC, 1.4, FIRST, None),
        ("traffic -25%", LoadOf.TRAFFIC, 0.75, None, None),
        ("traffic x3 from 5 Nov to 6 Nov", LoadOf.TRAFFIC, 3.0, FIRST, FIRST + 2 * DAY_MS),
        ("usage +12%", LoadOf.USAGE, 1.12, None, None),
        ("zones 3->2", LoadOf.TRAFFIC, 1.5, None, None),
        ("zones 3 -> 2 from 2026-11-05", LoadOf.TRAFFIC, 1.5, FIRST, None),
        ("  usage   *2  until 5 November ", LoadOf.USAGE, 2.0, None, FIRST + DAY_MS),
    ],
)  # fmt: skip
def test_loads_are_read(
    text: str, of: LoadOf, factor: float, since: int | None, until: int | None
) -> None:
    """As people say them."""
    found = parse(text, now=NOW)
    assert isinstance(found, Load)
    assert (found.of, found.since, found.until, found.kind) == (of, since, until, None)
    assert (found.factor, found.low, found.high) == pytest.approx((factor, factor, factor))
    assert found.text == " ".join(text.split())


def test_limits_are_read_with_their_unit_or_as_a_share() -> None:
    """Of one kind, or of any."""
    assert parse("disk: limit 200GiB from 2026-11-05", now=NOW) == Resized(
        amount="200GiB", since=FIRST, kind=Kind.DISK, text="disk: limit 200GiB from 2026-11-05"
    )
    found = parse("limit +50%", now=NOW)
    assert isinstance(found, Resized)
    assert (found.factor, found.amount) == (1.5, "")


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "is no what-if: write"),
        ("more traffic", "is no what-if: write"),
        ("traffic 40%", "is no what-if"),
        ("traffic +40", "is no what-if"),
        ("traffic -100%", "above 0 and at most 1000"),
        ("traffic x0", "above 0"),
        ("traffic x5000", "at most 1000"),
        ("traffic x1.2.3", "is no number"),
        ("traffic +1% from never", "is no date"),
        ("traffic +1% from 2026-12-05 to 2026-12-01", "ends before it begins"),
        ("traffic +1% to 2020-01-01", "ends before it begins"),
        ("zones 0->2", "at least one"),
        ("zones 3->0", "at least one"),
        ("limit 50%", r"write \+50% or an amount"),
        ("limit -5GiB", "above 0"),
        ("limit 200GiB from 2026-11-05 to 2026-11-06", "a from, and no to"),
        ("discs: limit 200GiB", "is no kind; these are: cpu, memory"),
        ("usage +1%" + " " * 3 + "x" * 300, "characters"),
    ],
)
def test_what_cannot_be_meant_is_refused(text: str, why: str) -> None:
    """With the field and what would be right."""
    with pytest.raises(InputError, match=why) as refused:
        parse(text, now=NOW)
    assert refused.value.field == "what_if"


def test_a_campaign_is_a_load_between_two_days() -> None:
    """Before and after it is as it was."""
    campaign = parse("traffic +100% from 2026-11-02 to 2026-11-04", now=NOW)
    assert on(np.full((2, 10), 3.0), campaign)[0].tolist() == [3, 3, 6, 6, 6, 3, 3, 3, 3, 3]


def test_traffic_goes_through_the_driver() -> None:
    """The base does not grow with it, and beyond the knee it costs more."""
    more = parse("traffic +50%", now=NOW)
    assert on(np.full((1, 10), 3.0), more, model=MODEL)[0, 0] == pytest.approx(4.0)
    bent = replace(MODEL, knee=250.0, bend=0.02)
    assert on(np.full((1, 10), 3.0), more, model=bent)[0, 0] == pytest.approx(5.0)
    assert on(np.full((1, 10), 3.0), more)[0, 0] == pytest.approx(4.5)


def test_usage_is_multiplied_as_a_whole() -> None:
    """Whatever drives it."""
    assert on(np.full((1, 10), 3.0), parse("usage +50%", now=NOW), model=MODEL)[0, 0] == 4.5


def test_traffic_fills_a_disk_faster_and_not_at_once() -> None:
    """What is on it stays what it is."""
    paths = np.arange(100.0, 110.0)[None]
    found = on(paths, parse("traffic +100% from 2026-11-03", now=NOW), kind=Kind.DISK)
    assert found[0].tolist() == [100, 101, 102, 104, 106, 108, 110, 112, 114, 116]


def test_licences_do_not_follow_traffic() -> None:
    """Nor what is said of another kind."""
    paths = np.full((1, 10), 3.0)
    assert (on(paths, parse("traffic x3", now=NOW), kind=Kind.LICENCES) == paths).all()
    assert (on(paths, parse("memory: usage x3", now=NOW)) == paths).all()


def test_an_effect_is_carried_with_its_doubt() -> None:
    """Nine futures of ten within its bounds."""
    effect = carried(1.12, 1.05, 1.2)
    found = on(np.ones((4000, 10)), effect)[:, 0]
    assert np.median(found) == pytest.approx(1.12, abs=0.005)
    assert ((found > 1.05) & (found < 1.2)).mean() == pytest.approx(0.9, abs=0.02)
    assert effect.text == "the canary's +12 % for all traffic"


def test_what_the_canary_uses_already_is_not_counted_twice() -> None:
    """At half of the traffic, half of it is in the usage."""
    assert carried(1.2, 1.2, 1.2, weight=0.5).factor == pytest.approx(1.2 / 1.1)


@pytest.mark.parametrize(
    ("value", "low", "high", "weight"),
    [
        (1.1, 1.2, 1.3, 0.0),
        (1.1, 1.0, 1.05, 0.0),
        (1.1, 1.0, 1.2, 1.0),
        (1.1, 1.0, 1.2, -0.1),
        (1.1, 0.0, 1.2, 0.0),
    ],
)
def test_what_is_no_effect_is_refused(value: float, low: float, high: float, weight: float) -> None:
    """Bounds out of order, or a weight that is none."""
    with pytest.raises(InputError):
        carried(value, low, high, weight=weight)


def test_a_limit_is_changed_from_its_day_on() -> None:
    """In the resource's own unit."""
    found = resized(disk(limit=200.0), [parse("limit 300GiB from 2026-11-05", now=NOW)], NOW)
    assert found is not None
    assert (found.at(FIRST - 1), found.at(FIRST), found.now) == (200.0, 300.0, 200.0)
    share = resized(disk(limit=200.0), [parse("limit +50%", now=NOW)], NOW)
    assert share is not None
    assert (share.at(NOW - 1), share.at(NOW)) == (200.0, 300.0)


def test_what_was_planned_for_later_is_replaced_by_a_what_if() -> None:
    """And what was planned for before it stays."""
    limit = Limit(steps=((0, 200.0),), planned=((NOW + DAY_MS, 210.0), (FIRST + DAY_MS, 220.0)))
    found = resized(disk(limit=limit), [parse("limit 300 from 2026-11-05", now=NOW)], NOW)
    assert found is not None
    assert found.planned == ((NOW + DAY_MS, 210.0), (FIRST, 300.0))


def test_an_amount_of_another_unit_is_refused() -> None:
    """Cores are no GiB; with its kind it is kept from them."""
    with pytest.raises(InputError, match="GiB is not counted in cores"):
        resized(web(), [parse("limit 200GiB", now=NOW)], NOW)
    kept = resized(web(), [parse("disk: limit 200GiB", now=NOW)], NOW)
    assert kept == web().limit


@given(
    by=st.tuples(st.integers(-90, 300), st.integers(-90, 300)),
    of=st.sampled_from(LoadOf),
    kind=st.sampled_from(Kind),
)
def test_more_load_is_never_less_usage(by: tuple[int, int], of: LoadOf, kind: Kind) -> None:
    """Of any kind, with a driver or without."""
    paths = 3 + np.random.default_rng(1).normal(0, 0.5, (20, 10)).cumsum(axis=1).clip(0)
    less, more = (
        [
            on(paths, parse(f"{of} {one:+d}%", now=NOW), kind=kind, model=model)
            for model in (None, MODEL)
        ]
        for one in sorted(by)
    )
    assert all((low <= high + 1e-9).all() for low, high in zip(less, more, strict=True))


@given(text=st.text(max_size=60))
def test_no_text_breaks_the_parser(text: str) -> None:
    """It is understood, or refused by an error that names its field."""
    with suppress(InputError):
        assert isinstance(parse(text, now=NOW), Load | Resized)
