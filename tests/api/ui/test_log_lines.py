"""Log lines on a rollout's page: why it failed, in the words of the service itself."""

from __future__ import annotations

from functools import cache

from detector.errors import StoreError
from detector.gate.verdict import Outcome, TemplateVerdict, Verdict
from tests.api.ui.parsed import Node
from tests.api.ui.scenes import T0, Said, Shop
from tests.api.ui.site import Site
from tests.api.ui.test_rollout_page import figures

NEW, OLD, LOUD = "lt_00000000000000aa", "lt_00000000000000bb", "lt_00000000000000cc"
HOSTILE = "<script>alert(1)</script> \u202egnp.exe\u202c \x1b[2J\x1b[31m" + "W" * 900


@cache
def told() -> tuple[Site, Verdict]:
    """A new error on one of fifty requests, and an old one three times as frequent."""
    said = (
        Said(id=NEW, canary=0.02, text="charge of order <num> failed: <*>",
             sample="charge of order 17 failed: card refused\n  at shop.pay(pay.py:3)"),
        Said(id=OLD, canary=0.004, control=0.001, text="payment declined"),
    )  # fmt: skip
    site = Site(Shop(said=said))
    return site, site.shop.roll(8)


def of_new(site: Site, verdict: Verdict) -> TemplateVerdict:
    """What the verdict says of the new line."""
    signals = site.shop.gate.records.verdict(verdict.id).signals
    return next(one.templates for one in signals if one.templates)[0]


def card(page: Node, id: str = NEW) -> Node:
    """The part of the page about one template."""
    return page.one("article", data_part=f"line-{id}")


def facts(of: Node) -> dict[str, str]:
    """What its little table says, by name."""
    rows = of.one("table").one("tbody").every("tr")
    return {row.one("th").text: row.one("td").text for row in rows}


def test_the_line_that_decided_stands_first_with_its_words_and_counts() -> None:
    """Who reads "fail" asks why, and is answered with the line and how often each side wrote it."""
    site, verdict = told()
    assert verdict.outcome is Outcome.FAIL
    page = site.rollout(verdict.attempt)
    first = next(page.every("article"))
    assert first.attrs["data-part"] == f"line-{NEW}"
    assert "decided" in first.text
    assert first.one("span", class_="new").text == "new"
    template = first.one("code", class_="template")
    assert template.text == "charge of order <num> failed: <*>"
    assert [one.text for one in template.every("span", class_="parameter")] == ["<num>", "<*>"]
    assert "at shop.pay(pay.py:3)" in first.one("pre").text
    found = facts(first)
    of = of_new(site, verdict)
    share = 100 * of.lines.canary / of.requests.canary
    counted = f"{of.lines.canary:.0f} in {of.requests.canary:,.0f} requests ({share:.1f} %)"
    assert found["Canary"] == counted
    assert found["Control"] == f"none in {of.requests.control:,.0f} requests"


def test_it_says_since_when_the_canary_writes_it_and_that_the_control_never_did() -> None:
    """New on the canary alone is another story than an old line that grew."""
    site, verdict = told()
    page = site.rollout(verdict.attempt)
    new = facts(card(page))
    assert new["First on the canary"].startswith("14:15:")
    assert new["First on the canary"].endswith("on 3 of 3 pods")
    assert new["On the control"].startswith("never since ")
    old = facts(card(page, OLD))
    assert old["On the control"].startswith("known before: ")
    assert not list(card(page, OLD).every("span", class_="new"))


def test_each_line_has_a_small_chart_of_both_sides() -> None:
    """When it began is seen at a glance."""
    site, verdict = told()
    page = site.rollout(verdict.attempt)
    drawn = {str(one["id"]): one for one in figures(page)}
    assert {f"line-{NEW}", f"line-{OLD}", "error_rate"} <= drawn.keys()
    assert card(page).one("div", data_chart=f"line-{NEW}").attrs["role"] == "img"
    canary = next(one for one in drawn[f"line-{NEW}"]["data"] if one["name"] == "Canary")  # type: ignore[attr-defined]
    assert max(y for y in canary["y"] if y is not None) > 0.015


def test_hostile_lines_are_text() -> None:
    """Lines are written by whoever sends requests: nothing in them runs, hides or turns around."""
    said = (Said(id=NEW, canary=0.02, text=HOSTILE, sample=HOSTILE + "\n\x07<img src=x>"),)
    site = Site(Shop(said=said))
    verdict = site.shop.roll(8)
    html = site.get(f"/rollouts/{verdict.attempt}").text
    for bad in ("<script>alert", "<img", "\x1b", "\x07", "\u202e", "\u202c", "W" * 700):
        assert bad not in html
    template = card(site.rollout(verdict.attempt)).one("code", class_="template")
    assert template.text.startswith("<script>alert(1)</script>")
    assert not list(template.every("span"))


def test_a_line_that_nobody_worded_is_shown_by_its_id() -> None:
    """The store of templates may be of another machine, or empty."""
    site = Site(Shop(said=(Said(id=NEW, canary=0.02),)))
    verdict = site.shop.roll(8)
    found = card(site.rollout(verdict.attempt))
    assert "(nobody kept what it says)" in found.text
    assert NEW in found.text


def test_without_log_lines_there_is_no_such_part() -> None:
    """Most services send none: no empty boxes."""
    site = Site(Shop())
    page = site.rollout(site.shop.roll(3).attempt)
    assert not list(page.every("section", id="logs"))
    assert not list(page.every("section", id="time"))


def test_counts_are_shown_where_samples_are_gone() -> None:
    """What the verdict says needs no chart."""
    site, verdict = told()

    def gone(*_: object) -> tuple[()]:
        raise StoreError("samples are away")

    more = Site(site.shop, more={"chart": gone})
    page = more.rollout(verdict.attempt)
    of = of_new(site, verdict)
    assert facts(card(page))["Control"] == f"none in {of.requests.control:,.0f} requests"
    assert "The charts could not be drawn" in page.text


def test_a_quiet_rollout_shows_lines_as_no_harm() -> None:
    """What is written as often on both sides frightens nobody."""
    site = Site(Shop(said=(Said(id=OLD, canary=0.004, control=0.004, text="payment declined"),)))
    verdict = site.shop.roll(8)
    assert site.shop.clock.at > T0
    page = site.rollout(verdict.attempt)
    for one in page.every("article"):
        assert "no evidence" in one.text or "stands out" in one.text
        assert "decided" not in one.text
