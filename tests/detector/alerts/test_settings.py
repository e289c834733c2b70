"""What cannot be meant stops the start, and the message says which key."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from detector.alerts.brief import Gravity
from detector.alerts.settings import (
    AlertRules,
    Budget,
    Escalation,
    Hours,
    Inhibition,
    Maintenance,
    Route,
    Step,
)
from detector.errors import ConfigError
from detector.series import Matcher, MatchOp
from tests.detector.alerts.making import match

BROKEN = (Matcher("service", MatchOp.MATCHES, "("),)


def deep(levels: int) -> Route:
    """A tree that is one long branch."""
    route = Route()
    for _ in range(levels):
        route = Route(routes=(route,))
    return Route(receiver="all", routes=(route,))


@pytest.mark.parametrize(
    ("make", "told"),
    [
        (lambda: Hours(start=-1, end=5), "start"),
        (lambda: Hours(start=0, end=1441), "end"),
        (lambda: Hours(start=0, end=5, days=()), "days"),
        (lambda: Hours(start=0, end=5, days=(7,)), "days"),
        (lambda: Maintenance(name="db"), "maintenance.db"),
        (lambda: Maintenance(name="db", start=5), "maintenance.db"),
        (lambda: Maintenance(name="db", start=5, end=5), "maintenance.db.end"),
        (lambda: Maintenance(name="db", matchers=BROKEN, start=1, end=2), "maintenance.db.match"),
        (lambda: Inhibition(source=(), target=()), "inhibit.source"),
        (lambda: Inhibition(source=match('a="b"'), target=BROKEN), "inhibit.target"),
        (lambda: Escalation(steps=()), "escalations.steps"),
        (lambda: Escalation(steps=(Step(after_s=0, receiver="a"),)), "after_s"),
        (lambda: Escalation(steps=(Step(after_s=9, receiver="a"),) * 2), "after_s"),
        (lambda: Budget(a_week=0), "budgets.a_week"),
        (lambda: Route(receiver="a", matchers=BROKEN), "route.match"),
        (lambda: AlertRules(route=Route()), "route.receiver"),
        (lambda: AlertRules(route=Route(receiver="a", severity=Gravity.HIGH)), "route.match"),
        (lambda: AlertRules(route=Route(receiver="a", quiet="night")), "route.quiet"),
        (lambda: AlertRules(route=Route(receiver="a", escalation="up")), "route.escalation"),
        (lambda: AlertRules(route=deep(40)), "route.routes"),
    ],
)
def test_what_cannot_be_meant_is_refused_by_its_key(make: Callable[[], object], told: str) -> None:
    """At the start, not at night when something is to be told."""
    with pytest.raises(ConfigError, match=rf"^alerts\.\S*{told}: "):
        make()


def test_a_receiver_that_is_not_there_is_named_with_those_that_are() -> None:
    """A step of an escalation counts as well as a route."""
    chain = Escalation(steps=(Step(after_s=60, receiver="boss"),))
    rules = AlertRules(route=Route(receiver="chat"), escalations={"up": chain})
    assert rules.receivers == {"chat", "boss"}
    rules.check_receivers(["chat", "boss", "spare"])
    with pytest.raises(ConfigError, match=r"receiver: there is no 'boss'; there are: chat, mail"):
        rules.check_receivers(["chat", "mail"])


def test_nothing_set_is_nothing_wrong() -> None:
    """Who does not use it does not see it."""
    assert AlertRules().receivers == frozenset()
