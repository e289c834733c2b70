"""A try for programs: every answer of every minute."""

from __future__ import annotations

import json
from typing import Any

from api.cli.try_json import try_json
from api.settings import Settings
from detector.discovery.census import Skipped
from detector.discovery.oddities import Oddity, OddityKind
from detector.discovery.portrait import Listing
from detector.discovery.tried import Placebos
from detector.gate.verdict import Outcome
from tests.api.cli.test_try import NOW, report, rolled


def body(**changes: Any) -> dict[str, Any]:  # noqa: ANN401
    """The report as a program reads it."""
    told: dict[str, Any] = json.loads(json.dumps(try_json(report(**changes), Settings())))
    return told


def test_every_poll_of_a_rollout_is_there() -> None:
    """A program draws the strip itself."""
    (one,) = body(rolled=(rolled(Outcome.INCONCLUSIVE, Outcome.PASS, Outcome.FAIL),))["rollouts"]
    assert [poll["outcome"] for poll in one["polls"]] == ["inconclusive", "pass", "fail"]
    assert one["first_pass"]["at"] == "2026-09-21T14:15:20Z"
    assert one["first_fail"]["text"] == "Said at minute 3."
    assert (one["canary"], one["control"]) == (
        '{pod=~"web-6d9f7c-.+"}',
        '{pod=~"web-5c4b8d-.+"}',
    )


def test_a_rollout_that_was_not_read_has_no_polls() -> None:
    """It is named with what was seen of it."""
    (one,) = body(unread=(rolled(Outcome.PASS).found,))["rollouts_not_looked_at"]
    assert "polls" not in one
    assert one["revision"] == "web-6d9f7c"


def test_a_problem_is_told_and_is_no_answer() -> None:
    """None of the minutes was answered."""
    (one,) = body(rolled=(rolled(problem="refused"),))["rollouts"]
    assert (one["problem"], one["first_pass"], one["polls"]) == ("refused", None, [])


def test_without_placebos_there_is_no_share() -> None:
    """Null, and not zero."""
    assert body()["placebos"]["share_failed"] is None
    one = body(placebos=Placebos.of([rolled(Outcome.PASS).course], asked=1))["placebos"]
    assert (one["share_failed"], one["judged"]) == (0.0, 1)


def test_oddities_and_what_was_skipped_are_there() -> None:
    """Nothing of the text is missing."""
    odd = Oddity(
        service="web",
        kind=OddityKind.SLOW,
        begin=NOW,
        end=NOW + 1800,
        value=0.2,
        usual=0.05,
        score=7.0,
        edge=0.5,
    )
    skipped = (Skipped(what="huge_total", why="too wide"),)
    made = body(oddities=(odd,), listing=Listing(metrics=9, services=1, skipped=skipped))
    assert made["oddities"][0]["kind"] == "slow requests"
    assert made["skipped"] == [{"what": "huge_total", "why": "too wide"}]
    assert made["configuration"].startswith("source:")


def test_what_was_not_reached_is_not_what_was_not_found() -> None:
    """A program that counts rollouts must not take a lack of time for a quiet fortnight."""
    told = body(is_past_reached=False, placebos=Placebos.of([], asked=0, is_reached=False))
    assert (told["rollouts_looked_for"], told["placebos"]["reached"]) == (False, False)
    told = body()
    assert (told["rollouts_looked_for"], told["placebos"]["reached"]) == (True, True)
