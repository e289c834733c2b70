"""Argo's analysis controller on the shipped templates: how each AnalysisRun ends, and when.

The clock of Argo is fast; its web provider, conditions, limits and retries are its own code.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import pytest

from tests.controllers.controllers import TOKEN, Ended, argo
from tests.controllers.wire import Wire, running

pytestmark = [pytest.mark.real, pytest.mark.slow, pytest.mark.timeout(200)]

SPEED = 600.0
CANARY, BLUE_GREEN = "rollout-canary.yaml", "rollout-blue-green.yaml"
USES = {
    "wait-until-pass": (CANARY, "step:1"),
    "bake": (CANARY, "step:3"),
    "background": (CANARY, "background"),
    "pre-promotion": (BLUE_GREEN, "pre-promotion"),
    "post-promotion": (BLUE_GREEN, "post-promotion"),
}
HOLDING = {"wait-until-pass": 60, "bake": 60, "pre-promotion": 20, "post-promotion": 60}
FIRST_PASS = [use for use in HOLDING if use != "bake"]
ERRORS = ["silence", "503", "404", "cut", "text", "list"]
STRANGE = ["stranger", "unknown"]
NOT_JSON = ["html", "empty", "half", "moved"]
WORDS = ["pass", "fail", "inconclusive", *ERRORS, *STRANGE, *NOT_JSON]

holding = pytest.mark.parametrize("use", HOLDING)
every_use = pytest.mark.parametrize("use", USES)


def stories() -> dict[tuple[str, str], Sequence[str]]:
    """Answers one after the other, by use and by name; the last is repeated."""
    told: dict[tuple[str, str], Sequence[str]] = {(u, word): [word] for u in USES for word in WORDS}
    for use, count in HOLDING.items():
        unsure = ["inconclusive"] * (count - 1)
        told |= {
            (use, "last-is-pass"): [*unsure, "pass"],
            (use, "last-is-fail"): [*unsure, "fail"],
            (use, "errors-between"): [*["503"] * 20, "inconclusive", *["503"] * 20, "pass"],
        }
    told |= {
        ("bake", "last-three-pass"): [*["inconclusive"] * 57, "pass"],
        ("bake", "never-three"): ["pass", "pass", "inconclusive"] * 20,
        ("bake", "fail-after-two"): ["pass", "pass", "fail"],
        ("background", "fail-late"): [*["pass", "inconclusive"] * 5, "fail"],
        ("background", "errors-between"): [*["503"] * 20, "pass", *["503"] * 20, "pass"],
    }
    return told


def asked(use: str, story: str) -> dict[str, object]:
    """An AnalysisRun as the shipped Rollout starts it, asking about a service of its own."""
    rollout, place = USES[use]
    return {
        "name": f"{use}.{story}",
        "rollout": rollout,
        "use": place,
        "canaryHash": "6d9f7c",
        "stableHash": "5c4b8d",
        "args": {"service": f"{use}.{story}"},
        "timeoutSeconds": 1 if story == "silence" else 0,  # 0: the template's own
    }


@dataclass(frozen=True, slots=True)
class Ran:
    """All stories, told side by side."""

    ends: dict[str, Ended]
    wire: Wire

    def end(self, use: str, story: str) -> Ended:
        return self.ends[f"{use}.{story}"]


@pytest.fixture(scope="module")
def ran() -> Iterator[Ran]:
    all_ = stories()
    endless = {f"background.{story}" for use, story in all_ if use == "background"}
    with (
        running({f"{use}.{story}": told for (use, story), told in all_.items()}) as wire,
        argo([asked(*names) for names in all_], url=wire.url, speed=SPEED) as runs,
    ):
        yield Ran(runs.finish(endless=endless, after=50), wire)


# -- one answer, for ever -----------------------------------------------------------------------


@holding
def test_pass_is_successful(ran: Ran, use: str) -> None:
    """The rollout goes on: at the first pass, in a bake at the third."""
    end = ran.end(use, "pass")
    assert (end.phase, end.count) == ("Successful", 3 if use == "bake" else 1)


@every_use
def test_fail_is_failed_at_once(ran: Ran, use: str) -> None:
    """The rollout is aborted, without a second question."""
    end = ran.end(use, "fail")
    assert (end.phase, end.count, end.failed) == ("Failed", 1, 1)


@holding
def test_inconclusive_to_the_end_of_count_is_inconclusive(ran: Ran, use: str) -> None:
    """The rollout pauses for a person: it neither goes on nor aborts."""
    end = ran.end(use, "inconclusive")
    assert (end.phase, end.inconclusive) == ("Inconclusive", HOLDING[use])


def test_background_neither_pauses_nor_ends(ran: Ran) -> None:
    """It asks until the rollout ends it, and undecided is no reason to stop."""
    for story in ("pass", "inconclusive"):
        end = ran.end("background", story)
        assert (end.phase, end.failed + end.inconclusive) == ("Successful", 0)
        assert end.count >= 50


@every_use
@pytest.mark.parametrize("story", ERRORS)
def test_no_answer_is_error(ran: Ran, use: str, story: str) -> None:
    """Time-outs, statuses, broken and mistyped bodies: the 21st in a row ends the run."""
    end = ran.end(use, story)
    assert (end.phase, end.error, end.count) == ("Error", 21, 0)


@every_use
def test_outage_of_three_minutes_aborts_nothing(ran: Ran, use: str) -> None:
    """A restart or an upgrade takes less; Argo's own limit would give 40 seconds."""
    assert ran.end(use, "503").seconds >= 200


@every_use
@pytest.mark.parametrize("story", STRANGE)
def test_answer_of_somebody_else_is_never_successful(ran: Ran, use: str, story: str) -> None:
    """JSON without our words is undecided, in the background too."""
    assert ran.end(use, story).phase == "Inconclusive"


@every_use
@pytest.mark.parametrize("story", NOT_JSON)
def test_what_is_not_json_is_successful_to_argo(ran: Ran, use: str, story: str) -> None:
    """Argo looks at no condition then (v1.10): no template can close this, docs/argo.md tells how.

    When this fails, Argo has mended it, and the warning can go.
    """
    if use == "background":
        assert ran.end(use, story).phase == "Successful"
    else:
        assert ran.end(use, story).count == (3 if use == "bake" else 1)


# -- the end of count ---------------------------------------------------------------------------


@pytest.mark.parametrize("use", FIRST_PASS)
def test_pass_at_the_end_of_count_is_successful(ran: Ran, use: str) -> None:
    """A slow decision is a decision."""
    end = ran.end(use, "last-is-pass")
    assert (end.phase, end.count) == ("Successful", HOLDING[use])


def test_one_pass_at_the_end_of_a_bake_is_inconclusive(ran: Ran) -> None:
    """Without `consecutiveSuccessLimit` Argo would call it Successful."""
    end = ran.end("bake", "last-is-pass")
    assert (end.phase, end.inconclusive, end.successful) == ("Inconclusive", 59, 1)


@holding
def test_fail_at_the_end_of_count_is_failed(ran: Ran, use: str) -> None:
    """The last answer is not lost in the limits of the others."""
    assert ran.end(use, "last-is-fail").phase == "Failed"


def test_bake_ends_at_the_third_pass_in_a_row(ran: Ran) -> None:
    """Even if they are the last three."""
    end = ran.end("bake", "last-three-pass")
    assert (end.phase, end.count) == ("Successful", 60)


def test_bake_that_never_settles_is_inconclusive(ran: Ran) -> None:
    """Forty passes of sixty, never three in a row: a person looks."""
    end = ran.end("bake", "never-three")
    assert (end.phase, end.successful, end.inconclusive) == ("Inconclusive", 40, 20)


def test_bake_fails_after_passes(ran: Ran) -> None:
    """A pass speaks of the exposure so far."""
    assert ran.end("bake", "fail-after-two").phase == "Failed"


def test_background_fails_late(ran: Ran) -> None:
    """After ten good answers the eleventh still aborts."""
    end = ran.end("background", "fail-late")
    assert (end.phase, end.count) == ("Failed", 11)


@every_use
def test_errors_are_forgiven_by_an_answer(ran: Ran, use: str) -> None:
    """Two restarts of serinus within one run, twenty errors each."""
    end = ran.end(use, "errors-between")
    assert (end.phase, end.error) == ("Successful", 40)


# -- the question -------------------------------------------------------------------------------


def question(ran: Ran, use: str) -> tuple[str, dict[str, str], dict[str, str]]:
    return next(
        (path, {k.lower(): v for k, v in headers.items()}, body)
        for path, headers, body in ran.wire.bodies
        if body["service"] == f"{use}.pass"
    )


@every_use
def test_argo_asks_with_token_and_both_arms(ran: Ran, use: str) -> None:
    """Its own substitution of arguments, secret included."""
    path, headers, body = question(ran, use)
    assert path == "/v1/verdicts?view=brief"
    assert headers["authorization"] == f"Bearer {TOKEN}"
    assert headers["accept"] == "application/json"
    assert (body["rollout"], body["namespace"]) == ("checkout", "shop")
    assert body["canary"] == '{pod=~"checkout-6d9f7c-.+"}'
    assert body["control"] == '{pod=~"checkout-5c4b8d-.+"}'


def test_stages_and_weights_are_those_of_the_steps(ran: Ran) -> None:
    """The last inline step and after the switch ask whether it may become the stable one."""
    told = {use: question(ran, use)[2] for use in USES}
    assert {use: body["stage"] for use, body in told.items()} == {
        "wait-until-pass": "step",
        "bake": "final",
        "background": "step",
        "pre-promotion": "step",
        "post-promotion": "final",
    }
    weights = {use: body["weight"] for use, body in told.items() if "weight" in body}
    assert weights == {"wait-until-pass": "20", "bake": "50"}
