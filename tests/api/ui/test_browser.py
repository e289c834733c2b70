"""The pages in Debian's Chromium: charts are drawn, nothing is refused, nobody else is asked."""

from __future__ import annotations

import base64
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest
import uvicorn
from pydantic import SecretStr

from api.settings import Settings
from detector.gate.verdict import Outcome
from tests.api.ui.browser import Browser, running_browser
from tests.api.ui.scenes import Shop
from tests.api.ui.site import Site
from tests.servers import free_port

pytestmark = [pytest.mark.real, pytest.mark.slow]

DRAWN = "document.querySelectorAll('.chart .main-svg .scatterlayer .trace path.js-line').length"
SPILT = (
    "[...document.querySelectorAll('.chart')].filter((place) =>"
    " place.querySelector('.main-svg').getAttribute('width') > place.clientWidth + 1).length"
)
WIDE = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
TOKEN = "correct-horse-battery"


@contextmanager
def served(site: Site) -> Iterator[str]:
    """The site on a free port; its address."""
    port = free_port()
    config = uvicorn.Config(site.app, port=port, log_config=None, access_log=False)
    server = uvicorn.Server(config)
    began = threading.Event()
    thread = threading.Thread(target=server.run, daemon=True)
    original = server.startup

    async def startup(sockets: object = None) -> None:
        await original(sockets)  # type: ignore[arg-type]
        began.set()

    server.startup = startup  # type: ignore[method-assign]
    thread.start()
    assert began.wait(20)
    try:
        yield f"http://127.0.0.1:{port}"
    finally:
        server.should_exit = True
        thread.join(20)


@dataclass(slots=True)
class Stage:
    """A browser, an address, and one rollout of each outcome."""

    browser: Browser
    url: str
    shops: dict[str, Shop] = field(default_factory=dict)
    paths: dict[str, str] = field(default_factory=dict)

    def open(self, name: str) -> Browser:
        """A rollout's page with its charts drawn, notes of earlier pages forgotten."""
        for notes in (self.browser.console, self.browser.requests, self.browser.blocked):
            notes.clear()
        self.browser.open(self.url + self.paths[name])
        self.browser.until(f"{DRAWN} > 0")
        return self.browser


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    """Shared by the tests of this module; each sets the window as it needs it."""
    bad = Shop(service="payments", errors=0.05)
    shops = {
        "fail": bad,
        "wait": Shop(service="search", per_s=0.3, stores=bad.stores),
        "hostile": Shop(service="<script>alert(1)</script>", errors=0.05, stores=bad.stores),
    }
    paths = {name: f"/rollouts/{shop.roll(8).attempt}" for name, shop in shops.items()}
    folder = tmp_path_factory.mktemp("chromium")
    with served(Site(bad)) as url, running_browser(folder) as browser:
        yield Stage(browser=browser, url=url, shops=shops, paths=paths)


@pytest.mark.parametrize("name", ["fail", "wait", "hostile"])
@pytest.mark.parametrize(
    ("width", "dark"), [(1280, False), (390, True)], ids=["desk by day", "phone by night"]
)
def test_a_rollout_is_drawn_without_an_error(
    stage: Stage, name: str, dark: bool, width: int, tmp_path: Path
) -> None:
    """By day and night, on a desk and a phone: charts, no complaint, nobody else asked."""
    stage.browser.show(width=width, dark=dark)
    page = stage.open(name)
    figures = page.run("JSON.parse(document.getElementById('figures').textContent).length")
    assert page.run("document.querySelectorAll('.chart .main-svg').length") >= figures
    assert page.run(DRAWN) >= 2 * figures - 2
    assert page.console == []
    assert page.blocked == []
    assert {request.startswith(f"{stage.url}/") for request in page.requests} == {True}
    assert page.run(WIDE) <= 0
    assert page.run(SPILT) == 0
    assert len(page.picture(tmp_path / "page.png")) > 50_000


def test_charts_take_the_colours_of_the_scheme(stage: Stage) -> None:
    """At night nothing shines white, and a switch of the scheme is followed at once."""
    colour = "getComputedStyle(document.querySelector('.chart .xtick text')).fill"
    stage.browser.show(width=1000)
    page = stage.open("fail")
    day = page.run(colour)
    assert day == page.run("getComputedStyle(document.body).color")
    page.show(width=1000, dark=True)
    page.until(f"{colour} === getComputedStyle(document.body).color")
    assert page.run(colour) != day


def test_paper_is_light_and_holds_the_whole_page(stage: Stage) -> None:
    """For the post mortem: white text on white paper cannot be read, nor what is cut off."""
    stage.browser.show(width=1000, dark=True)
    page = stage.open("fail")
    page.run(
        "void addEventListener('beforeprint', () => { window.paper = {"
        " ink: getComputedStyle(document.querySelector('.chart .xtick text')).fill,"
        " widths: [...document.querySelectorAll('.chart .main-svg')].map((one) =>"
        " Number(one.getAttribute('width'))) }; })"
    )
    printed = page.call("Page.printToPDF", printBackground=True)
    assert base64.b64decode(printed["data"]).startswith(b"%PDF")
    assert page.run("window.paper.ink") == "rgb(27, 31, 36)"
    assert max(page.run("window.paper.widths")) <= 640
    page.until("document.querySelector('.chart .main-svg').getAttribute('width') > 640")
    page.show(width=1280, dark=True)
    page.until(f"{SPILT} === 0")
    page.run("dispatchEvent(new Event('beforeprint'))")
    page.show(width=718, media="print")
    overflow = page.run(WIDE)
    page.run("dispatchEvent(new Event('afterprint'))")
    assert overflow <= 0


def test_facts_are_read_without_scripts(stage: Stage) -> None:
    """A browser that runs nothing shows outcome, reason, numbers and decisions."""
    stage.browser.show(width=1280)
    stage.browser.call("Emulation.setScriptExecutionDisabled", value=True)
    try:
        stage.browser.open(stage.url + stage.paths["fail"])
    finally:
        stage.browser.call("Emulation.setScriptExecutionDisabled", value=False)
    text = stage.browser.run("document.body.innerText")
    for words in ("Roll back", "The charts need JavaScript", "over a million", "fail, final"):
        assert words in text
    assert stage.browser.run("document.documentElement.classList.contains('js')") is False


def test_an_open_page_shows_the_next_verdict_by_itself(stage: Stage) -> None:
    """Nobody presses reload at three in the morning."""
    shop = stage.shops["wait"]
    stage.browser.show(width=1280)
    page = stage.open("wait")
    page.run("document.body.dataset.refresh = '0.2'; document.querySelector('details').open = true")
    page.run("void (window.kept = document.querySelector('.chart'))")
    # The page counts from its first look, which it takes after the time that it came with.
    page.run("dispatchEvent(new Event('DOMContentLoaded'))")
    shop.gate.people.override(
        stage.paths["wait"].rpartition("/")[2],
        outcome=Outcome.FAIL,
        person="ann",
        reason="enough seen",
        for_s=3600,
    )
    shop.ask(570.0)
    page.until("document.title.startsWith('✕ fail')")
    assert "ann decided fail" in page.run("document.getElementById('headline').innerText")
    assert page.run("document.getElementById('said').textContent").startswith("✕ fail")
    assert page.run("document.querySelector('details').open") is True
    assert page.run("window.kept === document.querySelector('.chart')") is True
    assert page.console == []


def test_a_page_that_cannot_be_renewed_says_so(stage: Stage) -> None:
    """Old numbers are not taken for the present when the network is gone."""
    stage.browser.show(width=1280)
    page = stage.open("fail")
    page.call(
        "Network.emulateNetworkConditions",
        offline=True,
        latency=0,
        downloadThroughput=-1,
        uploadThroughput=-1,
    )
    try:
        page.run("document.body.dataset.refresh = '0.1'")
        page.run("dispatchEvent(new Event('DOMContentLoaded'))")
        page.until("document.getElementById('refreshed').textContent.startsWith('Not up to date')")
    finally:
        page.call(
            "Network.emulateNetworkConditions",
            offline=False,
            latency=0,
            downloadThroughput=-1,
            uploadThroughput=-1,
        )


def test_focus_can_be_seen_and_reaches_the_content_first(stage: Stage) -> None:
    """With the keyboard alone one jumps to the content and sees where one is."""
    stage.browser.show(width=1280)
    page = stage.open("fail")
    for kind in ("keyDown", "keyUp"):
        page.call(
            "Input.dispatchKeyEvent", type=kind, key="Tab", code="Tab", windowsVirtualKeyCode=9
        )
    assert page.run("document.activeElement.className") == "skip"
    assert page.run("getComputedStyle(document.activeElement).outlineStyle") == "solid"
    assert page.run("document.activeElement.getBoundingClientRect().left") >= 0


def test_a_browser_gets_in_with_the_token_as_password(tmp_path: Path) -> None:
    """The dialog of the browser is enough: page, style, scripts and renewal, no token in a URL."""
    site = Site(Shop(errors=0.05), settings=Settings(token=SecretStr(TOKEN)))
    path = f"/rollouts/{site.shop.roll(8).attempt}"
    with served(site) as url, running_browser(tmp_path) as browser:
        browser.show(width=1280)
        browser.login = ("any", TOKEN)
        browser.call("Fetch.enable", handleAuthRequests=True)
        browser.open(url + path)
        browser.until(f"{DRAWN} > 0")
        assert browser.run("document.querySelector('.headline .badge').innerText") == "✕ fail"
        assert browser.run("fetch(location.href).then((answer) => answer.status)") == 200
        assert not any(TOKEN in request for request in browser.requests)


def test_a_browser_without_the_token_sees_nothing(tmp_path: Path) -> None:
    """A cancelled dialog leaves a line that says what to send, and no fact."""
    site = Site(Shop(), settings=Settings(token=SecretStr(TOKEN)))
    path = f"/rollouts/{site.shop.ask(60.0).attempt}"
    with served(site) as url, running_browser(tmp_path) as browser:
        browser.call("Fetch.enable", handleAuthRequests=True)
        browser.open(url + path)
        text = browser.run("document.body.innerText")
        assert "Send the token" in text
        assert "checkout" not in text
