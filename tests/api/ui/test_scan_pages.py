"""Pages of scans: what was found in which revision, how grave, and whether it holds a pass."""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from urllib.parse import urlencode

import pytest

from detector.scans.scan import Finding, Severity
from pipelines.stores.memory import memory_stores
from tests.api.doors import without
from tests.api.ui.parsed import Node
from tests.api.ui.scanned import EVIL, HOUR_MS, SCAN, scanned, strict
from tests.api.ui.scenes import Shop
from tests.api.ui.site import Site

REVISION = "/scans?service=checkout&revision=v42"


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """Shared: these tests only read."""
    with scanned(tmp_path_factory.mktemp("scans")) as made:
        yield made


def rows(page: Node) -> list[Node]:
    """The scans that are listed."""
    return list(page.one("tbody").every("tr"))


def test_the_list_says_what_was_found_in_which_revision(site: Site) -> None:
    """And by severity; a scan without findings is told from none."""
    found = [row.text for row in rows(site.page("/scans"))]
    (trivy,) = (text for text in found if "Trivy" in text)
    assert trivy.startswith("checkout v42")
    assert "2 critical 1 high 1 medium 1 unknown" in trivy
    assert "nothing found" in next(text for text in found if text.startswith("cart v0"))


def test_whether_a_pass_is_held_is_said_in_the_list(site: Site) -> None:
    """By which policy; what is clean is not held."""
    found = {
        (row.one("a").text, row.one("td").text.split()[0]): row.one("td", data_label="Pass").text
        for row in rows(site.page("/scans"))
    }
    assert found["checkout v42", "Trivy"] == "held by strict"
    assert found["cart v0", "Grype"] == "not held"


def test_a_revision_says_why_its_pass_is_held(site: Site) -> None:
    """In the words of the gate, before everything else, with what to mend."""
    head = site.page(REVISION).one("section", aria_label="In short")
    assert "A pass is held" in head.text
    assert "CodeQL found 1 critical, 0 allowed: py/sql-injection" in head.text
    assert "policy strict" in head.text
    assert "these let it pass: mild" in head.text
    assert "blind" not in head.text


def test_its_findings_are_listed_with_what_mends_them(site: Site) -> None:
    """The tool with the gravest first, and of it the gravest first."""
    page = site.page(REVISION)
    assert next(page.every("h2")).text.startswith("Trivy")
    first = rows(page)[0]
    assert first.one("th").text.startswith("CVE-2022-3602")
    assert first.one("td", data_label="Severity").text == "critical"
    assert first.one("td", data_label="Fixed in").text == "3.0.2"
    assert "openssl 3.0.1" in first.text


def test_a_newer_scan_takes_the_place_of_an_older_one(site: Site) -> None:
    """What was mended is seen, and what counted before is told apart."""
    shop = Shop(minutes=2)
    mine = Site(shop)
    strict(mine)
    bad = replace(SCAN, counts={Severity.CRITICAL: 1}, at=SCAN.at - HOUR_MS)
    shop.stores.scans.add("default", bad)
    shop.stores.scans.add("default", replace(SCAN, id="scn_2"))
    new, old = rows(mine.page("/scans"))
    assert (new.one("td", data_label="Pass").text, "newer scan counts" in old.text) == (
        "not held",
        True,
    )
    page = mine.page("/scans?service=cart&revision=v7")
    assert "No pass is held" in page.one("section").text
    assert "1 critical" in page.text[page.text.index("Earlier scans") :]


def test_a_revision_nobody_scanned_is_not_clean(site: Site) -> None:
    """It says so, that a policy wants a scan, and the command that sends one, quoted whole."""
    page = site.page("/scans?" + urlencode({"service": "cart", "revision": "v9; rm -rf /"}))
    head = page.one("section").text
    assert "no scan of v9; rm -rf / was told" in head
    command = page.one("pre").text
    assert shlex.split(command)[-1] == "v9; rm -rf /"
    empty = Site(Shop(minutes=2)).page("/scans?service=cart&revision=v9")
    assert "Not scanned" in empty.one("section").text
    assert "pass" not in empty.one("section").attrs["class"]


def test_the_list_goes_on_and_names_each_scan_once(site: Site) -> None:
    """Forty scans are not on one page, and none is out of reach."""
    seen: list[str] = []
    path: str | None = "/scans?service=cart"
    while path is not None:
        page = site.page(path)
        seen += [row.one("a").attrs["href"] for row in rows(page)]
        path = next((a.attrs["href"] for a in page.every("a", rel="next")), None)
    assert len(seen) == len(set(seen)) == 40


@pytest.mark.parametrize(
    ("query", "count"), [("service=checkout", 3), ("revision=v7", 1), ("service=bank", 0)]
)
def test_it_is_filtered_as_people_ask(site: Site, query: str, count: int) -> None:
    """And what was asked stays in the fields."""
    page = site.page(f"/scans?{query}")
    assert len(rows(page) if count else []) == count
    if not count:
        assert page.one("p", class_="empty").text.startswith("No scan fits.")
    word = query.partition("=")[2]
    assert word in [one.attrs["value"] for one in page.one("form").every("input")]


def test_before_any_scan_the_page_says_how_to_send_one(tmp_path: Path) -> None:
    """An empty list would look like nothing found."""
    page = Site(Shop(minutes=2)).page("/scans")
    said = page.one("div", class_="empty").text
    assert said.startswith("No scan was sent yet")
    assert "serinus scan - --server http://127.0.0.1:8080 --service checkout" in said
    assert "No policy asks about scans" in page.text


def test_what_is_not_kept_is_counted(site: Site) -> None:
    """Of seventy findings the gravest are listed, and how many more there are."""
    shop = Shop(minutes=2)
    kept = tuple(Finding(severity=Severity.LOW, rule=f"R{n}") for n in range(50))
    shop.stores.scans.add("default", replace(SCAN, counts={Severity.LOW: 1070}, findings=kept))
    page = Site(shop).page("/scans?service=cart&revision=v7")
    assert len(rows(page)) == 50
    assert "And 1,020 that are no graver" in page.text


def test_what_others_wrote_is_text(site: Site) -> None:
    """Tools, rules, titles and names are written by whoever sends a report."""
    path = "/scans?" + urlencode({"service": EVIL, "revision": EVIL})
    for page in (site.page("/scans"), site.page(path)):
        assert "<script>alert(1)</script>" in page.text
        assert not [*page.one("main").every("img"), *page.one("main").every("script")]
        assert "\u202e" not in page.text


def test_a_cursor_that_is_none_is_told(site: Site) -> None:
    """Not taken for the first page."""
    for word in ("zz", "1e9.x", "9" * 40 + ".x", "5."):
        assert "no cursor" in site.page(f"/scans?before={word}", 400).text


def test_another_tenant_sees_nothing_of_it(site: Site) -> None:
    """Tenants share a process, not what is wrong with their images."""
    for path in ("/scans", REVISION):
        text = site.get(path, X_Scope_OrgID="other").text
        assert "critical" not in text
        assert "Trivy found" not in text


def test_a_store_that_is_down_is_said() -> None:
    """Not shown as a list without scans."""
    shop = Shop(minutes=2, stores=without(memory_stores(), "scans"))
    assert "the disk is full" in Site(shop).page("/scans", 503).text


def test_a_rollout_leads_to_the_scans_of_its_revision() -> None:
    """Whoever wonders why a pass is held is one click from what was found."""
    site = Site(Shop(minutes=2))
    page = site.rollout(site.shop.ask(60.0).attempt)
    links = {a.text: a.attrs["href"] for a in page.one("p", class_="crumbs").every("a")}
    assert links["Scans of this revision"] == "/scans?service=checkout&revision=v2.3.1"
    assert "Not scanned" in site.page(links["Scans of this revision"]).text
