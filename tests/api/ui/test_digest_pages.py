"""The page of a week: what was told and held back, and how right rules and policies were."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest

from api.settings import Settings
from api.ui.digest_pages import _cut
from api.ui.digest_view import team_view
from detector.alerts.brief import Gravity
from detector.alerts.digest import Digest, HeldBack
from detector.alerts.history import Held
from detector.alerts.precision import RulePrecision
from tests.api.test_digest import SETTINGS
from tests.api.ui.parsed import Node
from tests.api.ui.scenes import Shop
from tests.api.ui.site import Site
from tests.api.ui.weeks import EVIL, HELD, bare_week, week


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """Shared: these tests only read."""
    with week(tmp_path_factory.mktemp("week")) as made:
        yield made


def tables(page: Node) -> dict[str, list[Node]]:
    """The rows of each table by its first heading."""
    every = page.every("table", class_="list")
    return {table.one("th").text: list(table.one("tbody").every("tr")) for table in every}


def test_what_was_held_back_is_listed_with_why(site: Site) -> None:
    """Whoever trusts the budget reads what it cost."""
    page = site.page("/digest")
    (team,) = page.every("section", class_="team")
    assert "1 incident told, 6 held back." in team.text
    held = tables(page)["Incident"]
    assert len(held) == HELD
    assert {row.one("td", data_label="Held by").text for row in held} == {"alert budget"}
    assert held[0].one("td", data_label="Why").text
    assert held[0].one("a").attrs["href"].startswith("/incidents/inc_")


def test_an_incident_of_the_list_has_its_page(site: Site) -> None:
    """It is a click to what was not told."""
    link = tables(site.page("/digest"))["Incident"][0].one("a").attrs["href"]
    assert site.page(link).one("h1").text


def test_each_rule_says_how_right_it_was(site: Site) -> None:
    """Of what people judged; what nobody judged is told apart."""
    (rule,) = tables(site.page("/digest"))["Rule"]
    assert "1 (1 right" in rule.one("td", data_label="Told").text
    assert rule.one("td", data_label="Right").text == "100%"
    assert f"{HELD} nobody said" in rule.one("td", data_label="Held").text


def test_each_policy_says_how_right_it_was(site: Site) -> None:
    """What it blocked and passed, and of how much that is known; not known is not right."""
    rows = tables(site.page("/digest"))["Policy"]
    (row,) = (one for one in rows if one.one("th").text.startswith("default"))
    assert row.one("td", data_label="Rollouts").text == "3"
    assert row.one("td", data_label="Blocked").text == "1 (1 not known)"
    assert row.one("td", data_label="Passed").text == "1 (1 not known)"
    assert row.one("td", data_label="Right").text == "not known"


def test_one_turns_from_week_to_week(site: Site) -> None:
    """Back from the last whole one, and forth again as far as there is one."""
    page = site.page("/digest")
    back = next(a.attrs["href"] for a in page.every("a") if a.text == "Week before")
    before = site.page(back)
    assert "told, 6 held back" not in before.text
    forth = next(a.attrs["href"] for a in before.every("a") if a.text == "Week after")
    assert "told, 6 held back" in site.page(forth).text
    on = next(a.attrs["href"] for a in site.page(forth).every("a") if a.text == "Week after")
    running = site.page(on)
    assert running.one("h1").text == "Digest of this week so far"
    assert "Week after" not in [a.text for a in running.every("a")]


def test_a_team_is_asked_for_alone(site: Site) -> None:
    """And one of which nothing is known has an empty week, under its name."""
    assert [s.attrs["aria-label"] for s in site.page("/digest?team=shop").every("section")] == [
        "shop"
    ]
    other = site.page("/digest?team=mail").one("section")
    assert "0 incidents told, 0 held back. Nothing was told." in other.text


@pytest.mark.parametrize(
    ("query", "status", "word"),
    [("week=monday", 400, "write 2026-11-23"), ("week=2036-01-01", 422, "is not yet"),
     ("week=2001-01-01", 422, "is before 2010-01-01")],
)  # fmt: skip
def test_what_is_no_week_is_told(site: Site, query: str, status: int, word: str) -> None:
    """Not answered with another one."""
    assert word in site.page(f"/digest?{query}", status).text


def test_what_others_wrote_is_text(site: Site) -> None:
    """Names of services and policies come from whoever sends them."""
    page = site.page("/digest")
    assert "<img src=x onerror=alert(1)>" in page.text
    assert "\u202e" not in page.text
    assert not list(page.one("main").every("img"))


def test_another_tenant_sees_nothing_of_it(site: Site) -> None:
    """Tenants share a process, not their weeks."""
    text = site.get("/digest", X_Scope_OrgID="other").text
    assert "told, 6 held back" not in text
    assert "No team was told of an incident" in text


def test_without_a_stream_and_rules_it_says_what_it_cannot_know() -> None:
    """No incidents held back would else look like a budget that works."""
    page = bare_week(Settings()).page("/digest")
    notes = [one.text for one in page.every("p", class_="notice")]
    assert ["no incidents here" in notes[0], "No alerts.route is set" in notes[1]] == [True, True]
    assert not list(page.every("section", class_="team"))
    assert "No rollout was judged" in page.one("p", class_="empty").text


def test_rules_that_told_nobody_are_not_an_absence_of_rules() -> None:
    """A quiet week and no rules are two things."""
    page = bare_week(SETTINGS).page("/digest")
    assert "No team was told" in page.one("p", class_="empty").text


def test_without_weeks_there_is_a_page_that_says_so() -> None:
    """Where nothing is kept."""
    assert "keeps no weeks" in Site(Shop(minutes=2)).page("/digest", 404).text


EMPTY = Digest(team="", since=0, until=1, told=0, held_count=0, held=(), right=0, wrong=0)


def test_hundreds_of_teams_are_on_several_pages() -> None:
    """Each once."""
    every = tuple(replace(EMPTY, team=f"t{number:03}") for number in range(45))
    seen: list[str] = []
    after: str | None = ""
    while after is not None:
        page, after = _cut(every, after)
        assert len(page) <= 20
        seen += [one.team for one in page]
    assert seen == [one.team for one in every]


def test_what_is_not_listed_is_counted() -> None:
    """Fifty are listed at most."""
    assert team_view(replace(EMPTY, held_count=70)).more == 70


def test_every_word_of_a_rule_is_counted_once() -> None:
    """Told are incidents, traced, none, or nobody said."""
    rule = RulePrecision(
        route="", receiver="chat", told=10, right=5, traced=2, wrong=1, held=4, missed=1, spared=1
    )
    (row,) = team_view(replace(EMPTY, rules=(rule,))).rules
    assert row.name == "all that no other rule takes"
    assert row.told_right == "5 right (2 traced to a change), 1 wrong, 4 nobody said"
    assert row.held_right == "1 wrongly, 1 rightly, 2 nobody said"
    assert row.precision == "83%"


def test_every_reason_for_holding_has_a_word() -> None:
    """A new one must not break the page."""
    for reason in Held:
        one = HeldBack(
            incident="inc_1", title=EVIL, severity=Gravity.LOW, reason=reason, words="w", link=""
        )
        (row,) = team_view(replace(EMPTY, held=(one,))).held
        assert row.reason
