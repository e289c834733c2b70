"""The page of anomalies: found as people ask, each with its range, its times and what to do."""

from __future__ import annotations

import shlex
from collections.abc import Iterator

import pytest

from tests.api.ui.parsed import Node
from tests.api.ui.scenes import Shop
from tests.api.ui.site import Site
from tests.api.ui.watched import watched


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """Shared: these tests only read."""
    with watched(tmp_path_factory.mktemp("stream")) as made:
        yield made


def cards(page: Node) -> list[Node]:
    return list(page.every("article"))


def queue(site: Site) -> Node:
    """The anomaly of the queue."""
    (found,) = cards(site.page("/anomalies?service=checkout&severity=high"))
    return found


def facts(card: Node) -> dict[str, str]:
    rows = card.one("dl", class_="facts").every("div")
    return {row.one("dt").text: row.one("dd").text for row in rows}


def test_an_anomaly_says_what_when_and_by_how_much(site: Site) -> None:
    """Start, peak and end, direction and expected range: enough to judge it without a graph."""
    card = queue(site)
    assert card.one("p", class_="reason").text.startswith("checkout: queue rose to ")
    found = facts(card)
    assert list(found)[:3] == ["Start", "Peak", "End"]
    assert found["Direction"] == "above what is expected"
    low, _, high = found["Expected range"].partition(" to ")
    assert float(low) < float(high) < float(found["Value at the peak"])
    assert found["Series"] == "2 of 4"
    assert "back to normal" in found["End"]
    assert card.one("svg").attrs["aria-label"].startswith(found["Value at the peak"])
    assert 'pod="checkout-' in card.text


def test_it_leads_to_what_to_do(site: Site) -> None:
    """The next move of somebody who was just woken, with the links for it."""
    card = queue(site)
    links = [a.attrs["href"] for a in card.every("a")]
    assert "What to do:" in card.text
    assert {"/services/checkout", "/rollouts?service=checkout"} <= set(links)


def test_feedback_is_a_command_that_says_it(site: Site) -> None:
    """A browser's login may look only: what changes something is typed, quoted whole."""
    commands = [code.text for code in queue(site).one("dl", class_="commands").every("code")]
    for command, word in zip(commands, ("normal", "real"), strict=True):
        parts = shlex.split(command)
        assert parts[0] == "curl"
        assert parts[1].startswith("http://127.0.0.1:8080/v1/anomalies/an_")
        assert parts[1].endswith("/feedback")
        assert f'"verdict": "{word}"' in parts[-1]


@pytest.mark.parametrize(
    ("query", "count"),
    [
        ("service=%20checkout%20", 1),
        ("service=nobody", 0),
        ("severity=high", 1),
        ("state=closed", 1),
        ("from=2026-09-21T10:00", 1),
        ("from=2026-09-22T12:00&to=2026-09-23T12:00", 0),
        ("to=2026-09-21T01:00Z", 0),
    ],
)
def test_anomalies_are_found_as_people_ask(site: Site, query: str, count: int) -> None:
    """By service, severity, state and time, which is UTC where nobody says otherwise."""
    page = site.page(f"/anomalies?{query}")
    found = [card for card in cards(page) if "queue" in card.text]
    assert len(found) == count
    if not cards(page):
        assert "No anomaly fits." in page.text


def test_the_form_remembers_what_was_asked(site: Site) -> None:
    """The next look is a small change of this one."""
    page = site.page("/anomalies?service=checkout&severity=medium&state=open&from=2026-09-21T10:00")
    form = page.one("form")
    assert form.one("input", name="service").attrs["value"] == "checkout"
    assert form.one("input", name="from").attrs["value"] == "2026-09-21T10:00"
    chosen = [one.text for one in form.every("option") if "selected" in one.attrs]
    assert chosen == ["medium", "open"]
    labelled = [
        field.attrs["name"]
        for label in form.every("label")
        for field in (*label.every("input"), *label.every("select"))
    ]
    assert labelled == ["service", "severity", "state", "from", "to"]


@pytest.mark.parametrize(
    ("query", "word"),
    [
        ("severity=awful", "severity is one of low, medium, high"),
        ("state=gone", "state is open or closed"),
        ("from=soon", "write 2026-11-23T14:00"),
        ("before=zz", "cursor"),
        ("from=99999-01-01", "is no time"),
    ],
)
def test_what_cannot_be_meant_is_told(site: Site, query: str, word: str) -> None:
    """A mistyped address is told what would be right, not shown everything."""
    assert word in site.page(f"/anomalies?{query}", status=400).text


def test_another_tenant_sees_nothing_of_it(site: Site) -> None:
    """Tenants share a process, not their anomalies."""
    assert "queue rose" not in site.get("/anomalies", X_Scope_OrgID="other").text


def test_without_a_stream_there_is_a_page_that_says_so() -> None:
    """An empty list would say that all is well."""
    page = Site(Shop(minutes=2)).page("/anomalies", status=404)
    assert "it runs without a stream" in page.text


def test_every_page_is_a_link_away(site: Site) -> None:
    """Nobody has to know addresses by heart."""
    for path in ("/rollouts", "/services", "/anomalies", "/services/checkout"):
        nav = site.page(path).one("nav", class_="rooms")
        rooms = ["/rollouts", "/services", "/incidents", "/anomalies", "/slos",
                 "/digest",
                 "/delivery", "/scans", "/reports"]  # fmt: skip
        assert [a.attrs["href"] for a in nav.every("a")] == rooms
