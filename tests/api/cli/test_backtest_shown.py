"""What a backtest shows: at a terminal, as JSON and as one page."""

from __future__ import annotations

import io
import json
import re
from dataclasses import replace
from html.parser import HTMLParser

import pytest
from rich.console import Console

from api.cli.backtest_json import backtest_json
from api.cli.backtest_text import print_backtest
from api.ui.backtest import backtest_page
from detector.backtest.course import Course, Truth
from tests.detector.backtest.courses import T0, course

HEALTHY, REGRESSED = Truth.HEALTHY, Truth.REGRESSED
COURSES = [
    course("iipp", HEALTHY, name="checkout v2"),
    course("iif", REGRESSED, name="checkout v3", line=2, effect_at=T0 + 30),
    replace(course("", name="cart", line=3), problem="the samples of then are gone"),
]
OTHERS = [course("iipp", HEALTHY), course("iipp", REGRESSED, line=2), COURSES[2]]


def printed(*columns: list[Course], width: int = 120) -> str:
    """What a terminal of this width would show, without colours."""
    sink = io.StringIO()
    names = ["default", "calm"][: len(columns)]
    print_backtest(Console(file=sink, width=width), names, columns)
    return sink.getvalue()


def test_each_rollout_has_a_line() -> None:
    """First pass, first fail by what, how it ended, and every poll."""
    text = printed(COURSES)
    assert re.search(r"1 +checkout v2 .+ healthy +3\.0 +– +pass +··✓✓", text)
    assert re.search(r"2 +checkout v3 .+ regressed +– +error_rate 3\.0 +fail +··✗", text)
    assert "line 3 (cart): the samples of then are gone" in text


def test_totals_say_how_sure_they_are() -> None:
    """One of one is not always."""
    text = printed(COURSES)
    assert "1 of 1 regressed: 100 % (2.5 to 100)" in text
    assert "0 of 1 healthy: 0 % (0 to 97.5)" in text
    assert "median 2.5 min (of 1: too few for an interval)" in text
    assert "2 of 3, 7 polls" in text


def test_two_policies_stand_side_by_side() -> None:
    """And where they differ is named."""
    text = printed(COURSES, OTHERS)
    assert "1 rollouts end otherwise under calm" in text
    assert "line 2 (checkout v3): fail → pass, regressed" in text
    assert "Both policies end every rollout alike." in printed(COURSES, COURSES)


@pytest.mark.parametrize("polls", [1, 24, 25, 500])
def test_long_rollouts_fit_the_line(polls: int) -> None:
    """A fail among many polls is never drawn over."""
    text = printed([course("p" * (polls - 1) + "f", REGRESSED, name="long")])
    (row,) = [line for line in text.splitlines() if " long " in line]
    assert row.rstrip().endswith("✗")
    assert len(row) <= 120


def test_json_holds_every_poll_and_every_share() -> None:
    """Whoever wants to count otherwise can."""
    made = backtest_json(["default", "calm"], [COURSES, OTHERS], every_s=60.0, took_s=1.0)
    assert json.loads(json.dumps(made, allow_nan=False)) == made
    first, second, third = made["rollouts"]
    assert [poll["outcome"] for poll in first["judged"][0]["polls"]] == [
        *["inconclusive"] * 2,
        *["pass"] * 2,
    ]
    assert second["judged"][0]["signal"] == "error_rate"
    assert (third["judged"][0]["outcome"], third["judged"][0]["problem"]) == (
        None,
        "the samples of then are gone",
    )
    assert made["differ"] == [2]
    assert made["policies"][0]["detections"] == {
        "hits": 1,
        "of": 1,
        "ratio": 1.0,
        "low": 0.025,
        "high": 1.0,
    }


class Fetched(HTMLParser):
    """Addresses that a page would fetch."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Sources of scripts, images and frames, and linked files."""
        wanted = {"link": "href"}.get(tag, "src")
        self.found += [value or "" for name, value in attrs if name == wanted]


def test_the_page_stands_alone() -> None:
    """It is mailed to people who have no serinus, and no way out of their network."""
    page = backtest_page(["default", "calm"], [COURSES, OTHERS], every_s=60.0)
    fetched = Fetched()
    fetched.feed(page)
    assert fetched.found == []
    assert page.count("</script>") == 3
    assert "Backtest of 3 rollouts" in page
    assert "the samples of then are gone" in page


def test_words_of_others_stay_words_on_the_page() -> None:
    """A revision called like a tag must not run."""
    evil = course("ip", name="</script><script>alert(1)</script>")
    page = backtest_page(["default"], [[evil]], every_s=60.0)
    assert page.count("</script>") == 3
    assert "<script>alert(1)" not in page
