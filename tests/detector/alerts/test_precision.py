"""What each rule told and held back, and whether people say that this was right."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from detector.alerts.brief import Gravity
from detector.alerts.digest import digest_of
from detector.alerts.digest_words import held_words, rule_words, text_words, title_words
from detector.alerts.history import Case, Held, History, Hold, Telling, Word, WordKind
from detector.alerts.plan import decide, review
from detector.alerts.precision import Judged, RulePrecision, judged, precision_of
from detector.alerts.settings import AlertRules, Escalation, Route, Step
from tests.detector.alerts.making import DAY, MINUTE, MONDAY, brief, match

WEEK = 7 * DAY
TREE = AlertRules(
    route=Route(
        receiver="chat",
        team="shop",
        escalation="up",
        routes=(Route(receiver="pager", matchers=match('service="pay"'), severity=Gravity.HIGH),),
    ),
    escalations={"up": Escalation(steps=(Step(after_s=60, receiver="lead"),))},
)
WHERE = "https://serinus.example.org"
PAY = 'service="pay", severity high or worse'


def case(
    number: int, *words: WordKind, told: str = "chat", held: str = "", at: int = MONDAY
) -> Case:
    """One that some were told of, and others were not."""
    hold = Hold(
        receiver=held,
        team="shop",
        reason=Held.QUIET,
        words="quiet hours night",
        since=at,
        route=PAY,
    )
    telling = Telling(receiver=told, team="shop", at=at)
    return Case(
        id=f"inc_{number}",
        title="cart is ill",
        severity=Gravity.MEDIUM,
        services=("cart",),
        labels={},
        is_open=False,
        began=at,
        seen=at,
        told=(telling,) if told else (),
        held=(hold,) if held else (),
        words=tuple(Word(kind=kind, person="ada", at=at) for kind in words),
    )


def of(*cases: Case) -> tuple[RulePrecision, ...]:
    """In that week."""
    return precision_of(cases, "shop", MONDAY, MONDAY + WEEK)


@pytest.mark.parametrize(
    ("words", "verdict"),
    [
        ((), None),
        ((WordKind.SNOOZED,), None),
        ((WordKind.ACKNOWLEDGED, WordKind.SNOOZED), Judged.REAL),
        ((WordKind.NO_INCIDENT, WordKind.ACKNOWLEDGED), Judged.REAL),
        ((WordKind.ACKNOWLEDGED, WordKind.NO_INCIDENT), Judged.NONE),
        ((WordKind.ACKNOWLEDGED, WordKind.CAUSED_BY), Judged.TRACED),
        ((WordKind.NO_CHANGE,), Judged.REAL),
    ],
)
def test_the_last_word_that_says_so_counts(
    words: tuple[WordKind, ...], verdict: Judged | None
) -> None:
    """A snooze says nothing of whether it was one; who names its change takes it for one."""
    assert judged(case(1, *words)) is verdict


def test_a_rule_is_right_where_people_say_so() -> None:
    """Nobody's silence counts for or against it."""
    told = (WordKind.ACKNOWLEDGED, WordKind.CAUSED_BY, WordKind.NO_INCIDENT)
    (rule,) = of(*(case(n, kind) for n, kind in enumerate(told)), case(9))
    assert (rule.told, rule.right, rule.traced, rule.wrong) == (4, 2, 1, 1)
    assert rule.precision == 2 / 3


def test_what_was_held_may_be_missed() -> None:
    """Others heard of it and were at it, so quiet hours cost something."""
    both = case(1, WordKind.ACKNOWLEDGED, held="pager")
    other, chat = of(both, case(2, WordKind.NO_INCIDENT, told="", held="pager"))[::-1]
    assert (chat.receiver, chat.told, chat.held) == ("chat", 1, 0)
    assert (other.route, other.held, other.missed, other.spared) == (PAY, 2, 1, 1)
    assert other.precision is None


def test_each_rule_of_a_tree_is_counted_by_its_name() -> None:
    """By what it asks for; and that nobody was at it is no second incident."""
    history = History()
    for number, service in ((1, "cart"), (2, "pay"), (3, "pay")):
        grave = brief(number, Gravity.HIGH, (service,))
        history = decide(grave, TREE, history, MONDAY).history
    history = review(brief(1, Gravity.HIGH), TREE, history, MONDAY + 5 * MINUTE).history
    assert {one.receiver for one in history.cases["inc_1"].told} == {"chat", "lead"}
    rules = of(*history.cases.values())
    assert [(rule.route, rule.receiver, rule.told) for rule in rules] == [
        ("", "chat", 1),
        (PAY, "pager", 2),
    ]


CASES = st.lists(
    st.builds(
        case,
        st.integers(0, 99),
        st.sampled_from(WordKind),
        told=st.sampled_from(["", "chat", "pager"]),
        held=st.sampled_from(["", "chat", "lead"]),
        at=st.integers(MONDAY - DAY, MONDAY + WEEK + DAY),
    ),
    max_size=12,
)


@given(CASES)
def test_nothing_is_counted_twice_and_nothing_of_another_week(cases: list[Case]) -> None:
    """What is right, wrong, missed or spared was told or held, in this week."""
    rules = of(*cases)
    inside = [one for one in cases if MONDAY <= one.began < MONDAY + WEEK]
    assert sum(rule.told for rule in rules) == sum(bool(one.told) for one in inside)
    assert sum(rule.held for rule in rules) <= sum(bool(one.held) for one in inside)
    for rule in rules:
        assert rule.traced <= rule.right
        assert rule.right + rule.wrong <= rule.told
        assert rule.missed + rule.spared <= rule.held
        assert rule.precision is None or 0 <= rule.precision <= 1


@given(CASES)
def test_another_week_or_another_team_changes_nothing(cases: list[Case]) -> None:
    """Weeks side by side hold all of it, each incident in one."""
    others = [replace(one, told=(), held=()) for one in cases]
    assert of(*cases, *others) == of(*cases)
    assert precision_of(cases, "mail", MONDAY, MONDAY + WEEK) == ()


# -- in words


def test_a_digest_in_words() -> None:
    """What whoever is on call reads on monday."""
    cases = (
        case(1, WordKind.ACKNOWLEDGED),
        case(2, WordKind.NO_INCIDENT),
        case(3, WordKind.CAUSED_BY, told="", held="pager"),
    )
    history = History(cases={one.id: one for one in cases})
    digest = digest_of(history, "shop", MONDAY, MONDAY + WEEK, f"{WHERE}/")
    assert title_words(digest) == "The week of shop: 2 incidents told, 1 held back"
    assert text_words(digest) == "Of 2 told ones that people judged 1 was an incident (50%)."
    (held,) = held_words(digest)
    assert (
        held == f"Held back, medium: cart is ill. Why: quiet hours night. {WHERE}/incidents/inc_3"
    )
    chat, pager = (rule_words(rule) for rule in digest.rules)
    assert chat == (
        "Rule all that no other rule takes to chat, in four weeks: told 2,"
        " of 2 that were judged 1 rightly (50%)."
    )
    assert pager == f"Rule {PAY} to pager, in four weeks: told 0; held 1 (1 wrongly)."


def test_rules_are_of_four_weeks_and_the_rest_is_of_one() -> None:
    """Two incidents a week say nothing of a rule; eight do a little."""
    cases = (
        case(1, WordKind.ACKNOWLEDGED),
        case(2, at=MONDAY - 20 * DAY),
        case(3, at=MONDAY - 40 * DAY),
    )
    digest = digest_of(History(cases={one.id: one for one in cases}), "shop", MONDAY, MONDAY + WEEK)
    assert (digest.told, digest.rules[0].told) == (1, 2)


def test_a_week_without_anything_is_empty() -> None:
    """Nobody is told that nothing was."""
    digest = digest_of(History(), "shop", MONDAY, MONDAY + WEEK)
    assert digest.is_empty
    assert text_words(digest) == "Nothing was told."


def test_many_that_were_held_are_not_all_said() -> None:
    """A message has an end; the number is true."""
    cases = [case(n, told="", held="pager") for n in range(70)]
    digest = digest_of(History(cases={one.id: one for one in cases}), "shop", MONDAY, MONDAY + WEEK)
    told = list(held_words(digest))
    assert (len(told), told[-1]) == (21, "and 50 more that were held back")
