"""Who is told, and what the others are answered when they ask why they were not."""

from __future__ import annotations

from dataclasses import replace

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from detector.alerts.brief import Gravity, IncidentBrief
from detector.alerts.digest import digest_of, teams_of
from detector.alerts.history import Held, History, Word, WordKind, pruned
from detector.alerts.plan import TellKind, decide, review, waiting, wake_at, why_not
from detector.alerts.settings import (
    AlertRules,
    Escalation,
    Hours,
    Inhibition,
    Maintenance,
    Quiet,
    Route,
    Step,
)
from tests.detector.alerts.making import (
    DAY,
    HOUR,
    MINUTE,
    MONDAY,
    brief,
    closed,
    match,
    rules,
)
from tests.profiles import HEAVY

NIGHT = Quiet(hours=(Hours(start=22 * 60, end=7 * 60),))
QUIET = rules(route=Route(receiver="chat", team="shop", quiet="night"), quiet={"night": NIGHT})
CHAIN = Escalation(steps=(Step(after_s=300, receiver="lead"), Step(after_s=900, receiver="boss")))
RISING = rules(route=Route(receiver="chat", escalation="up"), escalations={"up": CHAIN})


def word(kind: WordKind, at: int = MONDAY, until: int | None = None) -> Word:
    """Ada says it."""
    return Word(kind=kind, person="ada", at=at, until=until)


def told(rules_: AlertRules, *briefs: IncidentBrief, at: int = MONDAY) -> History:
    """After these were decided."""
    history = History()
    for one in briefs:
        history = decide(one, rules_, history, at).history
    return history


def test_an_update_goes_to_who_was_told() -> None:
    """Also that it is over, and that is no first time."""
    history = told(rules(), brief())
    decision = decide(closed(brief()), rules(), history, MONDAY + HOUR)
    assert [(one.receiver, one.kind) for one in decision.tells] == [("chat", TellKind.UPDATE)]
    assert decision.held == ()
    assert why_not(decision.history, "inc_1", "chat") == "chat was told"


def test_without_routes_nobody_is_told_and_the_answer_says_so() -> None:
    """Not a silence without a reason."""
    decision = decide(brief(), AlertRules(), History(), MONDAY)
    assert decision.receivers == ()
    assert why_not(decision.history, "inc_1", "chat") == "no alerts.route is set"
    assert "no route leads" in why_not(told(rules(), brief()), "inc_1", "pager")
    assert "nothing was decided" in why_not(History(), "inc_9", "chat")


def test_what_the_night_held_is_told_in_the_morning_if_it_lasts() -> None:
    """Once, and what was over by then is not."""
    night, seven = MONDAY + 23 * HOUR, MONDAY + 31 * HOUR
    history = told(QUIET, brief(1), brief(2), at=night)
    assert why_not(history, "inc_1", "chat") == "quiet hours night until 2026-11-24 07:00 UTC"
    history = decide(closed(brief(2)), QUIET, history, night + HOUR).history
    assert (wake_at(history, QUIET, night), waiting(history, QUIET, seven - 1)) == (seven, ())
    assert waiting(history, QUIET, seven) == ("inc_1",)
    decision = review(brief(1), QUIET, history, seven)
    assert [one.kind for one in decision.tells] == [TellKind.FIRST]
    assert waiting(decision.history, QUIET, seven) == ()


def test_what_gets_grave_in_the_night_is_told_then() -> None:
    """Held is not forgotten."""
    history = told(QUIET, brief(), at=MONDAY + 23 * HOUR)
    graver = replace(brief(), severity=Gravity.HIGH, why="grew")
    assert decide(graver, QUIET, history, MONDAY + 24 * HOUR).receivers == ("chat",)


def test_what_a_rule_was_taught_not_to_tell_is_held() -> None:
    """By the rule and who it leads to; other rules tell it, and graver ones are told."""
    tree = Route(
        receiver="chat",
        team="shop",
        routes=(Route(matchers=match('service="cart"'), carry_on=True, receiver="lead"),),
    )
    own = replace(rules(route=tree), learned={('service="cart"', "lead"): Gravity.HIGH})
    decision = decide(brief(), own, History(), MONDAY)
    (held,) = decision.held
    assert (held.receiver, held.reason) == ("lead", Held.LEARNED)
    assert decide(brief(severity=Gravity.HIGH), own, History(), MONDAY).receivers == ("lead",)
    other = replace(own, learned={("", "lead"): Gravity.HIGH})
    assert decide(brief(), other, History(), MONDAY).receivers == ("lead",)


def test_maintenance_is_named_with_its_reason() -> None:
    """Who asks learns who planned what."""
    window = Maintenance(name="db", start=MONDAY, end=MONDAY + HOUR, reason="upgrade")
    decision = decide(brief(), rules(maintenance=(window,)), History(), MONDAY)
    because = "chat: maintenance db (upgrade) until 2026-11-23 01:00 UTC"
    assert decision.held_because == (because,)


CLUSTER = Inhibition(
    source=match('scope="cluster"'), target=match('scope!="cluster"'), equal=("cluster",)
)


def test_an_incident_of_a_whole_cluster_holds_those_in_it() -> None:
    """Until it is over; those of other clusters are told."""
    wide = brief(1, Gravity.HIGH, ("etcd",), scope="cluster", cluster="eu")
    inner, other = brief(2, cluster="eu"), brief(3, cluster="us")
    ours = rules(inhibit=(CLUSTER,))
    history = told(ours, wide, inner, other)
    assert why_not(history, "inc_2", "chat") == "held while inc_1 lasts: etcd is ill"
    assert why_not(history, "inc_3", "chat") == "chat was told"
    assert waiting(history, ours, MONDAY) == ()
    history = decide(closed(wide), ours, history, MONDAY + HOUR).history
    assert waiting(history, ours, MONDAY + HOUR) == ("inc_2",)
    assert review(inner, ours, history, MONDAY + HOUR).receivers == ("chat",)


def test_two_of_a_kind_do_not_hold_each_other() -> None:
    """Somebody has to hear of it."""
    both = Inhibition(source=match('a="1"'), target=())
    history = told(rules(inhibit=(both,)), brief(1, a="1"), brief(2, a="1"))
    assert all(case.was_told("chat") for case in history.cases.values())


def test_what_is_called_no_incident_holds_nothing() -> None:
    """A false alarm hides no true one."""
    ours = rules(inhibit=(CLUSTER,))
    wide = brief(1, scope="cluster", cluster="eu")
    history = told(ours, wide, brief(2, cluster="eu"))
    history = history.heard("inc_1", word(WordKind.NO_INCIDENT))
    assert waiting(history, ours, MONDAY) == ("inc_2",)


def test_no_more_is_told_of_what_is_no_incident() -> None:
    """Not even that it is over."""
    history = told(rules(), brief()).heard("inc_1", word(WordKind.NO_INCIDENT))
    decision = decide(closed(brief()), rules(), history, MONDAY + HOUR)
    assert decision.held_because == ("chat: ada called it no incident",)


def test_a_snooze_ends_with_a_reminder() -> None:
    """Who asked for an hour's peace gets an hour."""
    until = MONDAY + HOUR
    history = told(rules(), brief()).heard("inc_1", word(WordKind.SNOOZED, until=until))
    held = decide(replace(brief(), why="grew"), rules(), history, MONDAY + MINUTE)
    assert held.held_because == ("chat: ada snoozed it until 2026-11-23 01:00 UTC",)
    assert waiting(held.history, rules(), until) == ("inc_1",)
    again = review(brief(), rules(), held.history, until)
    assert [one.kind for one in again.tells] == [TellKind.REMINDED]
    assert review(brief(), rules(), again.history, until).tells == ()


def test_a_snoozed_incident_that_is_over_is_told() -> None:
    """Who snoozed it waits for that."""
    history = told(rules(), brief()).heard("inc_1", word(WordKind.SNOOZED, until=MONDAY + HOUR))
    assert decide(closed(brief()), rules(), history, MONDAY + MINUTE).receivers == ("chat",)


def test_who_is_next_hears_when_nobody_acknowledges_and_hears_once() -> None:
    """Also after a restart: what is due follows from what is kept."""
    history = told(RISING, brief())
    assert wake_at(history, RISING, MONDAY) == MONDAY + 5 * MINUTE
    for minute, who in ((4, ()), (5, ("lead",)), (6, ()), (15, ("boss",)), (99, ())):
        at = MONDAY + minute * MINUTE
        assert bool(waiting(history, RISING, at)) is bool(who)
        decision = review(brief(), RISING, history, at)
        assert decision.receivers == who
        history = decision.history
    assert decide(closed(brief()), RISING, history, MONDAY + DAY).receivers == (
        "chat",
        "lead",
        "boss",
    )


@pytest.mark.parametrize("kind", list(WordKind))
def test_a_persons_word_stops_the_escalation(kind: WordKind) -> None:
    """Whatever it was, somebody saw it; a snooze does so until it ends."""
    history = told(RISING, brief()).heard("inc_1", word(kind, until=MONDAY + HOUR))
    assert review(brief(), RISING, history, MONDAY + 30 * MINUTE).receivers == ()


def test_what_the_budget_held_is_told_when_it_becomes_worth_it_only() -> None:
    """And no update before, nor its end; the digest lists it."""
    ours = rules(1)
    history = told(ours, brief(1), brief(2))
    assert "which is its budget" in why_not(history, "inc_2", "chat")
    later = MONDAY + 8 * DAY
    same = decide(replace(brief(2), why="suspect"), ours, history, later)
    assert same.receivers == ()
    graver = replace(brief(2), severity=Gravity.HIGH, why="grew")
    assert decide(graver, ours, history, later).receivers == ("chat",)
    assert decide(closed(brief(2)), ours, history, later).receivers == ()


def test_a_team_pays_once_for_all_its_receivers() -> None:
    """The pager beside the chat is no second incident."""
    routes = (Route(matchers=match('env=""'), carry_on=True), Route(receiver="pager"))
    ours = rules(1, route=Route(receiver="chat", team="shop", routes=routes))
    assert decide(brief(), ours, History(), MONDAY).receivers == ("chat", "pager")


def test_what_no_route_leads_to_any_more_is_waited_for_no_more() -> None:
    """Routes that were changed leave nothing behind that wakes forever."""
    history = told(QUIET, brief(), at=MONDAY + 23 * HOUR)
    other = rules(route=Route(receiver="mail"))
    later = review(brief(), other, history, MONDAY + 40 * HOUR)
    assert later.receivers == ("mail",)
    assert waiting(later.history, other, MONDAY + 40 * HOUR) == ()


def test_the_digest_lists_what_was_held_back_the_gravest_first() -> None:
    """With links, and how often what was told was an incident."""
    ours = rules(1)
    graver = brief(3, Gravity.MEDIUM, ("pay", "cart"))
    history = told(ours, brief(1), brief(2), graver)
    history = history.heard("inc_1", word(WordKind.ACKNOWLEDGED))
    week = digest_of(history, "shop", MONDAY, MONDAY + 7 * DAY, "https://x/")
    assert teams_of(history) == ("shop",)
    assert [one.link for one in week.held] == [
        "https://x/incidents/inc_3",
        "https://x/incidents/inc_2",
    ]
    assert {one.reason for one in week.held} == {Held.BUDGET}
    assert (week.told, week.held_count, week.precision) == (1, 2, 1.0)
    assert digest_of(history, "shop", 0, MONDAY).held_count == 0
    assert digest_of(history, "shop", 0, MONDAY).precision is None


def test_what_is_kept_goes_through_a_store_and_does_not_grow_forever() -> None:
    """A restart decides as if there was none."""
    history = told(rules(1), brief(1), brief(2))
    back = msgspec.json.decode(msgspec.json.encode(history), type=History)
    assert back == history
    assert set(pruned(history, MONDAY + 90 * DAY).cases) == {"inc_1", "inc_2"}
    over = decide(closed(brief(1)), rules(1), history, MONDAY).history
    assert set(pruned(over, MONDAY + 90 * DAY).cases) == {"inc_2"}


STEPS = st.lists(
    st.tuples(
        st.integers(1, 8),
        st.sampled_from(["open", "open", "close", "review", *WordKind]),
        st.sampled_from(list(Gravity)),
        st.integers(0, 12),
    ),
    max_size=25,
)
ALL = replace(QUIET, budgets=rules(2).budgets, inhibit=(CLUSTER,), escalations={"up": CHAIN})


@HEAVY
@given(STEPS)
def test_everybody_is_told_or_knows_why_not(
    steps: list[tuple[int, str | WordKind, Gravity, int]],
) -> None:
    """Whatever happens in whichever order: no first time twice, no silence without a reason."""
    history, now, firsts = History(), MONDAY, list[tuple[str, str]]()
    for number, what, gravity, hours in steps:
        now += hours * HOUR
        one = brief(number, gravity)
        if isinstance(what, WordKind):
            history = history.heard(one.id, word(what, now, now + HOUR))
            continue
        act = review if what == "review" else decide
        decision = act(closed(one) if what == "close" else one, ALL, history, now)
        history = decision.history
        firsts += [(one.id, tell.receiver) for tell in decision.tells if tell.kind == "first"]
        assert why_not(history, one.id, "chat")
        assert ("chat" in decision.receivers) <= (history.cases[one.id].was_told("chat"))
        assert history.cases[one.id].was_told("chat") or decision.held
    assert len(firsts) == len(set(firsts))
    paid = [one.at for case in history.cases.values() for one in case.told if one.paid]
    assert all(sum(at - 7 * DAY < one <= at for one in paid) <= 2 for at in paid)
