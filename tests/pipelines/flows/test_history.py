"""Past rollouts, dug out of a source by few queries."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache

import numpy as np
import pytest

from detector.discovery.census import census
from detector.discovery.looking import Look
from detector.discovery.past import Ending
from detector.discovery.survey import views
from detector.gate.request import Stage
from detector.series import Query
from pipelines.flows.history import Dug, History, past_rollout
from pipelines.packs import load_packs
from pipelines.sources.memory import MemorySource
from pipelines.testing import FakeSource, Fault
from tests.pipelines.flows.weeks import DAY_S, NOW, Life, company

PROMOTED, BACK, SHORT = NOW - 2 * DAY_S + 1234, NOW - DAY_S + 700, NOW - 5 * 3600 + 400


@cache
def past() -> MemorySource:
    """One that was promoted, one taken back, one of minutes, and one that never changed."""
    ends = ("bbbbb", "ccccc", "ddddd")
    web = [Life(service="web", pod=f"web-5c4b8d-{end}", end=PROMOTED + 2400) for end in ends]
    web += [Life(service="web", pod=f"web-6d9f7c-{end}", begin=PROMOTED) for end in ends]
    cart = [Life(service="cart", pod=f"cart-5c4b8d-{end}") for end in ends]
    cart += [Life(service="cart", pod="cart-7f8b9d-bbbbb", begin=BACK, end=BACK + 5000)]
    pay = [Life(service="pay", pod=f"pay-5c4b8d-{end}") for end in ends]
    pay += [Life(service="pay", pod="pay-8c9d7f-bbbbb", begin=SHORT, end=SHORT + 900)]
    idle = [Life(service="idle", pod=f"idle-5c4b8d-{end}") for end in ends]
    return company([*web, *cart, *pay, *idle])


class Counted(FakeSource):
    """A source that counts what it is asked."""

    def __init__(self, store: MemorySource) -> None:
        super().__init__(store)
        self.series_calls = 0
        self.outlined: list[Query] = []

    def series(
        self, queries: Sequence[Query], start: float, end: float, *, timeout_s: float
    ) -> Sequence[Mapping[str, str]]:
        """Counted."""
        self.series_calls += 1
        return super().series(queries, start, end, timeout_s=timeout_s)


def dug(source: FakeSource, *, days: float = 3.0, most: int = 20) -> Dug:
    """What is found of all services."""
    look = Look(catalog=source, start=NOW - days * DAY_S + 3600, end=NOW, timeout_s=9)
    found = census(
        Look(catalog=source, start=NOW, end=NOW, timeout_s=9),
        load_packs(),
        names=source.metrics(timeout_s=9),
    )
    held, _ = views(look, load_packs(), found.sightings, whole=True)
    history = History(look=look, source=source, left_s=lambda: 9.0)
    return history.dig({name: one[0] for name, one in held.items()}, most=most)


def test_every_rollout_is_found_with_its_begin_to_the_sample() -> None:
    """A begin that is an hour off would be judged on other pods."""
    found = {one.service: one for one in dug(FakeSource(past())).read}
    assert set(found) == {"web", "cart", "pay"}
    begins = {"web": PROMOTED, "cart": BACK, "pay": SHORT}
    for name, begin in begins.items():
        assert 0 <= found[name].start - begin < 31, name


def test_what_became_of_each_is_told() -> None:
    """It is what the gate is compared with."""
    found = {one.service: one for one in dug(FakeSource(past())).read}
    assert found["web"].ending is Ending.PROMOTED
    assert found["cart"].ending is Ending.ROLLED_BACK
    assert found["web"].until == pytest.approx(PROMOTED + 2400, abs=31)
    assert found["cart"].until == found["cart"].start + 3600


def test_a_canary_of_minutes_between_two_full_hours_is_found() -> None:
    """Most bad releases are taken back within the hour."""
    found = {one.service: one for one in dug(FakeSource(past())).read}
    assert found["pay"].until - found["pay"].start == pytest.approx(870, abs=60)


def test_the_newest_are_read_and_the_others_named() -> None:
    """Hundreds of rollouts must not take hours."""
    one = dug(FakeSource(past()), most=1)
    assert [rollout.service for rollout in one.read] == ["pay"]
    assert {rollout.service for rollout in one.unread} == {"web", "cart"}


def test_few_queries_are_asked() -> None:
    """We are guests: a service that never changed is not read at all."""
    source = Counted(past())
    dug(source)
    assert len(source.reads) <= 3
    assert source.series_calls <= 12
    assert not any("idle" in str(query) for read in source.reads for query in read.queries)


def test_what_is_older_than_what_is_looked_at_is_not_made_up() -> None:
    """A day back there are two."""
    assert {one.service for one in dug(FakeSource(past()), days=0.9).read} == {"pay"}


def test_a_source_that_fails_in_the_midst_is_told_and_the_rest_is_found() -> None:
    """One refused read is one rollout less."""
    source = FakeSource(past())
    look = Look(catalog=source, start=NOW - 3 * DAY_S + 3600, end=NOW, timeout_s=9)
    found = census(
        Look(catalog=source, start=NOW, end=NOW, timeout_s=9),
        load_packs(),
        names=source.metrics(timeout_s=9),
    )
    held, _ = views(look, load_packs(), found.sightings, whole=True)
    history = History(look=look, source=source, left_s=lambda: 9.0)
    only = {name: held[name][0] for name in ("web", "cart")}
    source.script(Fault.NONE, Fault.REJECTED)
    one = history.dig(only, most=20)
    assert len(one.read) == 1
    assert len(one.skipped) == 1
    assert "refuse" in one.skipped[0].why or "reject" in one.skipped[0].why


def test_a_rollout_is_asked_of_the_gate_as_a_controller_would() -> None:
    """Both arms named, from its begin to its end."""
    telling = next(one for one in dug(FakeSource(past())).read if one.service == "web")
    made = past_rollout(telling)
    assert made.request.canary == '{pod=~"web-6d9f7c-.+"}'
    assert made.request.control == '{pod=~"web-5c4b8d-.+"}'
    assert (made.start, made.end) == (telling.start, telling.until)
    assert made.request.stage is Stage.STEP


def test_a_version_of_the_request_makes_no_rollouts() -> None:
    """Clients send theirs: each pod serves all of them, and they come and go all day."""
    held = MemorySource(retention_s=1e9)
    for pod in ("vm-1", "vm-2"):
        for number, version in enumerate(("ios-1", "ios-2", "ios-3")):
            begin = NOW - 2 * DAY_S + number * 9 * 3600
            times = np.arange(begin, begin + 20 * 3600, 60.0)
            labels = {
                "__name__": "http_requests_total",
                "service": "api",
                "pod": pod,
                "code": "200",
                "version": version,
            }
            held.add(labels, times, 60.0 * np.arange(len(times)))
    found = dug(FakeSource(held))
    assert found.read == found.unread == ()


def test_a_version_label_of_pods_tells_their_rollout() -> None:
    """Machines whose names tell nothing."""
    held = MemorySource(retention_s=1e9)
    for pod, version, begin in (
        ("vm-1", "1.4", NOW - 2.9 * DAY_S),
        ("vm-2", "1.4", NOW - 2.9 * DAY_S),
        ("vm-3", "1.5", NOW - DAY_S + 77),
    ):
        times = np.arange(begin, NOW, 60.0)
        labels = {
            "__name__": "http_requests_total",
            "service": "api",
            "pod": pod,
            "code": "200",
            "version": version,
        }
        held.add(labels, times, 60.0 * np.arange(len(times)))
    (one,) = dug(FakeSource(held)).read
    assert (one.new.selector, one.new.by) == ('{version="1.5"}', "version label")
    assert one.start == pytest.approx(NOW - DAY_S + 77)
