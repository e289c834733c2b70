"""The week of each team goes to its receivers, under one name, and nothing is said of nothing."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from detector.alerts.brief import Gravity
from detector.alerts.history import History
from detector.alerts.plan import decide
from detector.alerts.routing import receivers_by_team
from detector.alerts.settings import AlertRules
from detector.alerts.settings import Route as Tree
from detector.explain.teams import Span, team_digests, team_posts
from detector.gate.telling import NoticeKind, Post, Route
from tests.detector.alerts.making import DAY, MONDAY, brief, match, rules

WEEK = Span(since=MONDAY / 1000, until=(MONDAY + 7 * DAY) / 1000)
NOW = WEEK.until + 60
TREE = Tree(
    receiver="chat",
    team="platform",
    routes=(
        Tree(
            matchers=match('namespace="shop"'),
            team="shop",
            receiver="shop-chat",
            routes=(
                Tree(receiver="pager", severity=Gravity.HIGH, carry_on=True),
                Tree(receiver="shop-mail"),
            ),
        ),
        Tree(matchers=match('namespace="lab"'), receiver="lab", team=""),
    ),
)
ROUTES = (
    Route(name="chat"),
    Route(name="shop-chat"),
    Route(name="shop-mail"),
    Route(name="pager", kinds=frozenset({NoticeKind.INCIDENT})),
    Route(name="lab"),
)


def told(*namespaces: str, history: History | None = None, at: int = MONDAY) -> History:
    """One incident in each."""
    found = history or History()
    for number, namespace in enumerate(namespaces, len(found.cases)):
        one = brief(number, namespace=namespace)
        found = decide(one, AlertRules(route=TREE), found, at).history
    return found


def posts(history: History, routes: tuple[Route, ...] = ROUTES, span: Span = WEEK) -> list[Post]:
    """Of one tenant."""
    return list(team_posts({"default": history}, TREE, routes, span, now=NOW))


def test_a_team_reads_it_wherever_its_routes_lead() -> None:
    """To each of its receivers that wants weekly notices; a pager rings for nothing of a week."""
    (post,) = posts(told("shop"))
    assert post.to == ("shop-chat", "shop-mail")
    notice = post.notice
    assert (notice.kind, notice.tenant, notice.at) == (NoticeKind.WEEKLY, "default", NOW)
    assert notice.title == "The week of shop: 1 incident told, 0 held back"
    assert notice.digest is not None
    assert notice.digest.team == "shop"


def test_each_team_reads_its_own() -> None:
    """And a route without a team is its receiver's."""
    found = {post.to: post.notice.digest for post in posts(told("shop", "lab", "", ""))}
    assert set(found) == {("chat",), ("shop-chat", "shop-mail"), ("lab",)}
    assert {digest.team: digest.told for digest in found.values() if digest} == {
        "platform": 2,
        "shop": 1,
        "lab": 1,
    }


def test_a_week_in_which_nothing_was_told_or_held_is_silent() -> None:
    """A message that says nothing each week is one that nobody reads in the week it does."""
    assert posts(History()) == []
    assert posts(told("shop", at=MONDAY - DAY)) == []
    assert posts(told("shop", at=MONDAY + 7 * DAY)) == []


def test_what_was_held_alone_is_said() -> None:
    """A team whose pager never rang has to know that something was there."""
    ours = rules(1)
    history = History()
    for number in (1, 2):
        history = decide(brief(number), ours, history, MONDAY - (2 - number) * DAY).history
    assert ours.route is not None
    (post,) = team_posts({"default": history}, ours.route, (Route(name="chat"),), WEEK, now=NOW)
    digest = post.notice.digest
    assert digest is not None
    assert (digest.told, digest.held_count) == (0, 1)
    assert "alerts.budgets" in post.notice.advice


def test_who_wants_no_weekly_notice_or_is_gone_gets_none() -> None:
    """Also where a history still knows the team."""
    assert posts(told("shop"), (Route(name="pager"), *ROUTES[3:])) != []
    assert posts(told("shop"), ROUTES[3:]) == []
    gone = Tree(receiver="chat")
    assert list(team_posts({"default": told("shop")}, gone, ROUTES, WEEK, now=NOW)) == []


def test_a_week_of_a_team_has_one_name_and_no_other_has_it() -> None:
    """So it is told once, by however many processes and restarts."""
    history = told("shop", "lab")
    later = list(team_posts({"default": history}, TREE, ROUTES, WEEK, now=NOW + 9999))
    assert [post.notice.id for post in later] == [post.notice.id for post in posts(history)]
    other = list(team_posts({"other": history}, TREE, ROUTES, WEEK, now=NOW))
    next_week = replace(WEEK, since=WEEK.since - 1, until=WEEK.until + 86_400)
    every = [*later, *other, *posts(history, span=next_week)]
    assert len({post.notice.id for post in every}) == 6
    assert every[0].notice.id.startswith("digest:2026-11-30:")


@given(st.text(max_size=30))
def test_a_name_can_be_a_header(team: str) -> None:
    """Whatever a team calls itself."""
    tree = Tree(receiver="chat", team=team)
    history = decide(brief(1), AlertRules(route=tree), History(), MONDAY).history
    (post,) = team_posts({"default": history}, tree, ROUTES, WEEK, now=NOW)
    assert post.notice.id.isascii()
    assert post.notice.id.isprintable()
    assert "." not in post.notice.id


def test_one_team_may_be_asked_for() -> None:
    """Also one of which nothing is known."""
    history = told("shop", "lab")
    assert [one.team for one in team_digests(history, WEEK)] == ["lab", "shop"]
    (alone,) = team_digests(history, WEEK, team="mail")
    assert (alone.team, alone.is_empty) == ("mail", True)


def test_receivers_of_a_team_are_those_of_all_its_routes() -> None:
    """By inheritance, in the order of the tree."""
    assert receivers_by_team(TREE) == {
        "platform": ("chat",),
        "shop": ("shop-chat", "pager", "shop-mail"),
        "lab": ("lab",),
    }
