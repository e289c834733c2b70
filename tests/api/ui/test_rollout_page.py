"""What a person reads on a rollout's page, without a style sheet and without scripts."""

from __future__ import annotations

import json
import re
import shlex
from datetime import datetime
from functools import cache

import numpy as np
import pytest
import typer.main
from typer.core import TyperGroup

from api.cli.commands import app as command_line
from detector.errors import StoreError
from detector.gate.curve import Curve
from detector.gate.policy import Mode, Policy
from detector.gate.verdict import Outcome, Verdict
from tests.api.ui.parsed import Node
from tests.api.ui.scenes import T0, Shop, final, moment
from tests.api.ui.site import Site

HOSTILE = "<script>alert(1)</script>"


@cache
def failed() -> tuple[Site, Verdict]:
    """The same for all tests that only read."""
    return failing()


def failing() -> tuple[Site, Verdict]:
    """Five per cent of the canary's requests fail, found within eight minutes."""
    site = Site(Shop(errors=0.05))
    verdict = site.shop.roll(8)
    assert verdict.outcome is Outcome.FAIL
    return site, site.shop.gate.records.verdict(verdict.id)


def waiting(deadline: datetime | None = None) -> tuple[Site, Verdict]:
    """Too little traffic to tell."""
    site = Site(Shop(per_s=0.3))
    verdict = site.shop.roll(8, deadline=deadline)
    assert verdict.outcome is Outcome.INCONCLUSIVE
    return site, site.shop.gate.records.verdict(verdict.id)


def headings(page: Node) -> list[str]:
    return [node.text for node in page.every() if re.fullmatch("h[1-6]", node.tag)]


def row(page: Node, name: str) -> Node:
    """A signal's row."""
    table = page.one("table", class_="signals")
    found = [row for row in table.one("tbody").every("tr") if row.text.startswith(name)]
    assert len(found) == 1
    return found[0]


def cells(of: Node) -> list[str]:
    return [cell.text for cell in of.every("td")]


def figures(page: Node) -> list[dict[str, object]]:
    script = page.one("script", id="figures")
    return json.loads("".join(str(part) for part in script.inside))  # type: ignore[no-any-return]


def test_a_fail_says_so_at_the_top_in_words_and_a_sign() -> None:
    """Woken at three, one reads one line: what, why, what to do, and that it will stay."""
    site, verdict = failed()
    page = site.rollout(verdict.attempt)
    top = page.one("section", id="headline")
    assert page.one("title").text == "✕ fail · checkout v2.3.1 · serinus"
    assert page.one("h1").text == "checkout v2.3.1"
    assert top.text.startswith(f"✕ fail Roll back {verdict.reason.text} Final: a fail stays")
    assert verdict.reason.code in top.text


def test_each_signal_has_its_row_with_numbers_and_reason() -> None:
    """Evidence can be checked by eye: both sides, effect, interval, what is tolerated, samples."""
    site, verdict = failed()
    page = site.rollout(verdict.attempt)
    errors = next(s for s in verdict.signals if s.name == "error_rate")
    canary, control, effect, evidence, samples, why = cells(row(page, "Errors"))
    assert (canary, control) == (f"{100 * errors.canary:.1f} %", f"{100 * errors.control:.2f} %")  # type: ignore[operator]
    assert re.match(r"\+[\d.]+ points 90 %: \+[\d.]+ to \+[\d.]+ tolerated \+0.1, limit", effect)
    assert evidence.startswith(f"over a million of {errors.needed:,.0f} needed")
    assert samples == f"{errors.samples.canary:,.0f} control {errors.samples.control:,.0f}"
    assert errors.reason.text in why
    assert "✕ fail" in row(page, "Errors").one("th").text
    names = [r.one("span", class_="name").text for r in page.one("table").one("tbody").every("tr")]
    assert names == [
        "Errors",
        "Latency",
        "Slow requests (5 % tail)",
        "Restarts",
        "Growth of memory",
    ]


def test_what_is_drawn_is_also_told_in_words() -> None:
    """Who cannot see the interval hears it; the newest points stand in tables."""
    site, verdict = failed()
    page = site.rollout(verdict.attempt)
    pictures = [svg for svg in page.every("svg") if "aria-hidden" not in svg.attrs]
    assert len(pictures) > 8
    assert all(svg.attrs["role"] == "img" and svg.attrs["aria-label"] for svg in pictures)
    values = page.one("table", id="table-error_rate")
    assert [cell.text for cell in values.one("thead").every("th")] == ["Until", "Canary", "Control"]
    assert len(list(values.one("tbody").every("tr"))) == 12


def test_advice_is_not_shown_as_a_judgement() -> None:
    """Memory is shown and never fails: the row says that it is advice."""
    site, verdict = failed()
    memory = row(site.rollout(verdict.attempt), "Growth of memory")
    assert "advice only" in memory.text
    assert "not judged" in memory.text
    assert "% per 10 minutes" in memory.text


def test_an_undecided_rollout_says_what_it_waits_for_and_until_when() -> None:
    """How many requests, how long, and when waiting ends by itself."""
    site, verdict = waiting(deadline=moment(1080))
    top = site.rollout(verdict.attempt).one("section", id="headline").text
    assert top.startswith("… inconclusive Wait")
    assert f"Needed for a pass: {verdict.needs.requests:,} more canary requests, about" in top
    assert "Not final" in top
    assert "The deadline is 14:31:20 UTC, in 10 minutes." in top


def test_undecided_at_the_deadline_is_final() -> None:
    """Nobody waits for an answer that will not come."""
    site, _ = waiting(deadline=moment(400))
    verdict = site.shop.ask(500.0, deadline=moment(400))
    page = site.rollout(verdict.attempt)
    assert "a person has to decide" in page.one("section", id="headline").text
    assert "Final: the deadline" in page.one("section", id="headline").text


def test_a_pass_tells_the_step_from_the_end() -> None:
    """Going on to the next step is less than becoming the new stable."""
    site = Site(Shop())
    step = site.shop.roll(14.9)
    assert "✓ pass Go on to the next step" in site.rollout(step.attempt).text
    last = final(site.shop, 25 * 60.0)
    page = site.rollout(last.attempt)
    assert (last.outcome, last.final) == (Outcome.PASS, True)
    assert "✓ pass May become the new stable" in page.text
    assert "Final: it passed at the final stage." in page.text


def test_an_open_page_follows_the_rollout_until_it_is_final() -> None:
    """By script, or without one by loading itself again; a final page rests."""
    site, verdict = waiting()
    page = site.rollout(verdict.attempt)
    assert page.one("body").attrs["data-refresh"] == "15.0"
    refresh = page.one("head").one("noscript").one("meta", http_equiv="refresh")
    assert refresh.attrs["content"] == "30"
    site, verdict = failed()
    page = site.rollout(verdict.attempt)
    assert page.one("body").attrs["data-refresh"] == "0.0"
    assert not list(page.every("meta", http_equiv="refresh"))


def test_a_faster_clock_is_followed_faster() -> None:
    """In the demo fifteen seconds are one: its page does not lag."""
    site = Site(Shop(policy=Policy(time_scale=1 / 15)))
    assert site.rollout(site.shop.ask(60.0).attempt).one("body").attrs["data-refresh"] == "2.0"


def test_charts_draw_both_sides_with_weights_and_decisions_marked() -> None:
    """One sees what the weight step or the release did to the canary, beside the control."""
    site, verdict = failed()
    drawn = {str(figure["id"]): figure for figure in figures(site.rollout(verdict.attempt))}
    assert list(drawn)[:3] == ["evidence", "traffic", "error_rate"]
    data, layout = drawn["error_rate"]["data"], drawn["error_rate"]["layout"]
    assert [line["name"] for line in data] == ["Control", "Canary"]  # type: ignore[attr-defined]
    words = [note["text"] for note in layout["annotations"]]  # type: ignore[index]
    assert sorted(words) == ["20 %", "5 %", "✕ fail"]
    assert {shape["type"] for shape in layout["shapes"]} == {"line", "rect"}  # type: ignore[index]


def test_what_was_decided_when_is_told_once_each() -> None:
    """Sixteen verdicts are four decisions; weights and the first sample stand between them."""
    site, verdict = failed()
    story = [li.text for li in site.rollout(verdict.attempt).one("ol", class_="story").every("li")]
    assert any("✕ fail, final · error_rate_up" in text for text in story)
    assert any(re.search(r"warming_up \(\d+ verdicts\)", text) for text in story)
    assert sum("fail, final" in text for text in story) == 1
    assert [text.split("weight ")[1] for text in story if "canary weight" in text] == [
        "20 %",
        "5 %",
    ]
    assert "first sample of the canary" in story[-1]


def test_earlier_decisions_are_on_further_pages() -> None:
    """A day of polling does not make one endless page; its top stays that of now."""
    site, verdict = failed()
    verdicts = site.shop.gate.records.rollout(verdict.attempt).page.verdicts
    page = site.page(f"/rollouts/{verdict.attempt}?before={verdicts[2].id}")
    assert page.one("section", id="headline").text.startswith("✕ fail Roll back")
    story = page.one("section", id="story")
    assert "as JSON" in story.text
    assert f"/v1/verdicts/{verdicts[0].id}" not in {a.attrs["href"] for a in story.every("a")}
    assert [a.text for a in story.one("nav").every("a")] == ["Newest"]


def test_break_glass_stands_above_everything() -> None:
    """Who stops acting on verdicts must not forget it, nor be mistaken for the gate."""
    site, verdict = failing()
    site.shop.gate.people.set_mode(Mode.SHADOW, person="joe", reason="incident 7", for_s=3600)
    text = site.rollout(verdict.attempt).one("div", id="notices").text
    assert "Break-glass for all services: shadow: controllers are told pass" in text
    assert "Set by joe until" in text
    assert text.endswith("incident 7")


@pytest.mark.parametrize("mode", [Mode.SHADOW, Mode.ADVISE, Mode.PAUSE])
def test_an_answer_other_than_the_judgement_is_told(mode: Mode) -> None:
    """A fail that controllers never heard of must not look like a rollback."""
    site = Site(Shop(errors=0.05, policy=Policy(mode=mode)))
    verdict = site.shop.roll(8)
    page = site.rollout(verdict.attempt)
    assert f"The policy's mode is {mode}" in page.one("div", id="notices").text
    told = f"Controllers are told {verdict.answer}: the mode is {mode}."
    assert told in page.one("section", id="headline").text


def test_a_persons_decision_is_shown_with_name_reason_and_end() -> None:
    """An override is an act of somebody: who, why, until when, and that it is not yet told."""
    site, verdict = failing()
    site.shop.clock.at += 30
    site.shop.gate.people.override(
        verdict.attempt, outcome=Outcome.PASS, person="ann", reason="ticket 12", for_s=3600
    )
    page = site.rollout(verdict.attempt)
    notice = page.one("div", id="notices").text
    assert "ann decided pass until" in notice
    assert "ticket 12 (since the verdict below; the next question is answered so)" in notice
    assert "(stands): ticket 12" in page.one("section", id="people").text
    assert "✓ ann decided pass" in page.one("ol", class_="story").text
    site.shop.ask(600.0)
    again = site.rollout(verdict.attempt)
    assert again.one("section", id="headline").text.startswith("✓ pass Go on to the next step")
    assert "Final while the decision of a person stands." in again.text


def test_silence_is_told() -> None:
    """A page that nobody feeds any more does not pass for the present."""
    site, verdict = waiting()
    assert "Nobody has asked" not in site.rollout(verdict.attempt).text
    site.shop.clock.at += 900
    assert (
        "Nobody has asked since 14:21:20 UTC (15 minutes ago): this is the answer then."
        in site.rollout(verdict.attempt).text
    )


def test_commands_can_be_typed_as_they_stand() -> None:
    """What is copied at three in the morning is a command that there is, quoted for a shell."""
    site = Site(Shop(service="check out; rm -rf $HOME"))
    page = site.rollout(site.shop.ask(60.0).attempt)
    texts = [code.text for code in page.one("dl", class_="commands").every("code")]
    root = typer.main.get_command(command_line)
    assert isinstance(root, TyperGroup)
    commands = [shlex.split(text) for text in texts if text.startswith("serinus")]
    assert [words[1] for words in commands] == ["explain", "replay", "override", "override", "mode"]
    for _, name, *words in commands:
        root.commands[name].make_context(name, words)
    assert "check out; rm -rf $HOME" in commands[-1]
    assert texts[0] == "export SERINUS_SERVER=http://127.0.0.1:8080"


def test_the_evidence_can_be_taken_home() -> None:
    """The link leads to the file of the newest verdict."""
    site, verdict = failed()
    page = site.rollout(verdict.attempt)
    link = next(a.attrs["href"] for a in page.every("a") if a.text == "Download the evidence")
    assert site.get(link).headers["content-type"] == "application/octet-stream"


def test_a_name_is_text_wherever_it_stands() -> None:
    """Names come from people and clusters: one that looks like a script is only read."""
    site = Site(Shop(service=HOSTILE, errors=0.05))
    verdict = site.shop.roll(8, revision=f"v1</script>{HOSTILE}", rollout=f'"{HOSTILE}')
    site.shop.gate.people.override(
        verdict.attempt, outcome=Outcome.FAIL, person=HOSTILE, reason=HOSTILE, for_s=3600
    )
    site.shop.gate.people.set_mode(Mode.PAUSE, person="<b>", reason=HOSTILE, for_s=3600)
    raw = site.get(f"/rollouts/{verdict.attempt}").text
    page = site.rollout(verdict.attempt)
    assert "<script>alert" not in raw
    assert page.one("h1").text == f'{HOSTILE} "{HOSTILE} v1</script>{HOSTILE}'
    assert {s.attrs.get("type") or s.attrs["src"].split("-")[0] for s in page.every("script")} == {
        "application/json",
        "/ui/assets/page",
        "/ui/assets/plotly",
    }
    assert not list(page.every("b"))
    assert HOSTILE in site.page("/rollouts").one("table").text


def test_a_figure_cannot_end_the_script_it_stands_in() -> None:
    """Texts inside the figures' JSON are text too."""
    curve = Curve(
        signal="</script><b>",
        measure="<!--",
        unit="&",
        width=1.0,
        times=np.array([T0, T0 + 15, T0 + 30]),
        canary=np.full(3, float("nan")),
        control=np.ones(3),
    )
    site = Site(Shop(), more={"chart": lambda _: (curve,)})
    verdict = site.shop.ask(60.0)
    raw = site.get(f"/rollouts/{verdict.attempt}").text
    inside = raw.split('id="figures">')[1].split("</script>")[0]
    assert not set("<>&") & set(inside)
    assert [f["id"] for f in json.loads(inside)] == ["</script><b>"]
    assert json.loads(inside)[0]["data"][1]["y"] == [None, None, None]


def test_a_rollout_without_a_canary_says_so() -> None:
    """Before the first pod there is a page, and it says what was looked for."""
    site = Site(Shop())
    verdict = site.shop.ask(30.0, canary='{track="nobody"}')
    text = site.rollout(verdict.attempt).text
    assert "No series of checkout matches the canary" in text
    assert "No signal has been judged yet." in text
    assert "No series of the canary has been seen yet, so there is nothing to draw." in text


def test_facts_stand_when_charts_cannot_be_drawn() -> None:
    """A broken sample store takes the pictures, not the verdict."""

    def broken(_: str) -> tuple[Curve, ...]:
        raise StoreError("a chunk of samples cannot be read")

    site, verdict = failing()
    site.more = {"chart": broken}
    page = site.rollout(verdict.attempt)
    assert (
        "The charts could not be drawn: a chunk of samples" in page.one("section", id="charts").text
    )
    assert page.one("section", id="headline").text.startswith("✕ fail")


@pytest.mark.parametrize("id", ["nope", "%00", "..%2f", "<b>", "x" * 2000, "%F0%9F%90%A4"])
def test_an_unknown_rollout_is_a_page_that_leads_on(id: str) -> None:
    """An old link says what is kept how long, and where the others are."""
    page = Site(Shop()).page(f"/rollouts/{id}", status=404)
    assert page.one("h1").text == "Not Found"
    assert "30 days" in page.text
    assert [a.text for a in page.one("main").every("a")] == ["All rollouts"]
    assert not list(page.every("b"))


def test_headings_and_labels_make_an_outline() -> None:
    """A screen reader finds its way: one h1, sections by name, tables with headers."""
    site, verdict = failed()
    page = site.rollout(verdict.attempt)
    assert page.one("html").attrs["lang"] == "en"
    assert headings(page) == [
        "checkout v2.3.1",
        "Signals",
        "Canary against control",
        "What was decided when",
        "Decisions of people",
        "About this rollout",
    ]
    ids = {node.attrs["id"] for node in page.every() if "id" in node.attrs}
    named = [n.attrs["aria-labelledby"] for n in page.every() if "aria-labelledby" in n.attrs]
    assert set(named) <= ids
    for table in page.every("table"):
        assert all(th.attrs["scope"] in ("col", "row") for th in table.every("th"))
    assert page.one("a", class_="skip").attrs["href"] == "#main"
