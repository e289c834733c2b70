"""Errors as problem+json: the same shape everywhere, and nothing that is nobody's business."""

from __future__ import annotations

import json

import pytest

from api.logs import configure_logs
from api.problems import Overloaded, Refused, problem_of
from api.settings import Settings
from detector.errors import (
    BrokerError,
    ConfigError,
    DeliveryError,
    InputError,
    NotFoundError,
    SerinusError,
    SourceError,
    StoreError,
)
from pipelines.ingest.decoded import FullError
from tests.api.doors import QUESTION, Door, passing_door
from tests.api.doors import problem_of as shape_of

STATUSES = {
    InputError: 400,
    NotFoundError: 404,
    SourceError: 503,
    StoreError: 503,
    BrokerError: 503,
    ConfigError: 500,
    Overloaded: 503,
    Refused: 403,
}
PATHS = ["/v1/verdicts", "/v1/verdicts/x", "/v1/rollouts/x", "/v1/policies", "/v1/modes"]
SECRET = "correct-horse-battery"


def test_every_error_of_the_tree_has_a_status() -> None:
    """A new kind of error must not become a 500 unseen."""
    # The command line and the demo have errors of their own, there once a test imported them.
    elsewhere = ("api.cli", "api.demo")
    kinds = {k for k in SerinusError.__subclasses__() if not k.__module__.startswith(elsewhere)}
    # No question waits for a notice to be taken, and a full door answers as its protocol does.
    kinds -= {DeliveryError, FullError}
    assert kinds == set(STATUSES)
    for kind, status in STATUSES.items():
        error = kind("words", field="x") if kind is InputError else kind("words")
        assert problem_of(error, "id").status_code == status


@pytest.mark.parametrize("error", [StoreError("x"), Overloaded("x"), TimeoutError()])
def test_what_passes_by_itself_says_when_to_ask_again(error: Exception) -> None:
    """Flagger honours Retry-After on 503."""
    told = problem_of(error, None)
    assert (told.status_code, told.headers["retry-after"]) == (503, "2")


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("method", ["PATCH", "TRACE", "CONNECT", "PROPFIND", "DELETE"])
def test_a_method_that_a_path_does_not_know_is_405(path: str, method: str) -> None:
    """And says which it knows."""
    told = passing_door().client.request(method, path)
    assert shape_of(told)[0] == 405
    assert told.headers["allow"]


@pytest.mark.parametrize(
    ("path", "allowed"),
    [
        ("/v1/verdicts", {"GET", "HEAD", "POST"}),
        ("/v1/policies/default", {"GET", "HEAD", "PUT"}),
        ("/v1/modes", {"GET", "HEAD", "POST"}),
        ("/flagger/rollback", {"POST"}),
        ("/healthz", {"GET", "HEAD"}),
    ],
)
def test_all_methods_of_a_path_are_named(path: str, allowed: set[str]) -> None:
    """Not those of the first route alone."""
    told = passing_door().client.request("PATCH", path)
    assert set(told.headers["allow"].split(", ")) == allowed


@pytest.mark.parametrize(
    "path", ["/nothing", "/v1", "/v1/", "/v2/verdicts", "/%00", "/v1/verdicts/a/b"]
)
def test_what_does_not_exist_is_404(path: str) -> None:
    """In the same shape as every other error."""
    assert shape_of(passing_door().get(path)) == (404, None)


@pytest.mark.parametrize("path", [*PATHS[:1], *PATHS[3:], "/healthz", "/readyz", "/metrics"])
def test_a_head_is_a_get_without_its_body(path: str) -> None:
    """Load balancers ask so."""
    door = passing_door()
    head, get = door.client.head(path), door.get(path)
    assert (head.status_code, head.content) == (200, b"")
    assert head.headers["content-type"] == get.headers["content-type"]


@pytest.mark.parametrize("path", ["/v1/verdicts/", "/v1/verdicts//"])
def test_a_slash_at_the_end_is_no_redirect(path: str) -> None:
    """A redirect names http:// where TLS ends before us, and clients follow it with the token."""
    assert passing_door().client.post(path, json=QUESTION).status_code == 200


def test_an_error_of_our_own_tells_no_secrets(capsys: pytest.CaptureFixture[str]) -> None:
    """The caller gets an id, the log a traceback without the values in it."""
    door = passing_door(Door(settings=Settings(token=SECRET)))  # type: ignore[arg-type]
    door.world.stores.verdicts.rows = None  # type: ignore[attr-defined]
    client = door.client
    for form in ("json", "console"):
        configure_logs("info", form)
        told = client.post(
            "/v1/verdicts", json=QUESTION, headers={"Authorization": f"Bearer {SECRET}"}
        )
        logged = capsys.readouterr().err
        assert shape_of(told) == (500, None)
        assert told.json()["request_id"] in logged
        assert "NoneType" in logged
        assert "NoneType" not in told.text
        assert SECRET not in logged


def test_a_request_is_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    """With its route and not its path, which may hold a token."""
    door = passing_door()
    client = door.client
    configure_logs("info", "json")
    client.post(f"/flagger/{SECRET}/event", json={"name": "a", "namespace": "b"})
    line = json.loads(capsys.readouterr().err.splitlines()[-1])
    assert (line["route"], line["status"]) == ("/flagger/{secret}/{hook}", 200)
    assert SECRET not in str(line)


@pytest.mark.parametrize(
    ("offered", "is_taken"),
    [("abc-1.2:3_4", True), ("a" * 65, False), ("a b", False), ("x\tid", False), ("", False)],
)
def test_a_callers_id_is_taken_where_it_is_a_word(offered: str, is_taken: bool) -> None:
    """So that a request can be followed through two logs, and forges no line in ours."""
    told = passing_door().client.get("/healthz", headers={"X-Request-Id": offered})
    assert (told.headers["x-request-id"] == offered) is is_taken


def test_every_answer_is_safe_to_open_in_a_browser() -> None:
    """No script, no frame, no guessing of types."""
    for path in ("/v1/verdicts", "/nothing", "/healthz", "/metrics"):
        headers = passing_door().get(path).headers
        assert "default-src 'none'" in headers["content-security-policy"]
        assert headers["x-content-type-options"] == "nosniff"
