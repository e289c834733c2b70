"""Pages of logs, services and anomalies in Debian's Chromium: drawn, harmless, fit for a phone."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.api.ui.browser import Browser, running_browser
from tests.api.ui.scenes import Said, Shop
from tests.api.ui.site import Site
from tests.api.ui.test_browser import SPILT, WIDE, served
from tests.api.ui.watched import EVIL, watched

pytestmark = [pytest.mark.real, pytest.mark.slow]

DRAWN = "document.querySelectorAll('.small.chart .scatterlayer .trace path.js-line').length"
NEW = "lt_00000000000000aa"


@dataclass(slots=True)
class Stage:
    """A browser, an address, and a rollout that failed by a hostile line."""

    browser: Browser
    url: str
    rollout: str

    def open(self, path: str) -> Browser:
        """A page, notes of earlier ones forgotten."""
        for notes in (self.browser.console, self.browser.requests, self.browser.blocked):
            notes.clear()
        self.browser.open(self.url + path)
        return self.browser


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    """Shared by the tests of this module; each sets the window as it needs it."""
    with watched(tmp_path_factory.mktemp("stream")) as site:
        said = (Said(id=NEW, canary=0.02, text=EVIL, sample=f"<b>first</b>\n{EVIL}"),)
        shop = Shop(said=said)
        shown = Site(shop, settings=site.settings, streaming=site.streaming)
        path = f"/rollouts/{shop.roll(8).attempt}"
        folder = tmp_path_factory.mktemp("chromium")
        with served(shown) as url, running_browser(folder) as browser:
            yield Stage(browser=browser, url=url, rollout=path)


@pytest.mark.parametrize(
    ("width", "dark"), [(1280, False), (390, True)], ids=["desk by day", "phone by night"]
)
def test_every_page_is_harmless_and_fits(
    stage: Stage, width: int, dark: bool, tmp_path: Path
) -> None:
    """Markup, endless words and marks that turn a text, in lines, names and labels: only text."""
    stage.browser.show(width=width, dark=dark)
    for path in (stage.rollout, "/services", "/services/checkout", "/services/cart", "/anomalies"):
        page = stage.open(path)
        page.until("document.readyState === 'complete'")
        assert page.run(WIDE) <= 0, path
        assert page.console == [], path
        assert page.blocked == [], path
        strangers = [one for one in page.requests if not one.startswith((f"{stage.url}/", "data:"))]
        assert strangers == [], path
        assert page.run("document.querySelectorAll('main img, main script[src]').length") == 0
        assert len(page.picture(tmp_path / "page.png")) > 15_000


def test_the_line_that_decided_is_drawn_beside_its_words(stage: Stage) -> None:
    """Canary and control over time, next to the template that failed the rollout."""
    stage.browser.show(width=1280)
    page = stage.open(stage.rollout)
    page.until(f"{DRAWN} >= 2")
    assert page.run(SPILT) == 0
    card = page.run(f"document.querySelector('[data-part=\"line-{NEW}\"]').innerText")
    assert "decided" in card
    assert "<script>alert(1)</script>" in card
    assert "<b>first</b>" in card


def test_facts_are_read_without_scripts(stage: Stage) -> None:
    """A browser that runs nothing shows lines, counts, calls and anomalies."""
    stage.browser.show(width=1280)
    stage.browser.call("Emulation.setScriptExecutionDisabled", value=True)
    found = {}
    try:
        for path in (stage.rollout, "/services/checkout", "/services/cart", "/anomalies"):
            stage.open(path)
            found[path] = stage.browser.run("document.body.innerText")
    finally:
        stage.browser.call("Emulation.setScriptExecutionDisabled", value=False)
    assert "decided" in found[stage.rollout]
    assert "out of memory" in found["/services/checkout"]
    assert "20 %" in found["/services/cart"]
    assert "What to do:" in found["/anomalies"]
