"""The gate from request to verdict, on samples in memory and a judge that counts."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any

import pytest

from detector.errors import InputError, NotFoundError
from detector.gate.policy import Mode, Policy, RollbackRule
from detector.gate.record import Filter
from detector.gate.render import verdict_body
from detector.gate.request import Stage
from detector.gate.verdict import Outcome, Verdict
from pipelines.flows.evidence import pack_evidence, unpack_evidence
from pipelines.flows.gate import GateSettings
from pipelines.testing import FakeSource, Fault
from tests.pipelines.flows.scripted import T0, World, ask, at


def body(verdict: Verdict) -> str:
    """The JSON of a verdict."""
    return json.dumps(verdict_body(verdict, brief=False), allow_nan=False)


def facts(verdict: Verdict) -> tuple[str, str, bool]:
    """Outcome, reason and whether it is final."""
    return verdict.outcome.value, str(verdict.reason.code), verdict.final


def test_a_healthy_canary_waits_for_traffic_and_passes() -> None:
    """The usual way of a rollout."""
    world = World()
    world.shop()
    world.clock.at = T0 + 70
    early = world.gate.judge(ask())
    world.clock.at = T0 + 400
    late = world.gate.judge(ask())
    assert facts(early) == ("inconclusive", "low_traffic", False)
    assert early.waiting == "waiting for traffic: 90 of 200 requests"
    assert facts(late) == ("pass", "healthy", False)
    assert late.started_at == at(0)
    assert late.attempt == early.attempt


def test_a_fail_stays_after_a_restart_that_lost_the_samples() -> None:
    """The latch protects against data that were lost since."""
    world = World()
    world.shop()
    world.pod("web-bbbbb-wxzbc", "canary", born=T0, until=T0 + 3600, errors={T0 + 100: 20})
    world.clock.at = T0 + 200
    failed = world.gate.judge(ask())
    assert facts(failed) == ("fail", "error_rate_up", True)
    world.stores.points.rows.clear()  # type: ignore[attr-defined]
    world.source.store.__init__()  # type: ignore[misc]
    world.restart()
    world.clock.at = T0 + 260
    again = world.gate.judge(ask())
    assert facts(again) == ("fail", "error_rate_up", True)
    assert again.attempt == failed.attempt


def test_replay_gives_the_identical_answer() -> None:
    """A stored verdict is recomputed to the bit of its JSON."""
    world = World()
    world.shop()
    ids = []
    for second in range(20, 900, 40):
        world.clock.at = T0 + second
        ids.append(world.gate.judge(ask(weight=10 if second < 300 else 50)).id)
    world.restart()
    for id in set(ids):
        stored = world.gate.records.verdict(id)
        assert body(world.gate.records.replay(id)) == body(stored)
        assert body(world.gate.records.replay_file(world.gate.records.export(id))) == body(stored)
    assert world.gate.records.verdict(ids[-1]).outcome is Outcome.PASS


FAULT = {T0 + 100: 20.0}


def shop_with_errors(world: World) -> None:
    """The usual shop whose second canary pod fails twenty requests 100 s after the start."""
    world.shop()
    world.pod("web-bbbbb-wxzbc", "canary", born=T0, until=T0 + 3600, errors=FAULT)


def poll(world: World, second: float, **changes: object) -> Verdict:
    """Ask at a moment after T0."""
    world.clock.at = T0 + second
    return world.gate.judge(ask(**changes))


@pytest.mark.parametrize(
    ("fault", "code"),
    [
        (Fault.DOWN, "source_unavailable"),
        (Fault.SLOW, "source_unavailable"),
        (Fault.REJECTED, "query_rejected"),
        (Fault.WARNINGS, "partial_data"),
        (Fault.PARTIAL, "partial_data"),
    ],
)
def test_a_bad_source_is_never_a_pass(fault: Fault, code: str) -> None:
    """A canary that passed a minute ago does not pass on what was not seen."""
    world = World()
    world.shop()
    assert facts(poll(world, 400)) == ("pass", "healthy", False)
    world.source.fault = fault
    assert facts(poll(world, 440)) == ("inconclusive", code, False)
    world.source.fault = Fault.NONE
    assert facts(poll(world, 480)) == ("pass", "healthy", False)


@pytest.mark.parametrize("fault", [Fault.DOWN, Fault.REJECTED, Fault.WARNINGS])
def test_a_fail_outlives_a_bad_source(fault: Fault) -> None:
    """The latch holds whatever happens to Prometheus."""
    world = World()
    shop_with_errors(world)
    assert poll(world, 300).outcome is Outcome.FAIL
    world.source.fault = fault
    assert facts(poll(world, 340)) == ("fail", "error_rate_up", True)


@pytest.mark.parametrize("fault", [Fault.DOWN, Fault.REJECTED])
def test_a_source_that_is_down_at_the_start_is_said(fault: Fault) -> None:
    """The attempt begins, has a name, and goes on when the source is back."""
    world = World(source=FakeSource(fault=fault))
    world.shop()
    early = poll(world, 300)
    world.source.fault = Fault.NONE
    late = poll(world, 400)
    assert (early.outcome, early.started_at) == (Outcome.INCONCLUSIVE, None)
    assert early.reason.code in ("source_unavailable", "query_rejected")
    assert facts(late) == ("pass", "healthy", False)
    assert late.attempt == early.attempt


def test_lasting_warnings_do_not_hide_a_fail() -> None:
    """Holes are waited for two minutes, then what is there is judged; a pass still waits."""
    world = World()
    shop_with_errors(world)
    poll(world, 50)
    world.source.fault = Fault.WARNINGS
    outcomes = [poll(world, second).outcome for second in range(80, 300, 30)]
    assert Outcome.PASS not in outcomes
    assert outcomes[-1] is Outcome.FAIL


def test_holes_that_were_believed_withhold_a_pass_for_five_minutes() -> None:
    """The window of coverage must be whole again before a pass."""
    world = World()
    world.shop()
    poll(world, 50)
    world.source.fault = Fault.WARNINGS
    for second in range(200, 400, 30):
        poll(world, second)
    world.source.fault = Fault.NONE
    assert poll(world, 420).reason.code == "partial_data"
    assert facts(poll(world, 750)) == ("pass", "healthy", False)


def test_an_empty_canary_names_what_there_is() -> None:
    """A selector that matches nothing is told once, and answered with the nearest names."""
    world = World()
    world.shop()
    verdict = poll(world, 100, canary='{track="canry"}')
    assert facts(verdict) == ("inconclusive", "no_canary_data", False)
    fact, near = verdict.reason.text.split(". ", 1)
    assert fact == 'No series of checkout matches the canary {track="canry"}'
    assert "web-zzzzz-bcdfg" in near
    assert verdict.started_at is None


def test_an_empty_control_names_what_there_is() -> None:
    """A first deployment, or a control selector that matches nothing."""
    world = World()
    world.shop()
    verdict = poll(world, 400, control='{track="old"}')
    assert facts(verdict) == ("inconclusive", "no_control_data", False)
    assert "web-zzzzz-bcdfg" in verdict.reason.text


def test_the_canary_may_come_later() -> None:
    """The plan is made when the canary shows, not before."""
    world = World()
    world.shop(until=T0 + 30)
    world.pod("web-bbbbb-fghjk", "late", born=T0 + 100, until=T0 + 900)
    codes = [str(poll(world, s, canary='{track="late"}').reason.code) for s in (20, 60, 150, 400)]
    assert codes == ["no_canary_data", "no_canary_data", "low_traffic", "healthy"]
    assert poll(world, 400, canary='{track="late"}').started_at == at(100)


def test_an_undecided_deadline_is_final() -> None:
    """What is undecided at the deadline stays so, though the data would pass later."""
    world = World()
    world.shop()
    deadline = at(100)
    first = poll(world, 60, deadline=deadline)
    late = [facts(poll(world, s, deadline=deadline)) for s in (100, 130, 900)]
    assert facts(first) == ("inconclusive", "low_traffic", False)
    assert first.stage is Stage.FINAL
    assert late == [("inconclusive", "deadline_reached", True)] * 3


def test_the_answer_at_the_deadline_does_not_depend_on_polls() -> None:
    """Who asks first an hour later gets what the deadline was due."""
    for seconds in ((60, 100, 3000), (3000,), (101, 3000)):
        world = World()
        world.shop()
        got = [poll(world, s, deadline=at(100)) for s in seconds][-1]
        assert facts(got) == ("inconclusive", "deadline_reached", True)
        world.restart()
        assert body(world.gate.records.replay(got.id)) == body(world.gate.records.verdict(got.id))


def test_a_pass_at_the_deadline_stays_and_a_fail_after_it_counts() -> None:
    """A later fail is never hidden by a deadline."""
    world = World()
    shop_with_errors(world)
    early = poll(world, 120, deadline=at(120))
    late = poll(world, 200, deadline=at(120))
    assert facts(early) == ("inconclusive", "deadline_reached", True) or early.final
    assert facts(late) == ("fail", "error_rate_up", True)


def test_stage_final_makes_a_pass_final() -> None:
    """The last step before promotion."""
    world = World()
    world.shop()
    assert facts(poll(world, 400, stage=Stage.FINAL)) == ("pass", "healthy", True)
    assert poll(world, 400).final is False


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"as_of": at(461)}, "as_of"),
        ({"started_at": at(461)}, "started_at"),
        ({"started_at": at(100), "deadline": at(100)}, "deadline"),
        ({"deadline": at(-60)}, "deadline"),
        ({"canary": "{a=~"}, "canary"),
        ({"control": '{a="b'}, "control"),
    ],
)
def test_what_cannot_be_used_is_named(changes: dict[str, object], field: str) -> None:
    """The caller learns which field to mend."""
    world = World()
    world.shop()
    with pytest.raises(InputError) as caught:
        poll(world, 400, **changes)
    assert caught.value.field == field


def test_a_clock_a_little_ahead_is_now() -> None:
    """Up to a minute of skew between a controller and us."""
    world = World()
    world.shop()
    assert poll(world, 400, as_of=at(459)).as_of == at(400)


def test_time_going_backwards_is_harmless() -> None:
    """A clock that was set back does not judge anything twice."""
    world = World()
    world.shop()
    late, early = poll(world, 400), poll(world, 300)
    assert early.attempt == late.attempt
    assert facts(early) == facts(late)
    assert facts(poll(world, 460)) == ("pass", "healthy", False)


@pytest.mark.parametrize("back", [130, 3600, 86_400])
def test_a_clock_that_was_set_back_passes_nothing(back: float) -> None:
    """It reads nothing new: a canary that turns bad meanwhile would go through on old samples."""
    world = World()
    world.shop()
    assert facts(poll(world, 460)) == ("pass", "healthy", False)
    told = poll(world, 460 - back)
    assert facts(told) == ("inconclusive", "stale_data", False)
    assert "it was set back" in told.reason.text
    assert body(world.gate.records.replay(told.id)) == body(told)
    assert facts(poll(world, 480)) == ("pass", "healthy", False)


def test_a_fail_outlives_a_clock_that_was_set_back() -> None:
    """Also where the process is new, and the samples that it was found in are gone."""
    world = World()
    shop_with_errors(world)
    failed = poll(world, 400)
    world.stores.points.rows.clear()  # type: ignore[attr-defined]
    world.restart()
    told = poll(world, 100)
    assert (told.outcome, told.attempt) == (Outcome.FAIL, failed.attempt)


def test_an_unknown_policy_names_the_known() -> None:
    """A 404 that helps."""
    world = World(settings=GateSettings(policies={"strict": Policy(name="strict")}))
    with pytest.raises(NotFoundError, match=r"no policy 'loose'; known: default, strict"):
        poll(world, 100, policy="loose")
    assert world.gate.people.policy("strict").name == "strict"


def test_an_attempt_keeps_the_policy_that_it_began_with() -> None:
    """Who edits a policy does not change the judge in the middle of a rollout."""
    world = World()
    world.shop()
    world.gate.people.save_policy(Policy(name="mine"), person="ann")
    first = poll(world, 100, policy="mine")
    world.gate.people.save_policy(Policy(name="mine", alpha=0.1), person="ann")
    assert poll(world, 200, policy="mine").policy == first.policy
    assert poll(world, 200, policy="mine", attempt="2").policy != first.policy


@pytest.mark.parametrize(
    ("mode", "answer"),
    [
        (Mode.SHADOW, "pass"),
        (Mode.ADVISE, "pass"),
        (Mode.PAUSE, "inconclusive"),
        (Mode.ENFORCE, "fail"),
    ],
)
def test_the_mode_decides_what_is_acted_on(mode: Mode, answer: str) -> None:
    """`outcome` is the judgement, `answer` what a controller does."""
    world = World()
    shop_with_errors(world)
    verdict = poll(world, 300, policy=Policy(mode=mode))
    assert (verdict.outcome.value, verdict.answer.value) == ("fail", answer)


def test_break_glass_holds_and_expires() -> None:
    """Shadow for all for an hour, then as the policy says; the audit log knows."""
    world = World()
    shop_with_errors(world)
    assert poll(world, 300).answer is Outcome.FAIL
    world.gate.people.set_mode(Mode.SHADOW, person="ann", reason="incident 7", for_s=3600)
    broken = poll(world, 330)
    assert (broken.answer, broken.outcome, broken.mode) == (
        Outcome.PASS,
        Outcome.FAIL,
        Mode.SHADOW,
    )
    assert [c.mode for c in world.gate.people.modes()] == [Mode.SHADOW]
    assert poll(world, 300 + 3601).answer is Outcome.FAIL
    assert world.gate.people.modes() == ()
    assert [e.reason for e in world.gate.people.audit()] == ["incident 7"]


def test_break_glass_for_one_service_leaves_others() -> None:
    """And it can be ended before its time."""
    world = World()
    shop_with_errors(world)
    world.clock.at = T0 + 300
    set_mode = world.gate.people.set_mode
    set_mode(Mode.SHADOW, person="ann", reason="r", for_s=60, service="cart")
    assert poll(world, 300).answer is Outcome.FAIL
    set_mode(Mode.SHADOW, person="ann", reason="r", for_s=60, service="checkout")
    assert poll(world, 301).answer is Outcome.PASS
    set_mode(None, person="ann", reason="over", for_s=60, service="checkout")
    world.clock.at = T0 + 302
    assert poll(world, 302).answer is Outcome.FAIL


def test_an_override_stands_until_it_expires() -> None:
    """A person's decision goes before the latch, and the latch comes back after."""
    world = World()
    shop_with_errors(world)
    failed = poll(world, 300)
    world.gate.people.override(
        failed.attempt, outcome=Outcome.PASS, person="ann", reason="known noise", for_s=120
    )
    stands = poll(world, 330)
    assert facts(stands) == ("pass", "overridden", True)
    assert "ann" in stands.reason.text
    assert "known noise" in stands.reason.text
    assert facts(poll(world, 430)) == ("fail", "error_rate_up", True)
    assert world.gate.records.rollout(failed.attempt).overrides[0].person == "ann"


@pytest.mark.parametrize(
    ("person", "reason", "for_s", "field"),
    [("", "r", 60, "person"), ("ann", " ", 60, "reason"), ("ann", "r", 0, "for")],
)
def test_a_decision_needs_a_name_a_reason_and_an_end(
    person: str, reason: str, for_s: float, field: str
) -> None:
    """Nothing anonymous, nothing for ever."""
    world = World()
    with pytest.raises(InputError) as caught:
        world.gate.people.set_mode(Mode.SHADOW, person=person, reason=reason, for_s=for_s)
    assert caught.value.field == field
    assert world.gate.people.audit() == []


def test_the_first_step_is_granted_once() -> None:
    """Flagger asks before the first traffic; it would hold for ever."""
    world = World()
    world.shop(until=T0 + 30)
    world.clock.at = T0 + 20
    request = ask(canary='{track="next"}')
    yes = world.gate.first_step(request)
    assert facts(yes) == ("pass", "first_step", False)
    world.clock.at = T0 + 25
    assert world.gate.first_step(request).reason.code == "first_step"
    world.clock.at = T0 + 30  # Flagger's shortest interval later
    assert facts(world.gate.first_step(request)) == ("inconclusive", "no_canary_data", False)


def test_the_first_step_is_not_granted_where_the_source_is_down() -> None:
    """Not having seen traffic is not the same as not having looked."""
    world = World(source=FakeSource(fault=Fault.DOWN))
    assert world.gate.first_step(ask()).reason.code == "source_unavailable"


def test_a_rollback_passes_at_once() -> None:
    """A revision that was control for an hour is let through without waiting for traffic."""
    world = World()
    world.shop()
    poll(world, 300)
    for name in ("web-zzzzz-kkkkk", "web-zzzzz-lllll"):
        world.pod(name, "back", born=T0 + 4000, until=T0 + 6000, per_s=0.1)
    world.pod("web-bbbbb-ppppp", "stable", born=T0 + 3600, until=T0 + 6000)
    back = poll(world, 4060, canary='{track="back"}')
    assert facts(back) == ("pass", "rollback", False)
    judged = poll(
        world,
        4060,
        canary='{track="back"}',
        attempt="j",
        policy=Policy(rollback=RollbackRule.JUDGE),
    )
    assert facts(judged) == ("inconclusive", "low_traffic", False)


def test_fails_still_apply_to_a_rollback() -> None:
    """An old revision can be broken by what has changed around it."""
    world = World()
    world.shop()
    poll(world, 300)
    world.pod("web-bbbbb-ppppp", "stable", born=T0 + 3600, until=T0 + 6000)
    world.pod("web-zzzzz-kkkkk", "back", born=T0 + 4000, until=T0 + 6000, errors={T0 + 4030: 30})
    assert poll(world, 4200, canary='{track="back"}').outcome is Outcome.FAIL


def test_the_same_pods_as_control_are_no_rollback() -> None:
    """An A/A comparison is judged."""
    world = World()
    world.shop()
    poll(world, 100)
    world.pod("web-zzzzz-kkkkk", "twin", born=T0, until=T0 + 900, per_s=0.1)
    assert poll(world, 200, canary='{track="twin"}').reason.code == "low_traffic"


def test_answers_are_stored_when_they_change_or_once_a_minute() -> None:
    """A poll each second does not fill the disk."""
    world = World()
    world.shop()
    ids = [poll(world, 400 + second).id for second in range(180)]
    assert len(set(ids)) == 3
    page = world.gate.records.list(Filter(service="checkout"))
    assert [v.id for v in page.verdicts] == sorted(set(ids), reverse=True)


def test_a_poll_within_a_scrape_reads_nothing() -> None:
    """We are guests on people's Prometheus."""
    world = World()
    world.shop()
    poll(world, 400)
    before = len(world.source.reads)
    poll(world, 405)
    assert len(world.source.reads) == before
    poll(world, 415)
    assert [(r.start, r.end) for r in world.source.reads[before:]] == [(T0 + 310, T0 + 415)]


def test_concurrent_polls_read_once() -> None:
    """Eight controllers at once make one read, and all get the same answer."""
    world = World()
    world.shop()
    poll(world, 100)
    before = len(world.source.reads)
    world.clock.at = T0 + 400
    with ThreadPoolExecutor(8) as pool:
        verdicts = list(pool.map(lambda _: world.gate.judge(ask()), range(16)))
    assert len(world.source.reads) == before + 1
    assert len({body(v) for v in verdicts}) == 1


def test_as_of_in_the_past_writes_nothing_and_is_what_was_due() -> None:
    """The answer of a moment is the same when it is asked for later."""
    world = World()
    shop_with_errors(world)
    then = {second: poll(world, second) for second in (70, 110, 130, 150, 300)}
    world.clock.at = T0 + 1000
    before = fingerprint(world)
    for second, verdict in then.items():
        again = world.gate.judge(ask(as_of=at(second)))
        assert body(replace(again, id=verdict.id)) == body(verdict)
    assert fingerprint(world) == before


def fingerprint(world: World) -> tuple[object, ...]:
    """Everything that the stores hold."""
    stores: Any = world.stores
    tables = (stores.attempts, stores.verdicts, stores.points, stores.overrides, stores.revisions)
    return tuple(repr(table.rows) for table in tables)


def test_as_of_without_any_attempt_is_judged_from_the_source() -> None:
    """A backtest needs no poll at the time."""
    world = World()
    shop_with_errors(world)
    world.clock.at = T0 + 2000
    before = fingerprint(world)
    answers = [
        world.gate.judge(ask(as_of=at(second))).outcome.value for second in (20, 110, 300, 1900)
    ]
    assert answers == ["inconclusive", "pass", "fail", "fail"]
    assert fingerprint(world) == before


def test_overrides_of_later_do_not_change_the_past() -> None:
    """What stood then counts."""
    world = World()
    shop_with_errors(world)
    failed = poll(world, 300)
    world.clock.at = T0 + 400
    world.gate.people.override(
        failed.attempt, outcome=Outcome.PASS, person="ann", reason="r", for_s=100
    )
    world.clock.at = T0 + 1000
    got = [str(world.gate.judge(ask(as_of=at(s))).reason.code) for s in (350, 450, 550)]
    assert got == ["error_rate_up", "overridden", "error_rate_up"]


def test_an_evidence_file_that_was_changed_is_refused() -> None:
    """Evidence is worth something only if it cannot be edited."""
    world = World()
    world.shop()
    file = world.gate.records.export(poll(world, 400).id)
    evidence = unpack_evidence(file)
    changed = replace(evidence.chunks[0], body=evidence.chunks[0].body + b"x")
    for bad in (
        b"",
        b"PK\3\4",
        file[:-5],
        pack_evidence(replace(evidence, chunks=(changed,))),
        pack_evidence(replace(evidence, chunks=())),
    ):
        with pytest.raises(InputError):
            world.gate.records.replay_file(bad)


def test_an_evidence_file_replays_on_another_machine() -> None:
    """Nothing but the file is needed."""
    world = World()
    shop_with_errors(world)
    verdict = poll(world, 300)
    elsewhere = World(source=FakeSource(fault=Fault.DOWN))
    assert body(elsewhere.gate.records.replay_file(world.gate.records.export(verdict.id))) == body(
        verdict
    )


def test_a_source_that_eats_all_the_time_is_not_asked_again() -> None:
    """One question ends in time, whatever it would still read."""
    world = World(settings=GateSettings(bound_s=1e-9))
    world.shop()
    assert poll(world, 300).reason.code == "source_unavailable"
