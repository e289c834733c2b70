"""The list of rollouts: each once, as it stands, with a way to those before."""

from __future__ import annotations

from dataclasses import replace

import pytest

from detector.errors import StoreError
from detector.gate.policy import Mode
from detector.gate.record import Filter, Kept
from detector.gate.verdict import Outcome
from pipelines.stores.memory import memory_stores
from tests.api.doors import without
from tests.api.ui.parsed import Node
from tests.api.ui.scenes import T0, Shop
from tests.api.ui.site import Site


def crowded(count: int = 3) -> Site:
    """Services a0, a1, ... in one store, asked one after the other; a0 twice."""
    stores = memory_stores()
    shops = [Shop(service=f"a{n}", stores=stores, minutes=3, before=600) for n in range(count)]
    for at, shop in enumerate(shops):
        shop.ask(60.0 + at)
    shops[0].ask(150.0)
    shops[-1].clock.at = T0 + 160
    return Site(shops[-1])


def copied(count: int) -> Site:
    """As many services in one store, of which one was judged: lists read nothing else."""
    site = crowded(1)
    shop = site.shop
    stored = shop.gate.records.list(Filter()).verdicts[0]
    attempt = shop.stores.attempts.get(stored.attempt)
    judged = shop.stores.verdicts.get(stored.id)
    for number in range(1, count):
        name = f"a{number}"
        identity = replace(attempt.identity, service=name)
        verdict = replace(judged.verdict, id=f"{stored.id}{number:02}", attempt=name, service=name)
        kept = Kept(
            attempt=replace(attempt, id=name, identity=identity, version=0),
            at=shop.clock.at,
            verdict=replace(judged, verdict=verdict),
        )
        shop.stores.answers.keep(kept)
    return site


def services(page: Node) -> list[str]:
    body = page.one("table", class_="list").one("tbody")
    return [row.one("th").one("a").text for row in body.every("tr")]


def test_each_rollout_is_listed_once_the_newest_first() -> None:
    """However often a rollout was judged, it is one line."""
    assert services(crowded().page("/rollouts")) == ["a0", "a2", "a1"]


def test_a_line_says_outcome_revision_reason_and_times_and_leads_to_the_rollout() -> None:
    """Enough to choose by, and the link that a verdict gives as `links.ui`."""
    site = Site(Shop(errors=0.05))
    verdict = site.shop.roll(8)
    site.shop.clock.at += 60
    row = site.page("/rollouts").one("tbody").one("tr")
    outcome, revision, why, since, judged = (cell.text for cell in row.every("td"))
    assert outcome == "✕ fail final"
    assert revision == "v2.3.1"
    assert why.startswith("Errors: ")
    assert since.startswith("14:13:2")
    assert judged == "90 s ago"
    assert row.one("a").attrs["href"] == f"/rollouts/{verdict.attempt}"


def test_filter_keeps_to_a_service_and_remembers_it() -> None:
    """With hundreds of services one looks at one's own."""
    page = crowded().page("/rollouts?service=%20a1%20")
    assert services(page) == ["a1"]
    assert page.one("input", name="service").attrs["value"] == "a1"


def test_filter_by_outcome_asks_how_rollouts_stand_now() -> None:
    """What once failed and was overridden since is not among the fails."""
    site = crowded()
    assert services(site.page("/rollouts?outcome=inconclusive")) == ["a0", "a2", "a1"]
    page = site.page("/rollouts?outcome=fail")
    assert "No rollout fits." in page.text
    chosen = [option.text for option in page.every("option") if "selected" in option.attrs]
    assert chosen == ["fail"]


def test_older_rollouts_are_a_link_away() -> None:
    """Every list pages: nothing is out of reach, nothing comes twice, the filter stays."""
    site, seen = copied(60), []
    path: str | None = "/rollouts?service="
    while path is not None:
        page = site.page(path)
        seen += services(page)
        path = next((a.attrs["href"] for a in page.every("a", rel="next")), None)
    assert len(seen) == 60
    assert len(set(seen)) == 60


def test_an_empty_list_says_how_to_begin() -> None:
    """A fresh install shows what to type, with its own address in it."""
    page = Site(Shop()).page("/rollouts")
    assert "No rollout has been judged here yet." in page.text
    assert "serinus check --server http://127.0.0.1:8080 --service NAME" in page.text
    assert not list(page.every("table"))


def test_break_glass_is_shown_on_the_list_too() -> None:
    """Who opens serinus sees at once that verdicts are not acted upon."""
    site = crowded()
    site.shop.gate.people.set_mode(Mode.SHADOW, person="joe", reason="incident 7", for_s=600)
    assert "Break-glass for all services: shadow" in site.page("/rollouts").text


@pytest.mark.parametrize("query", ["outcome=maybe", "outcome=%3Cb%3E"])
def test_an_outcome_that_there_is_not_is_named(query: str) -> None:
    """A mistyped address is told what would be right."""
    page = Site(Shop()).page(f"/rollouts?{query}", status=400)
    assert "outcome is one of pass, fail, inconclusive" in page.text


def test_a_store_that_is_down_is_a_page_to_try_again() -> None:
    """No stack trace, no endless spinner: what failed, and when to come back."""
    shop = Shop(stores=without(memory_stores(), "verdicts"))
    answer = Site(shop).get("/rollouts")
    assert answer.status_code == 503
    assert int(answer.headers["retry-after"]) > 0
    assert "the disk is full" in Site(shop).page("/rollouts", status=503).text


def test_the_front_door_leads_to_the_list() -> None:
    """The bare address is what people type."""
    answer = Site(Shop()).get("/")
    assert (answer.status_code, answer.headers["location"]) == (307, "/rollouts")


def test_every_field_of_the_form_is_named() -> None:
    """A screen reader says what is to be typed."""
    form = crowded().page("/rollouts").one("form")
    fields = [*form.every("input"), *form.every("select")]
    labelled = [
        f for label in form.every("label") for f in (*label.every("input"), *label.every("select"))
    ]
    assert fields == labelled
    assert form.attrs["method"] == "get"


def test_a_rollout_of_another_name_than_its_service_shows_both() -> None:
    """Two rollouts of one service are told apart."""
    shop = Shop()
    shop.ask(60.0, rollout="checkout-eu")
    assert "checkout checkout-eu" in Site(shop).page("/rollouts").one("tbody").one("th").text


def test_overridden_rollouts_stand_as_they_were_decided() -> None:
    """The next question after a decision carries it into the list."""
    site = Site(Shop(errors=0.05))
    verdict = site.shop.roll(8)
    site.shop.gate.people.override(
        verdict.attempt, outcome=Outcome.PASS, person="ann", reason="known", for_s=3600
    )
    site.shop.ask(520.0)
    row = site.page("/rollouts?outcome=pass").one("tbody").one("tr")
    assert "ann decided pass until" in row.text


def test_only_what_failed_is_down() -> None:
    """The list does not need the samples."""
    stores = without(crowded().shop.stores, "points")
    site = Site(Shop(stores=stores))
    assert len(services(site.page("/rollouts"))) == 3
    with pytest.raises(StoreError):
        stores.points.chain("x")
