"""The tree is read as people know it from Alertmanager."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from detector.alerts.brief import Gravity
from detector.alerts.routing import Destination, destinations
from detector.alerts.settings import Route
from tests.detector.alerts.making import brief, match

PAY = Route(receiver="pay", matchers=match('service=~"pay.*"'), escalation="")
TREE = Route(
    receiver="all",
    team="platform",
    quiet="night",
    escalation="up",
    routes=(
        Route(receiver="audit", matchers=match('env="prod"'), carry_on=True),
        Route(
            matchers=match('namespace="shop"'),
            team="shop",
            routes=(PAY, Route(receiver="phone", severity=Gravity.HIGH)),
        ),
    ),
)


def names(*services: str, severity: Gravity = Gravity.MEDIUM, **labels: str) -> list[str]:
    """Who the tree says."""
    found = destinations(TREE, brief(1, severity, services or ("cart",), **labels))
    return [one.receiver for one in found]


def test_what_no_child_takes_is_the_roots() -> None:
    """Nothing is lost between routes."""
    assert names() == ["all"]


def test_the_first_child_takes_it_unless_it_carries_on() -> None:
    """An audit channel hears beside the team."""
    assert names("pay-api", env="prod", namespace="shop") == ["audit", "pay"]
    assert names("pay-api", env="prod") == ["audit"]


def test_severity_is_the_least_that_a_route_takes() -> None:
    """A phone rings for what is grave; the rest stays with the node above, by inheritance."""
    assert names(namespace="shop", severity=Gravity.HIGH) == ["phone"]
    assert names(namespace="shop") == ["all"]


def test_any_service_of_an_incident_is_one_that_matches() -> None:
    """The team whose service shows it hears, whichever showed it first."""
    assert names("cart", "pay-api", namespace="shop") == ["pay"]


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ('service!="cart"', False),
        ('service!="mail"', True),
        ('service!~"pa.*"', False),
        ('severity="medium"', True),
        ('absent=""', True),
    ],
)
def test_a_negative_matcher_speaks_of_all_services(text: str, told: bool) -> None:
    """Who does not want to hear of the cart does not, also when others show it too."""
    tree = Route(receiver="all", routes=(Route(receiver="it", matchers=match(text)),))
    found = destinations(tree, brief(1, Gravity.MEDIUM, ("cart", "pay")))
    assert [one.receiver for one in found] == (["it"] if told else ["all"])


def test_what_is_left_out_is_inherited_and_an_empty_word_takes_it_back() -> None:
    """Defaults are said once."""
    (pay,) = destinations(TREE, brief(1, Gravity.MEDIUM, ("pay-api",), namespace="shop"))
    assert pay == Destination(
        receiver="pay",
        team="shop",
        quiet="night",
        escalation="",
        route='namespace="shop" / service=~"pay.*"',
    )


def test_a_receiver_without_a_team_is_its_own() -> None:
    """So that a budget can be given to it."""
    (one,) = destinations(Route(receiver="chat"), brief())
    assert one.team == "chat"


LEAF = st.builds(
    Route,
    receiver=st.sampled_from(["a", "b", None]),
    matchers=st.sampled_from([(), match('service="cart"'), match('service="no"')]),
    severity=st.sampled_from(list(Gravity)),
    carry_on=st.booleans(),
)
ROUTES = st.recursive(
    LEAF, lambda inner: st.builds(Route, carry_on=st.booleans(), routes=st.tuples(inner, inner))
)


@given(st.lists(ROUTES, max_size=3), st.sampled_from(list(Gravity)))
def test_every_incident_goes_somewhere_and_to_nobody_twice(
    children: list[Route], severity: Gravity
) -> None:
    """However the tree is made."""
    found = destinations(Route(receiver="all", routes=tuple(children)), brief(1, severity))
    told = [one.receiver for one in found]
    assert told
    assert len(told) == len(set(told))
