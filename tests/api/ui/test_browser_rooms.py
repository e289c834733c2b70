"""Pages beside the gate's own in Debian's Chromium: harmless, fit for a phone, plain to read."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlencode

import pytest

from tests.api.ui.browser import Browser, running_browser
from tests.api.ui.delivering import delivering
from tests.api.ui.promised import promised
from tests.api.ui.scanned import EVIL, scanned
from tests.api.ui.test_browser import WIDE, served
from tests.api.ui.weeks import week

pytestmark = [pytest.mark.real, pytest.mark.slow]

# What no page may hold, whoever named what it shows.
ALIEN = "document.querySelectorAll('main img, main script, main [onerror]').length"
CUT = (
    "[...document.querySelectorAll('main td, main tbody th, main p, main h2')].filter((one) =>"
    " one.scrollWidth > one.clientWidth + 1 && getComputedStyle(one).display !== 'inline').length"
)


@dataclass(slots=True)
class Stage:
    """A browser, and where each page is."""

    browser: Browser
    urls: dict[str, str]

    def open(self, name: str) -> Browser:
        """A page, notes of earlier ones forgotten."""
        for notes in (self.browser.console, self.browser.requests, self.browser.blocked):
            notes.clear()
        self.browser.open(self.urls[name])
        return self.browser


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    """Shared by the tests of this module; each sets the window as it needs it."""
    folder = tmp_path_factory.mktemp("rooms")
    with ExitStack() as stack:
        url, sent, weekly, kept = (
            stack.enter_context(served(stack.enter_context(scene(folder))))
            for scene in (delivering, scanned, week, promised)
        )
        urls = {
            "delivery": f"{url}/delivery",
            "digest": f"{weekly}/digest",
            "slos": f"{kept}/slos",
            "scans": f"{sent}/scans",
            "a revision": f"{sent}/scans?service=checkout&revision=v42",
            "an evil revision": f"{sent}/scans?{urlencode({'service': EVIL, 'revision': EVIL})}",
        }
        yield Stage(browser=stack.enter_context(running_browser(folder)), urls=urls)


@pytest.mark.parametrize(
    "name", ["delivery", "digest", "slos", "scans", "a revision", "an evil revision"]
)
@pytest.mark.parametrize(
    ("width", "dark"), [(1280, False), (400, True)], ids=["desk by day", "phone by night"]
)
def test_a_page_is_harmless_and_fits(
    stage: Stage, name: str, width: int, dark: bool, tmp_path: Path
) -> None:
    """Nothing is wider than the window or cut off, nobody else is asked, markup is text."""
    stage.browser.show(width=width, dark=dark)
    page = stage.open(name)
    page.until("document.readyState === 'complete'")
    assert page.run(WIDE) <= 0
    assert page.run(CUT) == 0
    assert page.run(ALIEN) == 0
    assert (page.console, page.blocked) == ([], [])
    home = page.run("location.origin")
    assert [one for one in page.requests if not one.startswith((f"{home}/", "data:"))] == []
    assert len(page.picture(tmp_path / "page.png")) > 15_000


def test_a_trend_is_drawn_to_be_seen(stage: Stage) -> None:
    """A point is a dot of some pixels in a colour of its own, however wide the drawing is."""
    stage.browser.show(width=1280)
    page = stage.open("delivery")
    path = "document.querySelector('.trend path')"
    assert page.run(f"getComputedStyle({path}).strokeLinecap") == "round"
    assert page.run(f"parseFloat(getComputedStyle({path}).strokeWidth)") >= 6
    assert page.run("document.querySelector('.trend svg').clientHeight") >= 100


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("delivery", "Week by week"),
        ("digest", "alert budget"),
        ("slos", "burns: page"),
        ("scans", "held by strict"),
        ("a revision", "A pass is held"),
    ],
)
def test_facts_are_read_without_scripts(stage: Stage, name: str, words: str) -> None:
    """A browser that runs nothing shows all of it."""
    stage.browser.show(width=1280)
    stage.browser.call("Emulation.setScriptExecutionDisabled", value=True)
    try:
        stage.open(name)
    finally:
        stage.browser.call("Emulation.setScriptExecutionDisabled", value=False)
    assert words in stage.browser.run("document.body.innerText")
