"""Pages of services: calls, logs, what is odd; and clear words where there is nothing."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest

from api.settings import Settings
from detector.gate.record import Filter, Kept
from tests.api.ui.parsed import Node
from tests.api.ui.scenes import Shop
from tests.api.ui.site import Site
from tests.api.ui.watched import EVIL_NAME, watched


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """Shared: these tests only read."""
    with watched(tmp_path_factory.mktemp("stream")) as made:
        made.shop.ask(120.0)
        yield made


def section(page: Node, name: str) -> Node:
    return page.one("section", id=name)


def templates(page: Node) -> list[str]:
    return [code.text for code in section(page, "logs").every("code", class_="template")]


def test_errors_stand_first_in_the_logs_of_a_service(site: Site) -> None:
    """What a person looks for is at the top, whatever else the service writes."""
    found = templates(site.page("/services/checkout"))
    assert found[0] == "payment of order <num> declined"
    assert set(found[1:3]) >= {"out of memory"}
    assert section(site.page("/services/checkout"), "logs").text.count("error") >= 2


def test_templates_page_and_each_comes_once(site: Site) -> None:
    """Thirty kinds of chatter are not all on one page, and none is out of reach."""
    seen: list[str] = []
    path: str | None = "/services/checkout"
    while path is not None:
        page = site.page(path)
        seen += templates(page)
        nav = section(page, "logs").one("nav")
        path = next((a.attrs["href"] for a in nav.every("a", rel="next")), None)
    assert len(seen) == len(set(seen))
    assert len(seen) > 25


def test_templates_are_asked_for_by_level_and_text(site: Site) -> None:
    """Among thousands of kinds only some matter; the form remembers what was asked."""
    assert "out of memory" in templates(site.page("/services/checkout?level=fatal"))
    assert templates(site.page("/services/checkout?text=declined")) == [
        "payment of order <num> declined"
    ]
    page = site.page("/services/checkout?text=nothing+like+it")
    assert "No template fits." in section(page, "logs").text
    assert page.one("input", name="text").attrs["value"] == "nothing like it"
    assert "level is one of" in site.page("/services/checkout?level=loud", status=400).text
    assert "cursor" in site.page("/services/checkout?before=zz", status=400).text


def test_calls_have_rates_errors_and_times_and_lead_on(site: Site) -> None:
    """What fails here is felt there: one click to whom one depends on."""
    cart, shop = (section(site.page(f"/services/{name}"), "calls") for name in ("cart", "shop"))
    row = next(row for row in cart.one("tbody").every("tr") if row.text.startswith("shop"))
    assert row.one("a").attrs["href"] == "/services/shop"
    assert "20 %" in row.text
    assert row.attrs["class"] == "bad"
    assert 27 <= float(row.one("td", data_label="Median").text.removesuffix(" ms")) <= 33
    assert "No span tells who calls it" in shop.text or "from outside" in shop.text
    assert next(a.text for a in shop.every("a")) == "cart"


def test_anomalies_and_rollouts_of_the_service_are_there(site: Site) -> None:
    """One page answers what is wrong with a service, and what was changed."""
    page = site.page("/services/checkout")
    odd = section(page, "anomalies")
    assert "checkout: queue rose to" in odd.text
    assert "Expected range" in odd.text
    assert "What to do:" in odd.text
    assert section(page, "rollouts").one("a").text == "v2.3.1"
    assert "No rollout of this service" in section(site.page("/services/cart"), "rollouts").text


def test_a_rollout_leads_to_its_service(site: Site) -> None:
    """From the verdict to the logs is one click."""
    attempt = site.shop.ask(150.0).attempt
    links = [a.attrs["href"] for a in site.rollout(attempt).every("a")]
    assert "/services/checkout" in links


def test_all_services_are_listed_whoever_names_them(site: Site) -> None:
    """By spans, logs, anomalies or rollouts: a service without a rollout has a page, too."""
    page = site.page("/services")
    rows = {row.one("a").text: row for row in page.one("tbody").every("tr")}
    assert {"cart", "checkout", "shop"} <= rows.keys()
    assert rows["cart"].one("td", data_label="Failed calls").text.endswith("%")
    assert rows["checkout"].one("td", data_label="Errors").text not in ("–", "0")
    assert "inconclusive" in rows["checkout"].one("td", data_label="Newest rollout").text
    only = site.page("/services?name=CAR")
    assert {row.one("a").text for row in only.one("tbody").every("tr")} >= {"cart"}
    assert "checkout" not in only.one("tbody").text
    assert "No service fits." in site.page("/services?name=nobody").text


@pytest.mark.parametrize(
    "path", ["/services", "/services/checkout", "/services/cart", "/anomalies"]
)
def test_hostile_names_and_lines_are_text(site: Site, path: str) -> None:
    """Whoever sends spans and lines names services, operations and errors."""
    html = site.get(path).text
    for bad in ("<script>alert", "<img", "\x1b", "\x07", "\u202e", "\u202c", "W" * 500):
        assert bad not in html


def test_a_service_with_a_hostile_name_has_a_page(site: Site) -> None:
    """Its link leads to it, and shows its name as text."""
    links = [a.attrs["href"] for a in site.page("/services").every("a")]
    (link,) = [one for one in links if "onerror" in one]
    page = site.page(link)
    assert page.one("h1").text == EVIL_NAME.replace("\u202e", "")
    assert "cart" in section(page, "calls").text


def test_a_service_of_which_nothing_came_says_what_to_send(site: Site) -> None:
    """An empty page looks broken; each part says what is missing and where to read on."""
    page = site.page("/services/nobody")
    assert "No spans have come for this service" in section(page, "calls").text
    assert "docs/traces.md" in section(page, "calls").text
    assert "No log lines have come for this service" in section(page, "logs").text
    assert "left its expected range" in section(page, "anomalies").text


def test_another_tenant_sees_nothing_of_it(site: Site) -> None:
    """Tenants share a process, not their logs."""
    html = site.get("/services/checkout", X_Scope_OrgID="other").text
    assert "declined" not in html
    assert "queue rose" not in html


def test_without_a_stream_the_pages_say_so() -> None:
    """Who judges rollouts alone is told why logs are missing."""
    alone = Site(Shop(minutes=2))
    assert "takes no traces" in section(alone.page("/services/x"), "calls").text
    assert "No service is known here yet" in alone.page("/services").text
    quiet = Site(Shop(minutes=2), settings=Settings(logs={"enabled": False}))  # type: ignore[arg-type]
    assert "takes no logs" in section(quiet.page("/services/x"), "logs").text


def test_many_services_page() -> None:
    """Every list pages: nothing is out of reach, nothing comes twice."""
    shop = Shop(minutes=3, before=600)
    shop.ask(60.0)
    stored = shop.gate.records.list(Filter()).verdicts[0]
    attempt, judged = shop.stores.attempts.get(stored.attempt), shop.stores.verdicts.get(stored.id)
    for number in range(120):
        name = f"svc-{number:03}"
        verdict = replace(judged.verdict, id=f"{stored.id}{number:03}", attempt=name, service=name)
        identity = replace(attempt.identity, service=name)
        shop.stores.answers.keep(
            Kept(
                attempt=replace(attempt, id=name, identity=identity, version=0),
                at=shop.clock.at,
                verdict=replace(judged, verdict=verdict),
            )
        )
    first = Site(shop).page("/services")
    more = first.one("a", rel="next").attrs["href"]
    names = [row.one("a").text for row in first.one("tbody").every("tr")]
    names += [row.one("a").text for row in Site(shop).page(more).one("tbody").every("tr")]
    assert len(names) == len(set(names)) == 121


def test_a_service_leads_to_what_is_known_of_it_elsewhere(site: Site) -> None:
    """Its objectives, how it is delivered, what scanners found."""
    links = [a.attrs["href"] for a in site.page("/services/checkout").one("p").every("a")]
    rooms = ("slos", "delivery", "scans")
    assert links == ["/services", *(f"/{room}?service=checkout" for room in rooms)]
