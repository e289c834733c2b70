"""A verdict in Python: what a person asks of it, and what is none."""

from __future__ import annotations

from typing import Any

import pandas as pd
import pytest

from api.bodies.answer import EXAMPLE_VERDICT
from api.cli.guard import CouldNotAskError
from api.client.verdict import Verdict

BODY: dict[str, Any] = {**EXAMPLE_VERDICT, "signals": []}


def test_it_says_what_the_answer_says() -> None:
    """The words of the interface, as attributes."""
    verdict = Verdict(BODY)
    assert (verdict.id, verdict.attempt) == (BODY["id"], BODY["attempt"])
    assert (verdict.outcome, verdict.answer, verdict.final) == ("fail", "fail", True)
    assert (verdict.reason, verdict.text) == ("error_rate_up", BODY["reason"]["text"])
    assert verdict.as_of == pd.Timestamp("2026-11-23T14:12Z")
    assert str(verdict) == f"fail: {BODY['reason']['text']}"


def test_a_verdict_without_signals_has_a_frame_without_rows() -> None:
    """Lists leave them out."""
    brief = {key: value for key, value in BODY.items() if key != "signals"}
    assert Verdict(brief).signals.empty
    assert list(Verdict(brief).signals.columns) == list(Verdict(BODY).signals.columns)


def test_many_verdicts_make_a_frame() -> None:
    """By their rows."""
    rows = pd.DataFrame([Verdict({**BODY, "id": id}).row for id in "ab"])
    assert rows["id"].tolist() == ["a", "b"]
    assert rows["outcome"].tolist() == ["fail", "fail"]


@pytest.mark.parametrize("name", ["id", "outcome", "answer", "final", "reason", "attempt", "as_of"])
def test_what_lacks_a_part_is_no_verdict(name: str) -> None:
    """Nothing is ever made up."""
    with pytest.raises(CouldNotAskError, match=f"it has no {name}"):
        Verdict({key: value for key, value in BODY.items() if key != name})


def test_a_reason_is_a_code_and_a_sentence() -> None:
    """Another service's `reason` is a word."""
    with pytest.raises(CouldNotAskError, match="its reason is none"):
        Verdict({**BODY, "reason": "because"})


def test_it_is_short_where_it_is_shown() -> None:
    """A notebook's cell ends in it."""
    assert repr(Verdict(BODY)) == "Verdict()"
