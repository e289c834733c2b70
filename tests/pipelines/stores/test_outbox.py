"""The outbox: nothing is lost, nothing that was acknowledged comes back."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest
import sqlalchemy as sa
from hypothesis import given
from hypothesis import strategies as st

from detector.errors import NotFoundError
from detector.gate.record import Kept
from detector.gate.telling import DeliveryState, Errand, Notice, NoticeKind, Post, Settled
from detector.gate.verdict import Outcome
from detector.ports import Outbox, Stores
from pipelines.stores.memory import DAY_S, memory_stores
from pipelines.stores.sqlite import Database
from tests.pipelines.stores.test_stores import T0, attempt, verdict

SENT = Settled(state=DeliveryState.SENT, at=T0 + 1)


def notice(id: str = "fail:a1", at: float = T0) -> Notice:
    """A fail, with its verdict."""
    stored = verdict(attempt(), outcome=Outcome.FAIL)
    return Notice(
        id=id,
        kind=NoticeKind.FAIL,
        at=at,
        tenant="default",
        title="checkout failed",
        text="Errors rose.",
        verdict=stored.verdict,
    )


def post(id: str = "fail:a1", *to: str, at: float = T0) -> Post:
    """A notice to somebody."""
    return Post(notice=notice(id, at), to=to or ("ops",))


def claimed(outbox: Outbox, to: str = "ops", now: float = T0 + 5, most: int = 10) -> list[Errand]:
    """What is due."""
    return list(outbox.claim(to, now=now, lease_s=30.0, most=most))


def test_a_notice_comes_back_whole_for_each_whom_it_is_for(stores: Stores) -> None:
    """Everything that a message is made of is in the outbox."""
    stores.outbox.put([post("fail:a1", "ops", "team")])
    for to in ("ops", "team"):
        assert claimed(stores.outbox, to) == [Errand(notice=notice(), to=to, tries=1)]
    assert claimed(stores.outbox, "others") == []


def test_the_same_notice_is_kept_once(stores: Stores) -> None:
    """Every poll after a fail finds it again; people hear of it once."""
    stores.outbox.put([post()])
    stores.outbox.put([post("fail:a1", "ops", "newcomer", at=T0 + 60)])
    (errand,) = claimed(stores.outbox)
    assert errand.notice.at == T0
    assert claimed(stores.outbox, "newcomer") == []


def test_an_answer_and_its_notice_are_kept_together(stores: Stores) -> None:
    """There is no moment at which a fail is stored and nobody will be told."""
    stored = verdict(attempt(), outcome=Outcome.FAIL)
    kept = Kept(attempt=attempt(), at=T0, verdict=stored, posts=(post(),), durable=True)
    stores.answers.keep(kept)
    assert [errand.notice.id for errand in claimed(stores.outbox)] == ["fail:a1"]


def test_an_answer_whose_notice_cannot_be_kept_is_not_kept_either(tmp_path: Path) -> None:
    """Both or neither: the next poll finds the fail again, and tells it then."""
    database = Database(tmp_path / "serinus.db")
    stores, stored = database.stores(), verdict(attempt(), outcome=Outcome.FAIL)
    broken = Post(notice=replace(notice(), text=object()), to=("ops",))  # type: ignore[arg-type]
    with pytest.raises(TypeError):
        stores.answers.keep(Kept(attempt=attempt(), at=T0, verdict=stored, posts=(broken,)))
    with pytest.raises(NotFoundError):
        stores.verdicts.get(stored.verdict.id)
    assert stores.outbox.tally() == {}
    database.close()


def test_a_notice_that_cannot_be_read_does_not_stand_in_the_way(tmp_path: Path) -> None:
    """A newer version wrote it, or a disk that fails: it is dropped, and the next is told."""
    database = Database(tmp_path / "serinus.db")
    outbox = database.stores().outbox
    outbox.put([post("n1"), post("n2")])
    with database.built() as connection:
        connection.execute(sa.text("update notices set body = x'00' where id = 'n1'"))
        connection.commit()
    assert [errand.notice.id for errand in claimed(outbox)] == ["n2"]
    assert outbox.tally()["ops", DeliveryState.DROPPED] == 1
    database.close()


def test_what_is_under_way_is_nobody_elses(stores: Stores) -> None:
    """Two replicas do not tell the same fail at the same time."""
    stores.outbox.put([post()])
    assert len(claimed(stores.outbox)) == 1
    assert claimed(stores.outbox, now=T0 + 34) == []


def test_what_was_under_way_in_a_killed_process_is_due_again(stores: Stores) -> None:
    """A kill between the claim and the acknowledgement loses nothing."""
    stores.outbox.put([post()])
    claimed(stores.outbox)
    assert [e.tries for e in claimed(stores.outbox, now=T0 + 35)] == [2]


def test_what_was_acknowledged_is_never_due_again(stores: Stores) -> None:
    """Not after the lease, and not when the notice is found again."""
    stores.outbox.put([post()])
    stores.outbox.settle(claimed(stores.outbox)[0], SENT)
    stores.outbox.put([post()])
    assert claimed(stores.outbox, now=T0 + 9 * DAY_S) == []
    assert stores.outbox.tally() == {("ops", DeliveryState.SENT): 1}


def test_a_slow_one_does_not_undo_what_a_quicker_one_did(stores: Stores) -> None:
    """Whoever lost the lease has no say any more."""
    stores.outbox.put([post()])
    (slow,) = claimed(stores.outbox)
    (quick,) = claimed(stores.outbox, now=T0 + 60)
    stores.outbox.settle(slow, replace(SENT, state=DeliveryState.DROPPED))
    stores.outbox.settle(quick, SENT)
    stores.outbox.settle(slow, replace(SENT, state=DeliveryState.DUE, due_at=T0))
    assert stores.outbox.tally() == {("ops", DeliveryState.SENT): 1}
    assert claimed(stores.outbox, now=T0 + 900) == []


def test_a_later_try_is_made_when_it_is_due(stores: Stores) -> None:
    """A receiver that is down is asked again in a while, not at once."""
    stores.outbox.put([post()])
    again = Settled(state=DeliveryState.DUE, at=T0 + 6, due_at=T0 + 66, words="503")
    stores.outbox.settle(claimed(stores.outbox)[0], again)
    assert claimed(stores.outbox, now=T0 + 65) == []
    assert [e.tries for e in claimed(stores.outbox, now=T0 + 66)] == [2]


def test_many_at_once_do_not_get_the_same(stores: Stores) -> None:
    """Replicas and threads that look at the same moment share the work, and send nothing twice."""
    stores.outbox.put([post(f"n{n}") for n in range(40)])
    with ThreadPoolExecutor(8) as pool:
        rounds = [pool.submit(claimed, stores.outbox, "ops", T0 + 5, 2) for _ in range(40)]
        got = [errand.notice.id for each in rounds for errand in each.result()]
    assert sorted(got) == sorted({f"n{n}" for n in range(40)})


def test_the_oldest_goes_first(stores: Stores) -> None:
    """People read what happened in the order in which it did."""
    stores.outbox.put([post(f"n{n}", at=T0 - n) for n in range(5)])
    assert [e.notice.id for e in claimed(stores.outbox, most=3)] == ["n4", "n3", "n2"]
    assert [e.notice.id for e in claimed(stores.outbox, most=3)] == ["n1", "n0"]


def test_old_notices_go(stores: Stores) -> None:
    """With their deliveries, after as long as passes are kept."""
    stores.outbox.put([post("old"), post("new", at=T0 + 20 * DAY_S)])
    stores.retention.prune(T0 + 31 * DAY_S)
    assert stores.outbox.tally() == {("ops", DeliveryState.DUE): 1}


STEP = st.tuples(
    st.sampled_from(["put", "claim", "send", "fail", "die"]),
    st.integers(0, 3),
    st.floats(0, 40),
)


@given(st.lists(STEP, max_size=40))
def test_whatever_happens_none_is_lost_and_none_is_sent_twice(
    steps: list[tuple[str, int, float]],
) -> None:
    """Any mix of polls, tries, failures and deaths, by senders who keep within their lease."""
    outbox = memory_stores().outbox
    now, held, put, sent = T0, list[tuple[float, Errand]](), set[str](), list[str]()
    for what, which, passed in steps:
        now += passed
        held = [(until, errand) for until, errand in held if now < until]
        if what == "put":
            outbox.put([post(f"n{which}")])
            put.add(f"n{which}")
        elif what == "claim":
            held += [(now + 30, errand) for errand in claimed(outbox, now=now, most=which)]
        elif what == "die":
            held.clear()
        elif held:
            _, errand = held.pop()
            if what == "send":
                sent.append(errand.notice.id)
                outbox.settle(errand, replace(SENT, at=now))
            else:
                again = Settled(state=DeliveryState.DUE, at=now, due_at=now + which)
                outbox.settle(errand, again)
    rest = claimed(outbox, now=now + 100)
    assert sorted(sent + [errand.notice.id for errand in rest]) == sorted(put)
