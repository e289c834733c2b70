"""The page as text: it stands alone, and nothing that others named acts in it."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from html.parser import HTMLParser

import pytest

from api.reports.page import content_policy, page_of
from api.reports.words import Wall
from tests.api.reports.examples import cores, disk, hostile, new, partitions, pool, report
from tests.api.reports.test_view import EMPTY

PAGE = page_of(report(), Wall())
HOSTILE = page_of(report(hostile(), disk()), Wall())


class Read(HTMLParser):
    """Elements with their attributes, and the texts of scripts and styles."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.within: list[tuple[str, str]] = []
        self._now = ""
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note it."""
        self.found.append((tag, dict(attrs)))
        self._now = tag

    def handle_endtag(self, tag: str) -> None:
        """Nothing is within any more."""
        self._now = ""

    def handle_data(self, data: str) -> None:
        """What runs or styles."""
        if self._now in {"script", "style"}:
            self.within.append((self._now, data))


@pytest.mark.parametrize("page", [PAGE, HOSTILE], ids=["shop", "hostile"])
def test_nothing_is_fetched(page: str) -> None:
    """It is mailed, and read on a train."""
    for tag, attributes in Read(page).found:
        for name in ("src", "srcset", "action", "data", "poster"):
            assert not attributes.get(name), (tag, attributes)
        assert (attributes.get("href") or "#").startswith("#")


@pytest.mark.parametrize("page", [PAGE, HOSTILE], ids=["shop", "hostile"])
def test_its_policy_knows_all_that_runs(page: str) -> None:
    """Each script and style by its hash; neither handlers nor styles at elements."""
    read = Read(page)
    (policy,) = (a["content"] for t, a in read.found if a.get("http-equiv"))
    assert policy == content_policy()
    assert "unsafe" not in content_policy()
    scripts = [a for tag, a in read.found if tag == "script" and not a.get("type")]
    assert len(scripts) == 2
    for kind, text in read.within:
        if kind == "style" or not text.startswith("[{"):
            digest = base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
            assert f"'sha256-{digest}'" in content_policy()
    names = {name for _, attributes in read.found for name in attributes}
    assert not {name for name in names if name.startswith("on")} | (names & {"style"})


def test_what_others_named_is_text() -> None:
    """In words, in attributes and in the figures."""
    assert "<script>alert(1)" not in HOSTILE
    assert "onerror=alert(1)>" not in HOSTILE.replace("&gt;", "")
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in HOSTILE
    assert [tag for tag, _ in Read(HOSTILE).found if tag == "img"] == []


def test_each_part_has_its_figure() -> None:
    """A chart without a place would not be seen."""
    place = re.search(r'id="figures">(.*?)</script>', PAGE, re.DOTALL)
    assert place is not None
    ids = [one["id"] for one in json.loads(place[1])]
    assert ids == [a["data-chart"] for _, a in Read(PAGE).found if "data-chart" in a]
    assert len(ids) == 6


def test_all_is_said_in_words_too() -> None:
    """For who has no JavaScript, as in a preview on a phone, or cannot see charts."""
    for words in (
        "in 23 days, Friday 18 December, between 9 December and 4 January 2027",
        "not enough history: needs 21 days, has 4 days",
        "no limit is known: set one under capacity:",
        "What if: traffic +40 % from 2026-12-01",
        "Last month we said 168 GiB",
    ):
        assert words in PAGE


@pytest.mark.parametrize(
    "told",
    [EMPTY, report(new()), report(cores(), partitions()), report(pool())],
    ids=["empty", "not known", "lasts", "out"],
)
def test_any_report_has_a_page(told: object) -> None:
    """Also one without dates, charts or advice."""
    page = page_of(told, Wall())  # type: ignore[arg-type]
    assert "<h1>Capacity of" in page
    assert "None" not in page[: page.index("<script")].replace("Nonetheless", "")
