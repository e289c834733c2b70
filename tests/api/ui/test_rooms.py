"""Every page asks for the token where there is one, may be looked at with it, is never cached."""

from __future__ import annotations

from base64 import b64encode

import pytest
from pydantic import SecretStr
from starlette.testclient import TestClient

from api.settings import Settings
from tests.api.ui.scenes import Shop
from tests.api.ui.site import Site

TOKEN = "correct-horse-battery"
ROOMS = ("/rollouts", "/slos", "/digest", "/delivery", "/scans", "/scans?service=a&revision=b")


@pytest.fixture(scope="module")
def client() -> TestClient:
    """Of a site with a token."""
    site = Site(Shop(minutes=2), settings=Settings(token=SecretStr(TOKEN)))
    return TestClient(site.app, base_url="http://127.0.0.1:8080", raise_server_exceptions=False)


@pytest.mark.parametrize("room", ROOMS)
def test_without_the_token_nothing_is_shown(client: TestClient, room: str) -> None:
    """Nor which service there is."""
    answer = client.get(room)
    assert answer.status_code == 401
    assert "Basic" in answer.headers["www-authenticate"]
    assert "<h1>" not in answer.text


@pytest.mark.parametrize("room", ROOMS)
def test_a_login_by_browser_may_look(client: TestClient, room: str) -> None:
    """Under the policy that lets in nothing of others; a page that has nothing says so."""
    login = "Basic " + b64encode(f"any:{TOKEN}".encode()).decode()
    answer = client.get(room, headers={"Authorization": login})
    assert answer.status_code in {200, 404}
    assert "<h1>" in answer.text
    assert answer.headers["cache-control"] == "no-store"
    policy = answer.headers["content-security-policy"]
    assert policy.startswith("default-src 'none'; script-src 'self';")


@pytest.mark.parametrize("room", ROOMS)
def test_a_page_can_only_be_read(client: TestClient, room: str) -> None:
    """Nothing is changed by an address that somebody is lured to."""
    answer = client.post(room, headers={"Authorization": f"Bearer {TOKEN}"})
    assert answer.status_code == 405


@pytest.mark.parametrize("room", ROOMS)
def test_a_word_without_end_is_refused(client: TestClient, room: str) -> None:
    """Whatever is asked for is bounded."""
    path = room.partition("?")[0]
    answer = client.get(
        f"{path}?service={'x' * 5000}&team={'x' * 5000}",
        headers={"Authorization": f"Bearer {TOKEN}"},
    )
    assert answer.status_code == 422
