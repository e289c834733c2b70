"""Who may ask: the token, the machine itself, and nobody through somebody else's browser."""

from __future__ import annotations

import base64

import pytest
from pydantic import SecretStr

from api.auth.access import Access, check_exposure, is_loopback
from api.settings import Settings
from detector.errors import ConfigError
from tests.api.doors import QUESTION, Door, passing_door, problem_of

TOKEN = "correct-horse-battery"
GUARDED = ["/v1/verdicts", "/v1/policies", "/v1/modes", "/metrics", "/openapi.json", "/nothing"]


def guarded() -> Door:
    """A door that asks for a token, seen from another machine."""
    return passing_door(Door(settings=Settings(token=SecretStr(TOKEN)), host="serinus.example"))


def bearer(token: str) -> dict[str, str]:
    """The header."""
    return {"Authorization": f"Bearer {token}"}


def login(password: str) -> dict[str, str]:
    """What a browser sends after its password dialog."""
    return {"Authorization": "Basic " + base64.b64encode(f"me:{password}".encode()).decode()}


@pytest.mark.parametrize("path", GUARDED)
@pytest.mark.parametrize(
    "headers",
    [
        {},
        bearer(""),
        bearer(TOKEN[:-1]),
        bearer(TOKEN + "x"),
        bearer(TOKEN.upper()),
        {"Authorization": TOKEN},
        {"Authorization": f"Token {TOKEN}"},
        {"Authorization": "Basic !!!"},
        login("wrong"),
        {"Authorization": "Bearer \xff\xfe"},
    ],
    ids=["none", "empty", "short", "long", "case", "bare", "scheme", "nonsense", "wrong", "bytes"],
)
def test_without_the_token_nothing_is_told(path: str, headers: dict[str, str]) -> None:
    """401 and how to log in; also for what does not exist."""
    encoded = [(name.encode(), value.encode("latin-1")) for name, value in headers.items()]
    told = guarded().client.get(path, headers=encoded)
    assert problem_of(told)[0] == 401
    assert told.headers["www-authenticate"].startswith("Bearer ")


@pytest.mark.parametrize("scheme", ["Bearer", "bearer", "BEARER"])
def test_the_token_opens(scheme: str) -> None:
    """Schemes have no case."""
    headers = {"Authorization": f"{scheme} {TOKEN}"}
    assert guarded().client.post("/v1/verdicts", json=QUESTION, headers=headers).status_code == 200


def test_a_question_without_the_token_is_refused_before_it_is_read() -> None:
    """Whoever has no token learns nothing of fields and policies, and costs nothing."""
    door = guarded()
    told = door.client.post("/v1/verdicts", content=b"{", headers=bearer("wrong"))
    assert problem_of(told) == (401, None)
    assert "Basic" not in told.headers["www-authenticate"]


def test_a_browser_may_look_with_the_token_as_password() -> None:
    """A page can be read without a tool that sets headers."""
    told = guarded().client.get("/v1/verdicts", headers=login(TOKEN))
    assert told.status_code == 200


def test_a_browsers_login_changes_nothing() -> None:
    """A browser sends it by itself, to a page of somebody else's making too."""
    told = guarded().client.post("/v1/verdicts", json=QUESTION, headers=login(TOKEN))
    assert problem_of(told)[0] == 403


@pytest.mark.parametrize("path", ["/healthz", "/readyz", "/healthz/", "/readyz/"])
def test_probes_need_no_token(path: str) -> None:
    """A kubelet has none."""
    assert guarded().client.get(path).status_code == 200


@pytest.mark.parametrize("path", ["/healthz/../v1/verdicts", "//healthz", "/healthz/x"])
def test_nothing_hides_behind_a_probe(path: str) -> None:
    """The open paths are those two and no other."""
    assert guarded().client.get(path).status_code in {401, 404}


@pytest.mark.parametrize(
    "host",
    ["127.0.0.1:8080", "127.0.0.1", "localhost:8080", "LOCALHOST", "[::1]:8080", "127.8.8.8"],
)
def test_without_a_token_the_machine_itself_is_answered(host: str) -> None:
    """The way of the first five minutes."""
    assert passing_door(Door(host=host)).post().status_code == 200


@pytest.mark.parametrize(
    "host",
    [
        *("evil.example", "127.0.0.1.evil.example", "localhost.evil.example:8080", ""),
        *("10.0.0.1", "0.0.0.0", "[::2]:8080", "2130706433", "127.1@evil.example"),
    ],
)
def test_a_name_that_points_here_is_refused(host: str) -> None:
    """DNS rebinding: a page on the web points its own name at 127.0.0.1 and asks through you."""
    told = passing_door().client.get("/v1/verdicts", headers={"Host": host})
    assert problem_of(told)[0] == 403


def test_a_name_that_was_allowed_is_answered() -> None:
    """In the spelling of whoever wrote the configuration."""
    settings = Settings(allowed_hosts=("Serinus.Internal",))
    assert passing_door(Door(settings=settings, host="serinus.internal")).post().status_code == 200


@pytest.mark.parametrize(
    "headers",
    [
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {"Origin": "http://127.0.0.1:9999"},
    ],
    ids=["cross", "same", "origin", "null", "port"],
)
@pytest.mark.parametrize("path", ["/v1/verdicts", "/v1/modes", "/flagger/event"])
def test_another_sites_page_may_not_act(path: str, headers: dict[str, str]) -> None:
    """Open in a browser beside a local serinus, it could otherwise set break-glass."""
    assert problem_of(passing_door().client.post(path, json=QUESTION, headers=headers))[0] == 403


def test_our_own_page_may() -> None:
    """Same scheme, host and port."""
    headers = {"Sec-Fetch-Site": "same-origin", "Origin": "http://127.0.0.1:8080"}
    told = passing_door().client.post("/v1/verdicts", json=QUESTION, headers=headers)
    assert told.status_code == 200


def test_insecure_answers_everybody() -> None:
    """Said so explicitly, where something before serinus checks callers."""
    door = passing_door(Door(settings=Settings(insecure=True), host="serinus.example"))
    assert door.post().status_code == 200


def test_tokens_are_not_shown() -> None:
    """A value that is printed anywhere must not hold them."""
    access = Access(token=TOKEN, flagger_token=TOKEN)
    assert TOKEN not in repr(access)
    assert TOKEN not in repr(Settings(token=SecretStr(TOKEN)))


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "10.0.0.1", "serinus.example"])
def test_listening_elsewhere_demands_a_token(host: str) -> None:
    """Nobody opens the gate to a network by a flag alone."""
    with pytest.raises(ConfigError, match="SERINUS_TOKEN"):
        check_exposure(host, token=None, insecure=False)
    check_exposure(host, token=TOKEN, insecure=False)
    check_exposure(host, token=None, insecure=True)


@pytest.mark.parametrize("host", ["127.0.0.1", "::1", "localhost", "127.0.0.2"])
def test_listening_here_does_not(host: str) -> None:
    """The way of the first five minutes."""
    check_exposure(host, token=None, insecure=False)
    assert is_loopback(host)


def test_a_token_that_can_be_guessed_is_refused_at_start() -> None:
    """Seven characters are tried in an hour."""
    with pytest.raises(ConfigError, match="shorter"):
        check_exposure("0.0.0.0", token="1234567", insecure=False)
