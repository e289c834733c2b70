from __future__ import annotations

import time
from collections.abc import Callable

import pytest

from api.cli.guard import CouldNotAskError
from api.cli.server import Server
from detector.errors import ConfigError, InputError, NotFoundError
from pipelines.testing import FaultServer, Misbehaviour
from tests.api.cli.served import serving
from tests.api.doors import QUESTION, passing_door

pytestmark = pytest.mark.slow


def timed(call: Callable[[], object]) -> float:
    """Seconds until it gave up."""
    began = time.monotonic()
    with pytest.raises(CouldNotAskError):
        call()
    return time.monotonic() - began


@pytest.mark.parametrize(
    "behaviour",
    [
        Misbehaviour.BLACK_HOLE,
        Misbehaviour.DRIP,
        Misbehaviour.HEADER_DRIP,
        Misbehaviour.ENDLESS,
    ],
)
def test_no_server_holds_us_longer_than_its_time(behaviour: Misbehaviour) -> None:
    """A byte now and then does not stretch it."""
    with FaultServer() as server:
        server.behave(behaviour)
        seconds = timed(lambda: Server(server.url, timeout_s=0.5).get("/"))
    assert seconds < 5


@pytest.mark.parametrize("behaviour", [Misbehaviour.UNAVAILABLE, Misbehaviour.BUSY])
def test_overloaded_server_is_asked_three_times(behaviour: Misbehaviour) -> None:
    """Not for ever."""
    with FaultServer() as server:
        server.behave(behaviour)
        timed(lambda: Server(server.url).get("/"))
    assert len(server.requests) == 3


@pytest.mark.parametrize(
    "behaviour", [Misbehaviour.HANG_UP, Misbehaviour.HALF_BODY, Misbehaviour.BROKEN]
)
def test_decision_that_may_have_arrived_is_not_sent_twice(behaviour: Misbehaviour) -> None:
    """The audit log has one line for one decision."""
    with FaultServer() as server:
        server.behave(behaviour)
        timed(lambda: Server(server.url).post("/v1/modes", {"mode": "shadow"}))
    assert len(server.requests) == 1


def test_token_goes_to_the_server_only() -> None:
    """A redirect is not followed, so nobody else is sent the token."""
    with FaultServer() as server:
        server.behave(Misbehaviour.REDIRECT)
        with pytest.raises(CouldNotAskError, match="302"):
            Server(server.url, token="correct-horse").get("/")
    (request,) = server.requests
    assert request.headers["authorization"] == "Bearer correct-horse"


def test_token_is_not_told_in_an_error() -> None:
    """Logs of pipelines are read by many."""
    with FaultServer() as server:
        server.behave(Misbehaviour.UNAUTHORIZED)
        with pytest.raises(ConfigError) as refused:
            Server(server.url, token="correct-horse").get("/")
    assert "horse" not in str(refused.value)


def test_path_of_a_proxy_is_kept() -> None:
    """serinus may live under a path."""
    with FaultServer() as server:
        server.behave(b"{}")
        Server(f"{server.url}/serinus/").get("/v1/modes")
    assert server.requests[0].path == "/serinus/v1/modes"


def test_errors_of_the_interface_become_ours() -> None:
    """The field that the server names is the option that a person typed."""
    with serving(passing_door().app) as url:
        server = Server(url)
        with pytest.raises(InputError) as bad:
            server.post("/v1/verdicts", {**QUESTION, "weight": "much"})
        with pytest.raises(NotFoundError, match="nope"):
            server.post("/v1/verdicts", {**QUESTION, "policy": "nope"})
        with pytest.raises(NotFoundError):
            server.get("/v1/verdicts/nope")
        server.close()
    assert bad.value.field == "weight"


@pytest.mark.parametrize(
    "url",
    ["", "x", "http://", "https://:80", "http://a:b", "file:///etc", "http://a?b", "http://a#b"],
)
def test_what_is_no_url_is_refused(url: str) -> None:
    """Before anything is sent."""
    with pytest.raises(ConfigError, match="--server"):
        Server(url)
