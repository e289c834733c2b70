"""The page of delivery: four measures with definitions, trends, and what each was counted of."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.api.ui.delivering import EVIL, delivering, empty_site
from tests.api.ui.parsed import Node
from tests.api.ui.scenes import Shop
from tests.api.ui.site import Site


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """Shared: these tests only read."""
    with delivering(tmp_path_factory.mktemp("delivery")) as made:
        yield made


def card(page: Node, name: str) -> Node:
    """One measure."""
    return page.one("section", aria_labelledby=name)


def rows(page: Node) -> list[Node]:
    """The deployments that are listed."""
    return list(list(page.every("table", class_="list"))[-1].one("tbody").every("tr"))


def test_each_measure_says_what_it_is_and_how_good(site: Site) -> None:
    """The number, its band, of how many, and the definition: nobody has to guess."""
    page = site.page("/delivery?service=checkout")
    frequency = card(page, "frequency").text
    assert "6.9 a week high of 83 deployments" in frequency
    assert "a rollback is none" in frequency
    assert "5.0 hours elite of 83" in card(page, "lead_time").text
    rate = card(page, "failure_rate").text
    assert "4.8 % elite of 83 deployments" in rate
    assert "an incident comes of" in rate
    assert "24.0 hours medium of 4 repairs" in card(page, "restore_time").text


def test_a_trend_has_a_point_for_each_week_that_counts(site: Site) -> None:
    """What was not counted is a gap, not a zero and not an invented line."""
    page = site.page("/delivery?service=checkout")
    drawn = card(page, "frequency").one("svg")
    assert len(list(drawn.every("path"))) == 12
    assert len(list(drawn.every("polyline"))) == 1
    restored = card(page, "restore_time")
    assert len(list(restored.one("svg").every("path"))) == 4
    assert "–, –" in restored.one("svg").attrs["aria-label"]
    assert list(restored.every("tr"))[1].text.endswith("– – 0")


def test_services_and_teams_are_held_apart(site: Site) -> None:
    """Those that deploy most first, each a link to its own page."""
    page = site.page("/delivery")
    teams, services, _ = page.every("table", class_="list")
    assert [row.one("th").text for row in teams.one("tbody").every("tr")] == ["shop", "find"]
    assert [row.one("th").text for row in services.one("tbody").every("tr")][:2] == [
        "checkout",
        "cart",
    ]
    link = services.one("a").attrs["href"]
    assert link == "/delivery?service=checkout"
    assert {row.one("a").text.split()[0] for row in rows(site.page(link))} == {"checkout"}


def test_a_team_is_asked_for_by_its_name(site: Site) -> None:
    """As `capacity.teams` has it; a team that nobody named is told so."""
    page = site.page("/delivery?team=find")
    assert "of 1 deployment " in card(page, "frequency").text
    assert [one.text for one in page.one("select", name="team").every("option")] == [
        "any",
        "shop",
        "find",
    ]
    assert "there is no 'nobody' (shop, find)" in site.page("/delivery?team=nobody", 400).text


@pytest.mark.parametrize(
    ("only", "least", "word"),
    [("failed", 5, "failed"), ("mended", 5, "for "), ("merged", 30, "5.0 hours")],
)
def test_what_is_behind_a_number_is_listed(site: Site, only: str, least: int, word: str) -> None:
    """From the number one gets to the deployments that it was counted of, and to no others."""
    found = rows(site.page(f"/delivery?only={only}"))
    assert len(found) >= least
    assert all(word in row.text or "broke" in row.text for row in found)


def test_an_incident_behind_a_failure_is_a_link(site: Site) -> None:
    """Who doubts the number reads what broke."""
    found = rows(site.page("/delivery?service=cart&only=failed"))
    assert [row.one("td", class_="failed").text for row in found] == ["broke something"]
    assert "for 40 minutes" in found[0].text
    link = next(a.attrs["href"] for a in found[0].every("a") if a.text == "its incident")
    assert "cart" in site.page(link).one("h1").text


def test_the_list_goes_on_and_names_each_deployment_once(site: Site) -> None:
    """Ninety deployments are not on one page, and none is out of reach."""
    seen: list[str] = []
    path: str | None = "/delivery"
    while path is not None:
        page = site.page(path)
        seen += [row.one("a").attrs["href"] for row in rows(page)]
        path = next((a.attrs["href"] for a in page.every("a", rel="next")), None)
    assert len(seen) == len(set(seen)) == 83 + 12 + 2


def test_the_table_is_the_same_time_as_the_page(site: Site) -> None:
    """For a sheet: what the link gives are the weeks that are drawn."""
    page = site.page("/delivery?service=checkout&weeks=4")
    link = next(a.attrs["href"] for a in page.every("a") if a.text == "As CSV")
    head, *weeks = csv.reader(io.StringIO(site.get(link).text))
    assert head[2] == "deployments"
    table = card(page, "frequency").one("tbody")
    shown = [list(row.every("td"))[3].text for row in table.every("tr")]
    assert [week[2] for week in weeks] == shown


def test_the_form_remembers_what_was_asked(site: Site) -> None:
    """The next look is a small change of this one."""
    form = site.page("/delivery?service=cart&team=shop&weeks=26").one("form")
    assert form.one("input", name="service").attrs["value"] == "cart"
    chosen = [one.text for one in form.every("option") if "selected" in one.attrs]
    assert chosen == ["shop", "26 weeks"]


@pytest.mark.parametrize(
    ("query", "word"),
    [("weeks=7", "weeks is one of 4, 12"), ("only=bad", "only is one of failed"),
     ("before=zz", "no cursor"), ("before=1e3.chg_1", "no cursor")],
)  # fmt: skip
def test_what_cannot_be_meant_is_told(site: Site, query: str, word: str) -> None:
    """A mistyped address is told what would be right."""
    assert word in site.page(f"/delivery?{query}", 400).text


def test_names_of_services_are_text(site: Site) -> None:
    """Whoever tells a change does not write into the page."""
    page = site.page("/delivery")
    assert EVIL in page.text
    assert not list(page.one("main").every("img"))


def test_another_tenant_sees_nothing_of_it(site: Site) -> None:
    """Tenants share a process, not their deployments."""
    assert "checkout" not in site.get("/delivery", X_Scope_OrgID="other").text


def test_nothing_told_is_not_no_failures(tmp_path: Path) -> None:
    """Without deployments there are no numbers, but what to send; and no incidents is said."""
    page = empty_site(tmp_path).page("/delivery")
    assert "serinus change" in page.one("p", class_="empty").text
    assert not list(page.every("section"))
    assert "There are no incidents here" in page.one("p", class_="notice").text


def test_a_filter_that_finds_nothing_says_so(site: Site) -> None:
    """It is the filter, not the team."""
    page = site.page("/delivery?service=nobody")
    assert "Show all of 12 weeks" in page.one("p", class_="empty").text


def test_without_a_change_log_there_is_a_page_that_says_so() -> None:
    """An empty list would say that nothing was deployed."""
    assert "keeps no changes" in Site(Shop(minutes=2)).page("/delivery", 404).text
