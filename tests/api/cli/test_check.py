from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import replace

import pytest
from pydantic import SecretStr

from api.settings import Settings
from detector.gate.policy import Mode, Policy
from pipelines.flows.gate import GateSettings
from pipelines.testing import FaultServer, Misbehaviour
from tests.api.cli.served import serinus, serving
from tests.api.doors import CANARY, Door, failing_door, passing_door, waiting_door
from tests.pipelines.flows.scripted import World

ASK = ("check", "--service", "checkout", "--canary", CANARY)


def in_mode(mode: Mode) -> Door:
    """A world whose default policy has a mode."""
    policy = replace(Policy(), mode=mode)
    return Door(world=World(settings=GateSettings(policies={"default": policy})))


@pytest.fixture
def passing() -> Iterator[str]:
    with serving(passing_door().app) as url:
        yield url


@pytest.fixture
def failing() -> Iterator[str]:
    with serving(failing_door().app) as url:
        yield url


@pytest.fixture
def undecided() -> Iterator[str]:
    with serving(waiting_door().app) as url:
        yield url


def test_pass_is_0(passing: str) -> None:
    """A pipeline goes on."""
    result = serinus(*ASK, "--server", passing)
    assert result.exit_code == 0, result.output
    assert result.stdout.startswith("pass: ")


def test_fail_is_1_and_says_what_to_do(failing: str) -> None:
    """Somebody who reads `fail` sees why, how sure, and how to overrule it."""
    result = serinus(*ASK, "--server", failing)
    assert result.exit_code == 1
    first, *rest = result.stdout.splitlines()
    text = "\n".join(rest)
    assert first == "fail: 10 errors by boundary 7"
    assert "error_rate  fail" in text
    assert "roll back" in text
    assert f"--server {failing}" in text
    assert "troubleshooting.md#error_rate_up" in text
    assert f"{failing}/rollouts/" in text


def test_inconclusive_is_3_and_says_what_is_missing(undecided: str) -> None:
    """Nobody has to guess how long it takes."""
    result = serinus(*ASK, "--server", undecided)
    assert result.exit_code == 3
    assert "more requests of the canary" in result.stdout
    assert "--wait" in result.stdout


@pytest.mark.parametrize("code", [0, 1, 75])
def test_undecided_has_the_code_that_was_asked_for(undecided: str, code: int) -> None:
    """A caller that knows only two codes is served."""
    result = serinus(*ASK, "--server", undecided, "--on-inconclusive", str(code))
    assert result.exit_code == code


def test_on_inconclusive_changes_no_fail(failing: str) -> None:
    """`--on-inconclusive 0` is no way around a fail."""
    result = serinus(*ASK, "--server", failing, "--on-inconclusive", "0")
    assert result.exit_code == 1


@pytest.mark.parametrize(
    ("mode", "code", "words"),
    [
        (Mode.SHADOW, 0, "fail; mode shadow answers pass"),
        (Mode.ADVISE, 0, "fail; mode advise answers pass"),
        (Mode.PAUSE, 3, "fail; mode pause answers inconclusive"),
        (Mode.ENFORCE, 1, "fail"),
    ],
)
def test_exit_code_is_the_answer_and_the_text_tells_the_judgement(
    mode: Mode, code: int, words: str
) -> None:
    """In shadow mode a pipeline goes on, and people still see that it would have failed."""
    with serving(failing_door(in_mode(mode)).app) as url:
        result = serinus(*ASK, "--server", url)
    assert result.exit_code == code
    assert words in result.stdout


def test_json_is_the_answer_of_the_interface(failing: str) -> None:
    """A script reads one object from standard output, and nothing else."""
    result = serinus(*ASK, "--server", failing, "--format", "json")
    body = json.loads(result.stdout)
    assert (body["outcome"], body["reason"]["code"]) == ("fail", "error_rate_up")
    assert body["signals"][0]["name"] == "error_rate"


def test_all_fields_reach_the_gate(passing: str) -> None:
    """An option that is forgotten on the way would judge something else."""
    more = ["--namespace", "shop", "--cluster", "eu", "--rollout", "web", "--revision", "v2"]
    more += ["--attempt", "7", "--weight", "20", "--stage", "final", "--format", "json"]
    result = serinus(*ASK, "--server", passing, *more, "--control", '{track="stable"}')
    body = json.loads(result.stdout)
    assert (body["rollout"], body["revision"], body["stage"]) == ("web", "v2", "final")


@pytest.mark.parametrize(
    ("door", "code", "outcome"), [(failing_door, 1, "fail"), (passing_door, 0, "pass")]
)
def test_several_clusters_are_one_answer(door: Callable[[], Door], code: int, outcome: str) -> None:
    """A pipeline that releases to two clusters asks once, and sees what each of them said."""
    with serving(door().app) as url:
        result = serinus(*ASK, "--server", url, "--clusters", "eu-1, us-1", "--format", "json")
    assert result.exit_code == code, result.output
    note = json.loads(result.stdout)["notes"][0]
    assert f"eu-1: {outcome}" in note
    assert f"us-1: {outcome}" in note


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["--clusters", "eu-1,us-1", "--cluster", "eu-1"], "--clusters"),
        (["--clusters", "eu-1,,us-1"], "--clusters"),
    ],
)
def test_clusters_that_cannot_be_meant_are_refused(
    passing: str, words: list[str], told: str
) -> None:
    """A cluster that is left out by a slip of the pen would be released without a look at it."""
    result = serinus(*ASK, "--server", passing, *words)
    assert result.exit_code == 2
    assert told in result.stderr


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["--weight", "much"], "--weight"),
        (["--deadline", "tomorrow"], "--deadline"),
        (["--as-of", "2300-01-01T00:00:00Z"], "--as-of"),
        (["--policy", "nope"], "no policy 'nope'"),
        (["--wait", "--every", "soon"], "--every: 'soon'"),
        (["--wait", "--timeout", "1 hour"], "--timeout: '1 hour'"),
        (["--wait", "--as-of", "1790000000"], "--as-of"),
        (["--wait", "--deadline", "tomorrow"], "--deadline: 'tomorrow'"),
        (["--prometheus", "http://127.0.0.1:9"], "give one"),
        (["--stage", "last"], "--stage"),
        (["--on-inconclusive", "256"], "--on-inconclusive"),
        (["--wieght", "20"], "--wieght"),
    ],
)
def test_wrong_usage_is_2_and_names_what_to_mend(passing: str, words: list[str], told: str) -> None:
    """A typing error is never a bad release."""
    result = serinus(*ASK, "--server", passing, *words)
    assert result.exit_code == 2
    assert told in result.stderr
    assert result.stdout == ""


@pytest.mark.parametrize(
    "url", ["checkout:8080", "ftp://x", "http://", "http://u:p@x", "http://x?a"]
)
def test_server_that_is_no_url_is_2(url: str) -> None:
    """And a password in it is not printed."""
    result = serinus(*ASK, "--server", url)
    assert result.exit_code == 2
    assert "u:p" not in result.stderr


def test_nobody_to_ask_is_2() -> None:
    """The message names the options that would help."""
    result = serinus(*ASK)
    assert result.exit_code == 2
    assert "--prometheus" in result.stderr
    assert "--server" in result.stderr


def test_server_that_is_down_is_4() -> None:
    """An outage is neither a fail nor a pass."""
    result = serinus(*ASK, "--server", "http://127.0.0.1:9")
    assert result.exit_code == 4
    assert "serinus serve" in result.stderr
    assert result.stdout == ""


@pytest.mark.parametrize(
    ("behaviour", "code"),
    [
        (Misbehaviour.HTML, 4),
        (Misbehaviour.GARBAGE, 4),
        (Misbehaviour.HANG_UP, 4),
        (Misbehaviour.HALF_BODY, 4),
        (Misbehaviour.HUGE, 4),
        (Misbehaviour.BROKEN, 4),
        (Misbehaviour.UNAVAILABLE, 4),
        (Misbehaviour.REDIRECT, 4),
        (Misbehaviour.NOT_FOUND, 2),
        (Misbehaviour.UNAUTHORIZED, 2),
    ],
)
def test_strange_server_is_never_a_verdict(behaviour: Misbehaviour, code: int) -> None:
    """A proxy's login page does not let a rollout go on."""
    with FaultServer() as server:
        server.behave(behaviour)
        result = serinus(*ASK, "--server", server.url)
    assert result.exit_code == code, result.output
    assert result.stdout == ""


def test_short_outage_is_not_noticed() -> None:
    """A server that restarts answers the second try."""
    body = passing_door().post().content
    with FaultServer() as server:
        server.behave(Misbehaviour.UNAVAILABLE, body)
        result = serinus(*ASK, "--server", server.url)
    assert result.exit_code == 0
    assert len(server.requests) == 2


def test_token_is_sent_and_its_lack_explained() -> None:
    """With SERINUS_TOKEN it works; without it the message says so."""
    settings = Settings(token=SecretStr("correct-horse"))
    with serving(passing_door(Door(settings=settings)).app) as url:
        with_token = serinus(*ASK, "--server", url, SERINUS_TOKEN="correct-horse")
        without = serinus(*ASK, "--server", url)
        wrong = serinus(*ASK, "--server", url, SERINUS_TOKEN="battery-staple")
    assert (with_token.exit_code, without.exit_code, wrong.exit_code) == (0, 2, 2)
    assert "SERINUS_TOKEN" in without.stderr
    assert "battery" not in wrong.output


def test_server_of_the_environment_is_asked(passing: str) -> None:
    """Pipelines set SERINUS_SERVER once."""
    assert serinus(*ASK, SERINUS_SERVER=passing).exit_code == 0


def test_wait_ends_with_a_decision(failing: str) -> None:
    """A fail ends the waiting at once."""
    result = serinus(*ASK, "--server", failing, "--wait", "--timeout", "30s")
    assert result.exit_code == 1


def test_wait_ends_with_its_time(undecided: str) -> None:
    """A pipeline does not hang; what was waited for is told on standard error."""
    result = serinus(*ASK, "--server", undecided, "--wait", "--every", "1s", "--timeout", "1s")
    assert result.exit_code == 3
    assert result.stdout.startswith("inconclusive: ")
    assert result.stderr.count("waiting for traffic") == 1


def test_wait_with_a_deadline_that_is_past_asks_once(undecided: str) -> None:
    """It is final then."""
    deadline = "1790000060"
    result = serinus(*ASK, "--server", undecided, "--wait", "--deadline", deadline)
    assert result.exit_code == 3
    assert "deadline_reached" in result.stdout
    assert "--attempt" in result.stdout
