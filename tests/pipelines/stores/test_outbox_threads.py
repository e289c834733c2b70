"""Notices of one thread are told in their order, and no other thread waits for them."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import count
from pathlib import Path

import pytest
import sqlalchemy as sa
from hypothesis import given
from hypothesis import strategies as st

from detector.alerts.brief import BriefState
from detector.gate.telling import DeliveryState, Errand, Notice, Post, Settled
from detector.ports import Outbox, Stores
from pipelines.stores.memory import memory_stores
from pipelines.stores.sqlite import Database
from tests.pipelines.notify.briefs import AT, told
from tests.profiles import HEAVY

T0 = AT / 1000 + 1000
LEASE_S = 30.0


def put(outbox: Outbox, *notices: Notice, to: str = "ops") -> None:
    """Keep them, each for itself."""
    for notice in notices:
        outbox.put([Post(notice=notice, to=(to,))])


def claim(outbox: Outbox, now: float = T0, most: int = 10, to: str = "ops") -> list[Errand]:
    """What is to be told now."""
    return list(outbox.claim(to, now=now, lease_s=LEASE_S, most=most))


def names(errands: list[Errand]) -> list[str]:
    """Of their notices."""
    return [errand.notice.id for errand in errands]


def end(outbox: Outbox, errand: Errand, *, receipt: str = "", at: float = T0) -> None:
    """The receiver acknowledged."""
    outbox.settle(errand, Settled(state=DeliveryState.SENT, at=at, receipt=receipt))


def later(outbox: Outbox, errand: Errand, due_at: float) -> None:
    """The receiver is to be asked again."""
    outbox.settle(errand, Settled(state=DeliveryState.DUE, at=T0, due_at=due_at, words="503"))


def opened_and_resolved(thread: str) -> tuple[Notice, Notice]:
    """Two notices, neither of which may be lost."""
    return told(0, thread=thread), told(1, "resolved", thread=thread)


def test_one_of_a_thread_waits_for_the_one_before_it(stores: Stores) -> None:
    """Nobody reads that it is over before reading that it began."""
    put(stores.outbox, *opened_and_resolved("a"))
    (first,) = claim(stores.outbox)
    assert first.notice.id == "a:0"
    assert claim(stores.outbox) == []
    end(stores.outbox, first)
    assert names(claim(stores.outbox)) == ["a:1"]


def test_what_is_postponed_holds_its_thread_and_no_other(stores: Stores) -> None:
    """A message that Slack refuses to take now is not overtaken, and holds up nobody else."""
    put(stores.outbox, *opened_and_resolved("a"), *opened_and_resolved("b"))
    one, other = claim(stores.outbox)
    later(stores.outbox, one, T0 + 600)
    end(stores.outbox, other)
    assert names(claim(stores.outbox)) == ["b:1"]
    assert names(claim(stores.outbox, T0 + 599)) == ["b:1"], "of whoever died with it"
    assert names(claim(stores.outbox, T0 + 600)) == ["a:0"]


def test_what_is_given_up_lets_the_next_one_go(stores: Stores) -> None:
    """A first message that is refused for good does not silence the end of it."""
    put(stores.outbox, *opened_and_resolved("a"))
    (first,) = claim(stores.outbox)
    stores.outbox.settle(first, Settled(state=DeliveryState.DROPPED, at=T0, words="404"))
    assert names(claim(stores.outbox)) == ["a:1"]


def test_one_receiver_does_not_wait_for_another(stores: Stores) -> None:
    """Order is kept for each by itself."""
    for notice in opened_and_resolved("a"):
        stores.outbox.put([Post(notice=notice, to=("ops", "team"))])
    claim(stores.outbox, to="ops")
    end(stores.outbox, claim(stores.outbox, to="team")[0])
    assert names(claim(stores.outbox, to="team")) == ["a:1"]
    assert claim(stores.outbox, to="ops") == []


def test_order_is_that_of_the_thread_and_not_of_the_clock(stores: Stores) -> None:
    """Two replicas whose clocks differ tell what happened in the order in which it did."""
    early, late = told(1, "resolved", told_at=AT), told(0, told_at=AT + 500_000)
    put(stores.outbox, early, late)
    assert [errand.notice.nth for errand in claim(stores.outbox)] == [0]


def test_of_many_that_wait_only_the_newest_is_told(stores: Stores) -> None:
    """An hour without Slack is not told as sixty messages once it is back."""
    put(stores.outbox, told(70), *(told(n, "grew") for n in range(81, 86)))
    (first,) = claim(stores.outbox)
    assert first.notice.nth == 70
    end(stores.outbox, first)
    (newest,) = claim(stores.outbox)
    assert newest.notice.nth == 85
    assert stores.outbox.tally()["ops", DeliveryState.DROPPED] == 4


@pytest.mark.parametrize("state", [BriefState.RESOLVED, BriefState.MERGED])
def test_a_beginning_and_an_end_are_told_whatever_came_after(
    stores: Stores, state: BriefState
) -> None:
    """Somebody who reads that it began also reads how it ended, though it began again."""
    put(stores.outbox, told(0), told(1, "grew"), told(2, state.value, state=state))
    put(stores.outbox, told(3, "reopened"), told(4, "grew"))
    seen = []
    for _ in range(4):
        for errand in claim(stores.outbox):
            seen.append(errand.notice.nth)
            end(stores.outbox, errand)
    assert seen == [0, 2, 4]


def test_an_update_that_comes_after_a_later_one_is_not_told(stores: Stores) -> None:
    """It would say what is not so any more."""
    put(stores.outbox, told(2, "grew"))
    end(stores.outbox, claim(stores.outbox)[0])
    put(stores.outbox, told(1, "grew"))
    assert claim(stores.outbox) == []
    assert stores.outbox.tally() == {
        ("ops", DeliveryState.SENT): 1,
        ("ops", DeliveryState.DROPPED): 1,
    }


def test_the_one_under_way_is_not_dropped_for_a_later_one(stores: Stores) -> None:
    """Its receipt would be lost, and the later one would overtake it."""
    put(stores.outbox, told(0), told(1, "grew"))
    end(stores.outbox, claim(stores.outbox)[0])
    (held,) = claim(stores.outbox)
    put(stores.outbox, told(2, "grew"))
    assert claim(stores.outbox) == []
    end(stores.outbox, held, receipt="r")
    assert [errand.receipt for errand in claim(stores.outbox)] == ["r"]


def test_without_a_thread_nothing_waits_and_nothing_is_dropped(stores: Stores) -> None:
    """Notices of rollouts are told each for itself, whatever their number."""
    put(stores.outbox, *(told(n, thread="") for n in range(3)))
    assert len(claim(stores.outbox)) == 3


# -- receipts


def test_a_receipt_comes_with_the_next_one_of_its_thread(stores: Stores) -> None:
    """So that a chat goes on in the message that it has."""
    put(stores.outbox, *opened_and_resolved("a"), *opened_and_resolved("b"))
    for errand in claim(stores.outbox):
        assert errand.receipt == ""
        end(stores.outbox, errand, receipt=f"C1/{errand.notice.thread}")
    assert [errand.receipt for errand in claim(stores.outbox)] == ["C1/a", "C1/b"]


def test_the_newest_receipt_counts(stores: Stores) -> None:
    """A message that somebody deleted was posted anew: the thread goes on there."""
    put(stores.outbox, told(0), told(1, "resolved"), told(2, "reopened"))
    for receipt in ("old", "new"):
        end(stores.outbox, claim(stores.outbox)[0], receipt=receipt)
    assert [errand.receipt for errand in claim(stores.outbox)] == ["new"]


def test_a_receipt_is_one_receivers(stores: Stores) -> None:
    """The message in one channel is not that in another."""
    for notice in opened_and_resolved("a"):
        stores.outbox.put([Post(notice=notice, to=("ops", "team"))])
    for to in ("ops", "team"):
        end(stores.outbox, claim(stores.outbox, to=to)[0], receipt=to)
    assert [claim(stores.outbox, to=to)[0].receipt for to in ("ops", "team")] == ["ops", "team"]


def test_what_waited_under_the_older_schema_is_told(tmp_path: Path) -> None:
    """An upgrade loses no notice that its receiver had not taken yet."""
    database = Database(tmp_path / "s.db")
    put(database.stores().outbox, told(0, thread=""))
    with database.built() as connection:
        connection.execute(sa.text("drop index deliveries_thread"))
        for name in ("thread", "nth", "receipt"):
            connection.execute(sa.text(f"alter table deliveries drop column {name}"))
        newer = "incident_inbox alert_histories learned scans reports versions burns"
        for table in newer.split():
            connection.execute(sa.text(f"drop table {table}"))
        connection.execute(sa.text("update alembic_version set version_num = '0012'"))
        connection.commit()
    database.close()
    upgraded = Database(tmp_path / "s.db")
    assert names(claim(upgraded.stores().outbox)) == [":0"]
    upgraded.close()


# -- laws

STEP = st.tuples(
    st.sampled_from(["put", "claim", "send", "fail", "drop", "die"]),
    st.sampled_from("abc"),
    st.integers(0, 5),
    st.floats(0, 40),
)
STEPS = st.lists(STEP, max_size=40)


def history(outbox: Outbox, steps: list[tuple[str, str, int, float]], to: str) -> list[str]:
    """What a sender told that keeps within its lease, or dies now and then."""
    now, held, sent = T0, list[tuple[float, Errand]](), list[str]()
    for what, thread, n, passed in steps:
        now += passed
        held = [(until, errand) for until, errand in held if now < until]
        if what == "put":
            why = ("grew", "resolved")[n % 2]
            put(outbox, told(n, why, thread=f"{to}{thread}", tenant=to), to=to)
        elif what == "claim":
            held += [(now + LEASE_S, one) for one in claim(outbox, now, n, to)]
        elif what == "die":
            held.clear()
        elif held:
            _, errand = held.pop(0)
            id = errand.notice.id.removeprefix(to)
            if what == "send":
                sent.append(f"{id} after {errand.receipt or 'none'}")
                end(outbox, errand, receipt=id, at=now)
            elif what == "drop":
                outbox.settle(errand, Settled(state=DeliveryState.DROPPED, at=now))
            else:
                later(outbox, errand, now + 10 * n)
    return sent


@given(STEPS)
def test_whatever_fails_a_thread_is_told_in_order(
    steps: list[tuple[str, str, int, float]],
) -> None:
    """Of those put in order; each with the receipt of the one before it."""
    puts = sorted(step for step in steps if step[0] == "put")
    others = [step for step in steps if step[0] != "put"]
    for thread in "abc":
        sent = [
            one for one in history(memory_stores().outbox, puts + others, "") if one[0] == thread
        ]
        ids = [one.split(" after ")[0] for one in sent]
        assert ids == sorted(set(ids))
        assert [one.split(" after ")[1] for one in sent] == ["none", *ids][: len(ids)]


@given(STEPS)
def test_beginnings_and_ends_are_all_told_in_the_end(
    steps: list[tuple[str, str, int, float]],
) -> None:
    """None of them is lost to deaths, failures and later ones; nor is the newest state."""
    puts = sorted(step for step in steps if step[0] == "put")
    others = [step for step in steps if step[0] not in {"put", "drop"}]
    outbox = memory_stores().outbox
    sent = [one.split(" after ")[0] for one in history(outbox, puts + others, "")]
    for turn in range(40):
        for errand in claim(outbox, T0 + 5000 + 100 * turn, to=""):
            sent.append(errand.notice.id)
            end(outbox, errand)
    for thread in "abc":
        all_of = sorted({n for _, of, n, _ in puts if of == thread})
        wanted = {n for n in all_of if n % 2} | {*all_of[:1], *all_of[-1:]}
        assert {f"{thread}:{n}" for n in wanted} <= set(sent)
    assert len(sent) == len(set(sent))


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Outbox]:
    """One in a file, for many examples: each has a receiver of its own."""
    folder: Path = tmp_path_factory.mktemp("outbox")
    database = Database(folder / "s.db")
    yield database.stores().outbox
    database.close()


_numbers = count()


@HEAVY
@given(steps=STEPS)
def test_the_file_tells_what_memory_tells(
    kept: Outbox, steps: list[tuple[str, str, int, float]]
) -> None:
    """The statements say the same as a few lines of Python."""
    to = f"n{next(_numbers)}x"
    assert history(kept, steps, to) == history(memory_stores().outbox, steps, to)
