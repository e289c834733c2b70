"""What a source costs, for whom, and how its clock stands to ours."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from email.utils import formatdate

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from detector.errors import SourceError
from detector.series import Query
from pipelines.sources.cost import Cost, Skew
from pipelines.sources.metered import ACCOUNTS_MAX, Charge, MeteredSource, charged_to
from pipelines.testing import FakeSource, Fault

UP = Query("up")


def metered() -> tuple[MeteredSource, FakeSource]:
    """Three samples of one series."""
    source = FakeSource()
    source.store.add({"__name__": "up", "pod": "p"}, np.arange(1.0, 4.0), np.ones(3))
    return MeteredSource(source), source


def test_totals_of_many_threads_add_up() -> None:
    """Four readers at once lose no count."""
    cost = Cost()

    def one(at: int) -> None:
        cost.exchanged(seconds=0.5, size=10, failed=at % 2 == 0)
        cost.retried()
        cost.answered(series=2, samples=20)

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(one, range(400)))
    assert (cost.queries, cost.failures, cost.retries, cost.bytes) == (400, 200, 400, 4000)
    assert (cost.series, cost.samples, cost.seconds) == (800, 8000, 200.0)


def test_each_rollout_has_its_account() -> None:
    """Which rollout loads the Prometheus can be seen; what nobody is behind is `other`."""
    source, _ = metered()
    with charged_to("checkout"):
        source.read([UP, Query("nothing")], 0.0, 10.0, timeout_s=1.0)
        with charged_to("cart"):
            source.series([UP], 0.0, 10.0, timeout_s=1.0)
        source.label_values("pod", [UP], 0.0, 10.0, timeout_s=1.0)
    source.metrics(timeout_s=1.0)
    assert source.charges == {"checkout": Charge(3, 3), "cart": Charge(1, 0), "other": Charge(1, 0)}


def test_a_failed_read_is_charged_too() -> None:
    """What a source was asked it was asked, whether or not it answered."""
    source, fake = metered()
    fake.script(Fault.DOWN)
    with charged_to("checkout"), pytest.raises(SourceError):
        source.read([UP, UP], 0.0, 10.0, timeout_s=1.0)
    assert source.charges == {"checkout": Charge(2, 0)}


def test_the_account_is_closed_after_an_error() -> None:
    """The next question of the thread is not charged to the one that failed."""
    source, _ = metered()
    with pytest.raises(ZeroDivisionError), charged_to("checkout"):
        raise ZeroDivisionError
    source.metrics(timeout_s=1.0)
    assert source.charges == {"other": Charge(1, 0)}


def test_threads_have_accounts_of_their_own() -> None:
    """Two rollouts polled at once do not pay for each other."""
    source, _ = metered()

    def ask(name: str) -> None:
        with charged_to(name):
            for _ in range(50):
                source.read([UP], 0.0, 10.0, timeout_s=1.0)

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(ask, "abcd"))
    assert source.charges == {name: Charge(50, 150) for name in "abcd"}


def test_rollouts_without_end_share_one_account() -> None:
    """Memory and exposed series are bounded, and nothing is lost from the sum."""
    source, _ = metered()
    for number in range(ACCOUNTS_MAX + 30):
        with charged_to(f"r{number}"):
            source.metrics(timeout_s=1.0)
    assert len(source.charges) == ACCOUNTS_MAX + 1
    assert source.charges["other"] == Charge(30, 0)
    assert sum(c.queries for c in source.charges.values()) == ACCOUNTS_MAX + 30


def date(at: float) -> str:
    return formatdate(at, usegmt=True)


@given(st.floats(1e9, 2e9), st.floats(-1e4, 1e4), st.floats(0.0, 5.0), st.floats(0.0, 1.0))
def test_the_truth_lies_within_the_error(now: float, ahead: float, took: float, at: float) -> None:
    """Whenever in the exchange the source read its clock, the bound holds."""
    skew = Skew()
    skew.observe(date(int(now + at * took + ahead)), sent=now, received=now + took)
    assert skew.seconds is not None
    assert abs(skew.seconds - ahead) <= skew.error_s + 1e-3


@pytest.mark.parametrize("said", [None, "", "yesterday", "Thu, 99 Nov 2026 12:00:00 GMT"])
def test_no_date_tells_nothing(said: str | None) -> None:
    """A proxy without the header, or with nonsense in it, does not become a clock."""
    skew = Skew()
    skew.observe(said, sent=1.0, received=2.0)
    assert (skew.seconds, skew.error_s) == (None, float("inf"))


def test_the_sharpest_reply_is_kept_until_it_is_old() -> None:
    """A slow reply does not blur what a fast one told; after five minutes clocks have drifted."""
    skew, start = Skew(), 1_700_000_000.0
    skew.observe(date(start), sent=start, received=start)
    skew.observe(date(start + 60), sent=start, received=start + 4)
    assert (skew.seconds, skew.error_s) == (0.5, 0.5)
    skew.observe(date(start + 400), sent=start + 399, received=start + 403)
    assert (skew.seconds, skew.error_s) == (-0.5, 2.5)
