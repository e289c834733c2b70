"""A report's page in Debian's Chromium: from a file, on a desk, a phone and paper."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from pathlib import Path

import pytest

from api.reports.page import page_of
from api.reports.words import Wall
from detector.capacity.report import Report
from tests.api.reports.examples import cores, disk, hostile, memory, new, pool, report
from tests.api.ui.browser import Browser, running_browser
from tests.api.ui.test_browser import DRAWN, SPILT, WIDE

pytestmark = [pytest.mark.real, pytest.mark.slow]

PAGES = {"shop": report(), "hostile": report(hostile(), disk(), memory())}
FIGURES = "JSON.parse(document.getElementById('figures').textContent).length"
TITLES = "[...document.querySelectorAll('h2 .title')].map((one) => one.innerText).join()"
TALL = (
    "[...document.querySelectorAll('.chart')].filter((place) => place.clientHeight >"
    " Number(place.querySelector('.main-svg').getAttribute('height')) + 8).length"
)


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    """Shared by the tests of this module; each sets the window as it needs it."""
    with running_browser(tmp_path_factory.mktemp("chromium")) as running:
        yield running


def opened(browser: Browser, told: Report, folder: Path) -> Browser:
    """The page from a file, as people get it by mail, with its charts drawn."""
    for notes in (browser.console, browser.requests, browser.blocked):
        notes.clear()
    file = folder / "report.html"
    file.write_text(page_of(told, Wall()), encoding="utf-8")
    browser.open(file.as_uri())
    browser.until(f"{DRAWN} > 0")
    return browser


@pytest.mark.parametrize("name", PAGES)
@pytest.mark.parametrize(
    ("width", "dark"), [(1280, False), (390, True)], ids=["desk by day", "phone by night"]
)
def test_a_report_is_drawn_without_an_error(
    browser: Browser, name: str, dark: bool, width: int, tmp_path: Path
) -> None:
    """Charts for each resource, no complaint of the page's own policy, nothing fetched."""
    browser.show(width=width, dark=dark)
    page = opened(browser, PAGES[name], tmp_path)
    assert page.run("document.querySelectorAll('.chart .main-svg').length") >= page.run(FIGURES) > 1
    assert page.console == []
    assert page.blocked == []
    assert [one for one in page.requests if not one.startswith(("file:", "data:"))] == []
    assert page.run(WIDE) <= 0
    assert page.run(SPILT) == 0
    assert page.run(TALL) == 0
    assert len(page.picture(tmp_path / "page.png")) > 50_000


def test_nothing_of_a_hostile_name_is_run(browser: Browser, tmp_path: Path) -> None:
    """Names come from labels that anybody may set."""
    browser.show(width=1000)
    page = opened(browser, PAGES["hostile"], tmp_path)
    assert page.run("document.querySelectorAll('main script, main img').length") == 0
    assert "<script>alert(1)</script>" in page.run(TITLES)


FLEET = report(*(one() for one in (pool, disk, disk, disk, memory, cores, new) for _ in range(5)))


@pytest.mark.parametrize("told", [PAGES["shop"], FLEET], ids=["shop", "fleet"])
def test_paper_has_the_gist_on_its_first_page(
    browser: Browser, told: Report, tmp_path: Path
) -> None:
    """A manager reads one page: what runs out first, what to do, what it costs, how sure."""
    browser.show(width=1000, dark=True)
    page = opened(browser, told, tmp_path)
    page.run(
        "void addEventListener('beforeprint', () => { window.paper = {"
        " ink: getComputedStyle(document.querySelector('.chart .xtick text')).fill,"
        " heights: [...document.querySelectorAll('.chart')].map((one) => one.clientHeight)};})"
    )
    printed = page.call("Page.printToPDF", printBackground=True, preferCSSPageSize=True)
    body = base64.b64decode(printed["data"])
    (tmp_path / "report.pdf").write_bytes(body)
    assert body.startswith(b"%PDF")
    assert page.run("window.paper.ink") == "rgb(27, 31, 36)"
    page.show(width=687, height=1020, media="print")
    assert page.run("document.querySelector('.first').offsetHeight") <= 1010
