"""The page of objectives: what burns comes first, and what is not known is never fine."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.ui.slo_view import FORGOTTEN_S, cards_of
from detector.slo.burn import Burning
from tests.api.ui.parsed import Node
from tests.api.ui.promised import NOW, burns_of, promise, promised, site_of, waiting
from tests.api.ui.scenes import Shop
from tests.api.ui.site import Site


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """Shared: these tests only read."""
    with promised(tmp_path_factory.mktemp("slos")) as made:
        yield made


def card(site: Site, service: str, path: str = "/slos") -> Node:
    """The only objective of a service."""
    (found,) = site.page(f"{path}?service={service}").every("article")
    return found


def test_what_burns_comes_first_and_what_is_not_known_before_what_is_fine(site: Site) -> None:
    """Whoever looks in a hurry reads the first one."""
    states = [one.one("span").text for one in site.page("/slos").every("article")]
    order = ["burns: page", "burns: ticket", "budget gone", "not known", "does not burn"]
    assert states == sorted(states, key=order.index)
    assert (states[0], states.count("not known"), states[-1]) == ("burns: page", 3, "does not burn")


def test_an_objective_says_what_is_promised_kept_and_left(site: Site) -> None:
    """Target, window, indicator in sums, the share of the budget that is left, and until when."""
    text = card(site, "burning").text
    assert "99.9 % over 7d of requests that do not fail" in text
    assert "were good" in text
    assert card(site, "burning").one("svg").attrs["aria-label"].endswith("% of the budget is left")
    assert "left, gone in" in text or "is gone" in text


def test_burns_stand_beside_what_alerts(site: Site) -> None:
    """By both windows of each pair; what is above is marked."""
    rows = list(card(site, "burning").one("tbody").every("tr"))
    assert [row.one("td").text for row in rows] == ["1 h and 5 min", "6 h and 30 min",
                                                    "3 days and 6 h"]  # fmt: skip
    assert [list(row.every("td"))[3].text for row in rows] == ["14.4×: page", "6×: page",
                                                                 "1×: ticket"]  # fmt: skip
    assert rows[0].attrs["class"] == "bad"
    calm = next(one for one in site.page("/slos").every("article") if one.one("h2").text ==
                "does not burn calm")  # fmt: skip
    assert not [row for row in calm.every("tr") if row.attrs.get("class") == "bad"]


def test_an_alert_says_since_when_and_leads_to_its_incident(site: Site) -> None:
    """From the budget to what broke it."""
    said = card(site, "burning").one("p", class_="reason")
    assert "burns its error budget" in said.text
    link = said.one("a").attrs["href"]
    assert "burning" in site.page(link).one("h1").text


def test_a_burn_in_an_incident_leads_back_to_the_objective(site: Site) -> None:
    """There is no anomaly that it could lead to."""
    link = card(site, "burning").one("p", class_="reason").one("a").attrs["href"]
    links = {a.text: a.attrs["href"] for a in site.page(link).every("a")}
    assert links["Its objectives"] == "/slos?service=burning"
    assert "All of it" not in links


def test_a_budget_that_is_gone_says_by_how_much(site: Site) -> None:
    """It is red, though nothing burns any more."""
    found = card(site, "spent")
    assert found.one("span").text == "budget gone"
    assert "The budget of 7d is gone" in found.text
    assert found.attrs["class"].endswith("high")
    assert found.one("svg").attrs["aria-label"].startswith("0")


@pytest.mark.parametrize(
    ("service", "why"),
    [("silent", "the counters fell silent"), ("broken", "does not answer within 10 s"),
     ("nowhere", "the source has no such counters")],
)  # fmt: skip
def test_a_source_that_says_nothing_is_not_fine(site: Site, service: str, why: str) -> None:
    """Its burn is not known, with why, and no number stands where none is."""
    found = card(site, service)
    assert found.one("span").text == "not known"
    assert why in found.one("p", class_="notice").text
    assert {td.text for td in found.one("tbody").every("td", class_="number failed")} == {"–"}
    assert "low" not in found.attrs["class"].split()
    assert "enough" not in found.text
    assert not list(found.every("rect", class_="left enough"))


def test_what_was_left_before_the_silence_is_told_as_what_it_was(site: Site) -> None:
    """With its time and without a forecast: what failed since nobody counted."""
    text = card(site, "silent").one("div", class_="budget").text
    assert "was left at 06:" in text
    assert text.endswith("what was spent since is not known.")


def test_what_was_not_looked_at_lately_is_not_known() -> None:
    """A thread that hangs must not leave the page green for days."""
    burns = burns_of((promise("calm"),))
    burns.look()
    assert card(site_of(burns), "calm").one("span").text == "does not burn"
    late = card(site_of(burns, after=FORGOTTEN_S + 60), "calm")
    assert late.one("span").text == "not known"
    assert "last looked at 16 minutes ago" in late.one("p", class_="notice").text


def test_what_was_not_looked_at_yet_is_there_and_not_known() -> None:
    """Right after the start."""
    found = card(waiting(), "calm")
    assert "it was not looked at yet" in found.text
    assert not list(found.every("svg"))


def test_how_it_is_counted_can_be_read(site: Site) -> None:
    """Up to when, of how much of the window, and by which queries."""
    text = card(site, "spent").one("details").text
    assert "Counted to" in text
    assert 'bad: requests_total{job="spent",code="500"}' in text


@pytest.mark.parametrize(
    ("query", "count"),
    [("state=page", 1), ("state=unknown", 3), ("state=ticket", 0), ("service=calm", 2)],
)
def test_objectives_are_found_as_people_ask(site: Site, query: str, count: int) -> None:
    """By state and by service."""
    page = site.page(f"/slos?{query}")
    assert len(list(page.every("article"))) == count
    assert ("No objective fits." in page.text) == (count == 0)


def test_many_objectives_are_on_several_pages() -> None:
    """Each once."""
    burns = burns_of(tuple(promise("calm", f"o{number}") for number in range(45)))
    many, seen = site_of(burns), []
    path: str | None = "/slos"
    while path is not None:
        page = many.page(path)
        seen += [one.one("h2").text for one in page.every("article")]
        path = next((a.attrs["href"] for a in page.every("a", rel="next")), None)
    assert len(seen) == len(set(seen)) == 45


@pytest.mark.parametrize(
    ("query", "word"),
    [("state=fine", "state is one of unknown, quiet"), ("page=0", "page is from 1"),
     ("page=x", "page is from 1"), ("page=1001", "page is from 1")],
)  # fmt: skip
def test_what_cannot_be_meant_is_told(site: Site, query: str, word: str) -> None:
    """A mistyped address is told what would be right."""
    assert word in site.page(f"/slos?{query}", 400).text


def test_names_are_text(site: Site) -> None:
    """Whoever writes an objective does not write into the page."""
    page = site.page("/slos")
    assert "<script>alert(1)</script>" in page.text
    assert not [*page.one("main").every("script"), *page.one("main").every("img")]
    assert "\u202e" not in page.text


def test_another_tenant_is_led_to_no_incident(site: Site) -> None:
    """The source is shared, incidents are not."""
    assert "Its incident" not in site.get("/slos", X_Scope_OrgID="other").text


def test_without_objectives_it_says_how_to_write_one() -> None:
    """An empty page would look like promises that are kept."""
    said = Site(Shop(minutes=2)).page("/slos").one("div", class_="empty").text
    assert said.startswith("No objective is named")
    assert "serinus slo suggest" in said


@given(st.lists(st.sampled_from(["calm", "spent", "silent", "nowhere"]), min_size=1, max_size=4))
def test_no_objective_is_shown_fine_that_is_not_known(services: list[str]) -> None:
    """Nor is one lost, whatever others there are."""
    seen = [one for one in _LOOKED if one.objective.service in services]
    cards = cards_of(seen, [], {}, NOW)
    assert {one.service for one in cards} == set(services)
    for one in cards:
        is_known = one.service in ("calm", "spent")
        assert (one.state is Burning.UNKNOWN) != is_known
        assert bool(one.why) != is_known


_BURNS = burns_of(tuple(promise(name) for name in ("calm", "spent", "silent", "nowhere")))
_BURNS.look()
_LOOKED = _BURNS.seen
