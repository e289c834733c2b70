"""One contract over every kind of store."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from detector.errors import ConflictError, NotFoundError
from detector.gate.attempt import Attempt, Closing, Identity, Latch, Revision, Weight
from detector.gate.decision import Action, AuditEntry, ModeChange, Override
from detector.gate.policy import Mode, Policy, SignalPolicy
from detector.gate.reason import Reason
from detector.gate.record import Filter, Kept, StoredVerdict, chunk_of
from detector.gate.request import Stage
from detector.gate.ruling import Circumstances, nothing, rule, verdict_id
from detector.gate.verdict import Outcome
from detector.ports import Stores
from detector.series import Matcher, MatchOp
from detector.signals.plan import Family, Missing, Plan
from detector.signals.signal import Shape
from pipelines.stores.memory import DAY_S

T0 = 1_790_000_000.0
PLAN = Plan(
    service="checkout",
    canary=(Matcher("pod", MatchOp.MATCHES, 'a"b\\.+'),),
    control=((Matcher("pod", MatchOp.EQUAL, "ü"),), ()),
    requests=Family(metric="http_requests_total", shape=Shape.COUNTER),
    signals=(),
    missing=(Missing(name="latency", why="no histogram"),),
    notes=("one",),
)
REASON = Reason("error_rate_up", "Errors rose.")


def attempt(id: str = "a1", *, at: float = T0, **changes: object) -> Attempt:
    """A stored attempt."""
    identity = Identity(
        tenant="default",
        cluster=None,
        namespace="shop",
        service="checkout",
        rollout="checkout",
        canary="pod=~'x'",
    )
    made = Attempt(
        id=id,
        identity=identity,
        label=None,
        revision="v2",
        policy=Policy(),
        engine="1.0.0",
        asked_at=at,
        last_asked=at,
        follows=f"before {id}",
    )
    return replace(made, **changes)  # type: ignore[arg-type]


def verdict(of: Attempt, at: float = T0, outcome: Outcome = Outcome.INCONCLUSIVE) -> StoredVerdict:
    """A stored verdict."""
    seen = Circumstances(
        id=verdict_id(of.id, at),
        as_of=at,
        stage=Stage.STEP,
        deadline=None,
        mode=Mode.ENFORCE,
        started_at=at,
        revision="v2",
        head="",
    )
    ruled = rule(of, replace(nothing(REASON), outcome=outcome), seen)
    return StoredVerdict(verdict=ruled, seen=seen)


def test_an_attempt_comes_back_whole(stores: Stores) -> None:
    """Nothing of an attempt is lost or changed by storing it."""
    policy = Policy(name="strict", signals={"latency": SignalPolicy(tolerate=0.02)})
    full = attempt(
        label="7",
        policy=policy,
        started_at=T0 - 3,
        interval=15.0,
        plan=PLAN,
        weights=(Weight(at=T0, weight=5.0),),
        latch=Latch(at=T0, found_at=T0 + 1, signal="latency", reason=REASON, pods=("a", "b")),
        closing=Closing(deadline=T0 + 9, head="abc", doubt=REASON),
        evaluated_to=T0 + 15,
        head="abc",
        read_to=T0 + 40,
        rollback="hash:bbbbb",
        first_step_at=T0 + 1,
    )
    began = stores.attempts.save(attempt())
    stores.attempts.save(replace(full, version=began.version), durable=True)
    assert stores.attempts.get("a1") == full


def test_the_newest_attempt_of_an_identity_is_found(stores: Stores) -> None:
    """Attempts of one identity follow each other; others are left alone."""
    first, second = attempt("a1"), attempt("a2", at=T0 + 60)
    other = attempt("a3", at=T0 + 90, identity=replace(first.identity, service="cart"))
    for each in (first, second, other):
        stores.attempts.save(each)
    newest = stores.attempts.newest
    assert newest(first.identity, asked_until=float("inf")) == second
    assert newest(first.identity, asked_until=T0 + 59) == first
    assert newest(first.identity, asked_until=T0 - 1) is None
    assert newest(replace(first.identity, tenant="x"), asked_until=float("inf")) is None


def test_whoever_read_an_older_version_writes_nothing(stores: Stores) -> None:
    """A replica that is a moment late would wipe out the latch that another has just set."""
    began = stores.attempts.save(attempt())
    latch = Latch(at=T0, found_at=T0, signal="latency", reason=REASON)
    latched = stores.attempts.save(replace(began, latch=latch))
    with pytest.raises(ConflictError):
        stores.attempts.save(replace(began, last_asked=T0 + 5))
    assert stores.attempts.get("a1") == latched
    assert stores.attempts.save(replace(latched, last_asked=T0 + 6)).version == 3


def test_what_was_read_counts_as_the_version_that_it_is(stores: Stores) -> None:
    """A question that found the attempt in the store could never answer."""
    stores.attempts.save(stores.attempts.save(attempt()))
    for found in (stores.attempts.get("a1"), _newest(stores)):
        assert found.version == 2
    moved = stores.attempts.save(replace(_newest(stores), last_asked=T0 + 1))
    assert (moved.version, _newest(stores).version, moved) == (3, 3, _newest(stores))


def _newest(stores: Stores) -> Attempt:
    found = stores.attempts.newest(attempt().identity, asked_until=float("inf"))
    assert found is not None
    return found


def test_of_two_first_questions_one_begins_the_attempt(stores: Stores) -> None:
    """Two replicas would follow one canary as two attempts, and a latch would hold for one."""
    winner = stores.attempts.save(attempt("a1", follows=""))
    with pytest.raises(ConflictError):
        stores.attempts.save(attempt("a2", at=T0 + 1, follows=""))
    after = stores.attempts.save(attempt("a3", at=T0 + 2, follows="a1"))
    assert stores.attempts.get("a1") == winner
    assert _newest(stores) == after
    with pytest.raises(NotFoundError):
        stores.attempts.get("a2")


def test_an_answer_that_comes_too_late_leaves_nothing_behind(stores: Stores) -> None:
    """Its samples would hang beside the tape, its verdict on what nobody knows."""
    began = stores.attempts.save(attempt())
    chunk = chunk_of("a1", "", b"samples")
    stores.attempts.save(replace(began, last_asked=T0 + 1))
    late = replace(began, head=chunk.hash)
    with pytest.raises(ConflictError):
        stores.answers.keep(Kept(attempt=late, at=T0, chunk=chunk, verdict=verdict(late)))
    with pytest.raises(NotFoundError):
        stores.points.chain(chunk.hash)
    assert stores.verdicts.list(Filter()).verdicts == ()


def test_what_others_read_is_found_from_where_one_stands(stores: Stores) -> None:
    """Each poll through another replica would cost the whole tape."""
    stores.attempts.save(attempt())
    chunks = [chunk_of("a1", "", b"0")]
    for number in range(1, 5):
        chunks.append(chunk_of("a1", chunks[-1].hash, str(number).encode()))
    for chunk in chunks:
        stores.points.append(chunk, at=T0)
    head, known = chunks[-1].hash, chunks[1].hash
    assert stores.points.since(head, known, most=3) == chunks[2:]
    assert stores.points.since(head, known, most=2) is None
    assert stores.points.since(head, "elsewhere", most=99) is None
    assert stores.points.since("gone", known, most=99) is None
    assert list(stores.points.since(head, head, most=3) or ()) == []


def test_an_identity_can_begin_again_when_its_attempts_were_deleted(stores: Stores) -> None:
    """A service that is released once a month would never be judged again."""
    stores.attempts.save(attempt("a1", follows=""))
    stores.retention.prune(T0 + 31 * DAY_S)
    later = stores.attempts.save(attempt("a2", at=T0 + 32 * DAY_S, follows=""))
    assert _newest(stores) == later


def test_what_is_not_there_is_said(stores: Stores) -> None:
    """Unknown names raise the one error that becomes a 404."""
    for look in (stores.attempts.get, stores.verdicts.get, stores.policies.get):
        with pytest.raises(NotFoundError, match="nope"):
            look("nope")
    with pytest.raises(NotFoundError, match="gone"):
        stores.points.chain("nope")


def test_verdicts_come_back_and_page(stores: Stores) -> None:
    """Pages are complete, newest first, and nothing comes twice."""
    of = attempt()
    stores.attempts.save(of)
    kept = [verdict(of, T0 + n) for n in range(7)]
    for stored in kept:
        stores.verdicts.save(stored, at=stored.seen.as_of)
    assert stores.verdicts.get(kept[3].verdict.id) == kept[3]
    seen, after = [], None
    while True:
        page = stores.verdicts.list(Filter(attempt="a1", after=after, limit=3))
        seen += [v.id for v in page.verdicts]
        if page.next is None:
            break
        after = page.next
    assert seen == [s.verdict.id for s in reversed(kept)]


def test_the_newest_verdict_of_each_attempt_is_listed_once(stores: Stores) -> None:
    """A list of rollouts shows each once, where it stands now, however often it was judged."""
    first, second = attempt("a1"), attempt("a2")
    for of in (first, second):
        stores.attempts.save(of)
    was_fail = verdict(first, T0, Outcome.FAIL)
    now = [verdict(first, T0 + 60), verdict(second, T0 + 30, Outcome.FAIL)]
    for stored in (was_fail, *now):
        stores.verdicts.save(stored, at=stored.seen.as_of)
    page = stores.verdicts.list(Filter(newest_only=True, limit=1))
    rest = stores.verdicts.list(Filter(newest_only=True, limit=1, after=page.next))
    fails = stores.verdicts.list(Filter(newest_only=True, outcome=Outcome.FAIL))
    assert [v.id for v in page.verdicts + rest.verdicts] == [s.verdict.id for s in now]
    assert rest.next is None
    assert [v.attempt for v in fails.verdicts] == ["a2"]


@pytest.mark.parametrize(
    ("wanted", "count"),
    [
        (Filter(), 3),
        (Filter(tenant="default"), 3),
        (Filter(tenant="other"), 0),
        (Filter(service="checkout", rollout="checkout"), 3),
        (Filter(service="cart"), 0),
        (Filter(outcome=Outcome.FAIL), 1),
        (Filter(since=T0 + 1), 2),
        (Filter(until=T0 + 1), 1),
    ],
    ids=["all", "tenant", "other tenant", "names", "no name", "outcome", "since", "until"],
)
def test_verdicts_are_filtered(stores: Stores, wanted: Filter, count: int) -> None:
    """Each filter alone."""
    of = attempt()
    stores.attempts.save(of)
    for n, outcome in enumerate(Outcome):
        stores.verdicts.save(verdict(of, T0 + n, outcome), at=T0 + n)
    assert len(stores.verdicts.list(wanted).verdicts) == count


def test_samples_are_kept_once_and_in_their_chain(stores: Stores) -> None:
    """A head names all samples before it, whatever came after."""
    stores.attempts.save(attempt())
    one = chunk_of("a1", "", b"one")
    two = chunk_of("a1", one.hash, b"two")
    fork = chunk_of("a1", one.hash, b"three")
    for chunk in (one, two, one, fork):
        stores.points.append(chunk, at=T0)
    assert tuple(stores.points.chain(two.hash)) == (one, two)
    assert tuple(stores.points.chain(fork.hash)) == (one, fork)
    assert tuple(stores.points.chain("")) == ()


def test_what_a_question_leaves_behind_is_all_there(stores: Stores) -> None:
    """An answer whose samples are nowhere could not be replayed."""
    chunk = chunk_of("a1", "", b"samples")
    of = attempt(head=chunk.hash)
    stores.answers.keep(Kept(attempt=of, at=T0, chunk=chunk, verdict=verdict(of)))
    assert stores.attempts.get("a1") == of
    assert tuple(stores.points.chain(chunk.hash)) == (chunk,)
    assert stores.verdicts.get(verdict(of).verdict.id) == verdict(of)


def test_a_question_without_news_moves_the_attempt_alone(stores: Stores) -> None:
    """An answer that only repeats the last would fill the store."""
    stores.answers.keep(Kept(attempt=attempt(last_asked=T0 + 9), at=T0 + 9, durable=True))
    assert stores.attempts.get("a1").last_asked == T0 + 9
    assert stores.verdicts.list(Filter(attempt="a1")).verdicts == ()


def test_policies_keep_their_versions(stores: Stores) -> None:
    """The newest version is given; saving the same again is no new version."""
    save = stores.policies.save
    assert save(Policy(name="a"), at=T0, person="ann") == 1
    assert save(Policy(name="a"), at=T0 + 1, person="bob") == 1
    assert save(Policy(name="a", alpha=0.001), at=T0 + 2, person="bob") == 2
    assert save(Policy(name="b"), at=T0 + 2, person="bob") == 1
    assert stores.policies.get("a").alpha == 0.001
    assert [(v.policy.name, v.version, v.person) for v in stores.policies.all()] == [
        ("a", 2, "bob"),
        ("b", 1, "bob"),
    ]


def test_decisions_of_people_come_back_in_order(stores: Stores) -> None:
    """Overrides, modes and the audit log."""
    stores.attempts.save(attempt())
    made = [
        Override(attempt="a1", outcome=Outcome.PASS, person="ann", reason=r, at=T0, until=T0 + 60)
        for r in ("one", "two")
    ]
    modes = [
        ModeChange(
            tenant="default", service=s, mode=m, person="ann", reason="r", at=T0, until=T0 + 9
        )
        for s, m in (("cart", Mode.SHADOW), (None, None))
    ]
    entries = [
        AuditEntry(at=T0 + n, person="ann", action=Action.MODE, subject="s", reason="r")
        for n in range(4)
    ]
    for override in made:
        stores.overrides.add(override)
    for change in modes:
        stores.modes.add(change)
    for entry in entries:
        stores.audit.write(entry)
    assert list(stores.overrides.of("a1")) == made
    assert list(stores.overrides.of("a2")) == []
    assert list(stores.modes.of("default")) == modes
    assert list(stores.audit.entries(limit=2)) == entries[:1:-1]
    assert list(stores.audit.entries(limit=9, before=T0 + 2)) == entries[1::-1]


def revision(key: str, since: float, until: float, service: str = "checkout") -> Revision:
    """A span in which a revision was control."""
    return Revision(
        tenant="default",
        cluster=None,
        namespace=None,
        service=service,
        key=key,
        since=since,
        until=until,
    )


def test_spans_of_a_revision_grow_together(stores: Stores) -> None:
    """What is seen again within the hour is one span; later it is another."""
    for since, until in ((0.0, 100.0), (50.0, 200.0), (220.0, 300.0), (9000.0, 9100.0)):
        stores.revisions.saw([revision("hash:a", T0 + since, T0 + until)], apart_s=60.0)
    stores.revisions.saw([revision("hash:a", T0, T0 + 9, "cart")], apart_s=60.0)
    like = revision("hash:a", T0 + 9999, T0 + 9999)
    spans = [(r.since - T0, r.until - T0) for r in stores.revisions.known(like, since=T0)]
    assert sorted(spans) == [(0.0, 300.0), (9000.0, 9100.0)]
    assert len(stores.revisions.known(like, since=T0 + 400)) == 1
    assert not stores.revisions.known(revision("hash:b", T0 + 9999, T0 + 9999), since=T0)


def test_fails_outlive_passes(stores: Stores) -> None:
    """Passes and samples go after 30 days, what failed after 400, with its samples."""
    passed, failed = attempt("p"), attempt("f")
    latch = Latch(at=T0, found_at=T0, signal="latency", reason=REASON)
    failed = replace(failed, latch=latch)
    for of, outcome in ((passed, Outcome.PASS), (failed, Outcome.FAIL)):
        stores.attempts.save(of)
        stores.points.append(chunk_of(of.id, "", of.id.encode()), at=T0)
        stores.verdicts.save(verdict(of, T0, outcome), at=T0)
        stores.verdicts.save(verdict(of, T0 + 1), at=T0 + 1)
    counts = []
    for days in (29, 31, 399, 401):
        gone = stores.retention.prune(T0 + days * DAY_S)
        counts.append((gone.verdicts, gone.chunks, gone.attempts))
    assert counts == [(0, 0, 0), (3, 1, 1), (0, 0, 0), (1, 1, 1)]
    assert not stores.verdicts.list(Filter()).verdicts


def test_a_verdict_keeps_its_time_zone(stores: Stores) -> None:
    """Times come back aware and in UTC."""
    of = attempt()
    stores.attempts.save(of)
    stores.verdicts.save(verdict(of), at=T0)
    got = stores.verdicts.get(verdict(of).verdict.id).verdict
    assert got.as_of == datetime.fromtimestamp(T0, UTC)
    assert got.as_of.utcoffset() == UTC.utcoffset(None)
