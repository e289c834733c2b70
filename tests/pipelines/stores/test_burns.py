"""What was told of burns is kept with its symptoms, in every database, and by one process."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from detector.incidents.burns import burn_symptom
from detector.incidents.ports import BurnStep
from detector.slo.burn import Burning
from detector.slo.following import Alert, Following
from pipelines.stores.burns import SqlBurns
from pipelines.stores.codec import pack, unpack
from pipelines.stores.connections import Connections
from pipelines.stores.incidents import SqlIncidents
from tests.detector.incidents.test_burns import OUTAGE, PAGE

STEP = BurnStep(
    service="checkout",
    name="availability",
    following=Following(at=PAGE.begun, alert=PAGE),
    symptoms=(burn_symptom(OUTAGE, PAGE),),
)
KEY = ("checkout", "availability")


def received(database: Connections) -> int:
    """How many symptoms wait for the one that makes incidents."""
    return len(SqlIncidents(database).received(100))


def test_nothing_was_told_yet(database: Connections) -> None:
    """On the first day."""
    assert SqlBurns(database).of("default") == {}


def test_a_step_is_kept_with_what_follows_of_it(database: Connections) -> None:
    """To the last bit, and the symptom as it was made."""
    SqlBurns(database).keep("default", [STEP])
    assert SqlBurns(database).of("default") == {KEY: STEP.following}
    (kept,) = SqlIncidents(database).received(100)
    assert (kept.tenant, kept.symptom) == ("default", STEP.symptoms[0])


def test_a_step_that_is_not_further_is_none(database: Connections) -> None:
    """Another process was there before."""
    store = SqlBurns(database)
    store.keep("default", [STEP])
    store.keep("default", [STEP, replace(STEP, following=Following(at=PAGE.begun - 300.0))])
    assert store.of("default") == {KEY: STEP.following}
    assert received(database) == 1
    store.keep("default", [replace(STEP, following=Following(at=PAGE.begun + 300.0))])
    assert received(database) == 2


def test_objectives_and_tenants_are_apart(database: Connections) -> None:
    """Each is as far as it is."""
    store = SqlBurns(database)
    store.keep("default", [STEP, replace(STEP, name="latency"), replace(STEP, service="cart")])
    store.keep("acme", [replace(STEP, symptoms=())])
    assert set(store.of("default")) == {KEY, ("checkout", "latency"), ("cart", "availability")}
    assert set(store.of("acme")) == {KEY}
    assert received(database) == 3


def test_of_processes_at_once_one_tells(database: Connections) -> None:
    """Replicas wake in the same second."""
    store = SqlBurns(database)
    with ThreadPoolExecutor(4) as pool:
        for done in [pool.submit(store.keep, "default", [STEP]) for _ in range(8)]:
            done.result(30)
    assert received(database) == 1


@given(
    at=st.floats(0, 4e9),
    begun=st.floats(0, 4e9),
    ended=st.none() | st.floats(0, 4e9),
    level=st.sampled_from([Burning.TICKET, Burning.PAGE]),
)
def test_any_state_is_what_it_was(
    at: float, begun: float, ended: float | None, level: Burning
) -> None:
    """After a restart."""
    alert = Alert(begun=begun, onset=begun, level=level, ended=ended)
    state = Following(at=at, alert=alert)
    assert unpack(Following, pack(state)) == state
