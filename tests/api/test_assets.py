"""Style and scripts come from what is installed, and the policy lets nothing else in."""

from __future__ import annotations

import base64
import gzip
import hashlib
import re
from importlib.resources import files

import pytest
from plotly.offline import get_plotlyjs

from api.assets import asset, asset_url
from tests.api.ui.parsed import Node
from tests.api.ui.scenes import Shop
from tests.api.ui.site import Site

NAMES = ["page.css", "page.js", "plotly.js"]
STYLE = files("api.ui").joinpath("static", "page.css").read_text(encoding="utf-8")


def rollout_page() -> tuple[Site, Node, str]:
    site = Site(Shop(minutes=5))
    path = f"/rollouts/{site.shop.ask(120.0).attempt}"
    return site, site.page(path), path


def directives(policy: str) -> dict[str, list[str]]:
    parts = (part.split() for part in policy.split(";"))
    return {words[0]: words[1:] for words in parts if words}


@pytest.mark.parametrize("name", NAMES)
def test_a_file_may_be_kept_for_ever_because_its_name_changes_with_it(name: str) -> None:
    """Five megabytes of charts are loaded once, and an upgrade is seen at once."""
    answer = Site(Shop(minutes=1)).get(asset_url(name))
    assert answer.status_code == 200
    assert answer.headers["cache-control"] == "private, max-age=31536000, immutable"
    assert hashlib.sha256(answer.content).hexdigest()[:16] in asset_url(name)
    assert answer.headers["x-content-type-options"] == "nosniff"
    kinds = {"css": "text/css; charset=utf-8", "js": "text/javascript; charset=utf-8"}
    assert answer.headers["content-type"] == kinds[name.rpartition(".")[2]]


def test_charts_are_drawn_by_the_installed_plotly() -> None:
    """No address of a stranger is in it: it works in a cellar without a line to the world."""
    found = asset(asset_url("plotly.js").rpartition("/")[2])
    assert found is not None
    assert found.body.decode() == get_plotlyjs()


def test_a_file_travels_packed_where_that_is_understood() -> None:
    """A phone on a bad line waits for a third of the bytes."""
    site, url = Site(Shop(minutes=1)), asset_url("plotly.js")
    plain, packed = site.get(url, accept_encoding="identity"), site.get(url, accept_encoding="gzip")
    assert "content-encoding" not in plain.headers
    assert packed.headers["content-encoding"] == "gzip"
    assert packed.content == plain.content
    assert int(packed.headers["content-length"]) < 0.4 * len(plain.content)
    assert len(gzip.compress(plain.content)) < 0.4 * len(plain.content)


@pytest.mark.parametrize(
    "name",
    [
        "page.css",
        "page-0000000000000000.css",
        "pages.py",
        "..%2fpages.py",
        "rollout.html",
        "-.",
        "x",
    ],
)
def test_nothing_else_of_the_package_is_served(name: str) -> None:
    """The folder is no way to the sources, and an old hash is not answered with new content."""
    assert Site(Shop(minutes=1)).get(f"/ui/assets/{name}").status_code == 404


def test_the_policy_of_a_page_lets_in_our_own_files_only() -> None:
    """Whatever somebody smuggles into a page is not run, not styled, not sent anywhere."""
    site, _, path = rollout_page()
    policy = directives(site.get(path).headers["content-security-policy"])
    assert policy["default-src"] == ["'none'"]
    assert policy["script-src"] == ["'self'"]
    assert policy["connect-src"] == policy["form-action"] == ["'self'"]
    assert policy["base-uri"] == policy["frame-ancestors"] == ["'none'"]
    empty = hashlib.sha256(b"").digest()
    assert policy["style-src"] == ["'self'", f"'sha256-{base64.b64encode(empty).decode()}'"]


def test_a_page_needs_nothing_that_the_policy_forbids() -> None:
    """No inline script, handler or style, and no address but our own."""
    _, page, _ = rollout_page()
    for node in page.every():
        assert not [name for name in node.attrs if name.startswith("on") or name == "style"]
        assert node.tag not in ("style", "iframe", "object", "embed", "base")
        for name in ("src", "href", "action"):
            where = node.attrs.get(name, "/")
            assert where.startswith(("/", "#", "data:image/svg")), where
            assert not where.startswith("//")
    scripts = [node for node in page.every("script") if "src" not in node.attrs]
    assert [node.attrs["type"] for node in scripts] == ["application/json"]


@pytest.mark.parametrize("path", ["/rollouts", "/rollouts/nope"])
def test_every_page_is_fresh_and_guarded(path: str) -> None:
    """What was true a minute ago is not shown again from a cache; errors are guarded too."""
    answer = Site(Shop(minutes=1)).get(path)
    assert answer.headers["cache-control"] == "no-store"
    assert "default-src 'none'" in answer.headers["content-security-policy"]
    assert answer.headers["referrer-policy"] == "no-referrer"


def colours(block: str) -> dict[str, str]:
    return dict(re.findall(r"--([a-z0-9-]+):\s*(#[0-9a-f]{6})", block))


def luminance(colour: str) -> float:
    """Relative luminance as WCAG defines it."""
    parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    linear = [p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(first: str, second: str) -> float:
    low, high = sorted((luminance(first), luminance(second)))
    return (high + 0.05) / (low + 0.05)


SCHEMES = {
    "light": colours(STYLE.split("@media")[0]),
    "dark": colours(STYLE.split("prefers-color-scheme: dark")[1].split("* {")[0]),
}


@pytest.mark.parametrize("scheme", SCHEMES)
@pytest.mark.parametrize(
    ("ink", "paper"),
    [(ink, paper) for ink in ("text", "muted", "link") for paper in ("page", "card")]
    + [("text", "wait-tint")]
    + [(word, f"{word}-tint") for word in ("fail", "pass", "wait")]
    + [(line, "card") for line in ("canary", "control", "fail", "pass", "wait")]
    + [(f"line{at}", "card") for at in range(5)],
)
def test_text_and_lines_stand_out_from_what_is_behind(scheme: str, ink: str, paper: str) -> None:
    """At 4.5 and more it is read with tired eyes, by day and by night."""
    known = SCHEMES[scheme]
    assert contrast(known[ink], known[paper]) >= 4.5


def test_both_schemes_name_the_same_colours() -> None:
    """No colour of the day is left over at night."""
    assert SCHEMES["light"].keys() == SCHEMES["dark"].keys()
    assert len(SCHEMES["light"]) > 15
    used = set(re.findall(r"var\(--([a-z0-9-]+)\)", STYLE))
    assert used <= SCHEMES["light"].keys()
