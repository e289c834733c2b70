"""A self-check for people, and as JSON."""

from __future__ import annotations

import io
import json
from dataclasses import replace

import pytest
from rich.console import Console

from api.cli.aa_shown import aa_json, print_aa
from detector.gate.aa import AaKind, AaResult, AaSignal, PlaceboKind, Tally
from tests.detector.gate.test_aa import CLEAN, result

LATENCY = AaSignal(
    name="latency", judged=True, all=Tally(placebos=210, reached=3, near=4), quantile=0.7
)
TAIL = AaSignal(name="tail99", judged=False, all=Tally(placebos=210), quantile=-4.0)
RAISED = result(LATENCY, TAIL, raised=2.01)


def printed(made: AaResult, *, stored: bool = True) -> str:
    """What a terminal would show."""
    sink = io.StringIO()
    print_aa(Console(file=sink, width=140), made, stored=stored)
    return sink.getvalue()


def test_people_see_what_was_judged_and_what_follows() -> None:
    """Kinds, signals, and the threshold that was raised."""
    text = printed(RAISED)
    assert "shop/checkout: 1 would have failed (at most 2.6 %, 95 %) of 210 placebos" in text
    assert "pods that were added, from their birth" in text
    assert "more than 1 % reached what a fail needs: here it is 2.01 times that" in text
    assert "stored" in text
    assert "stored" not in printed(RAISED, stored=False)


@pytest.mark.parametrize(
    ("made", "words"),
    [
        pytest.param(result(TAIL), "certified, and judged from now on", id="certified"),
        pytest.param(
            result(replace(TAIL, all=Tally(placebos=20))), "needs 200 placebos", id="too few"
        ),
        pytest.param(
            result(replace(CLEAN, light=3, heavy=9)),
            "needs 200 at unequal load over 14 days (3 lighter, 9 heavier)",
            id="loads alike",
        ),
        pytest.param(
            result(replace(CLEAN, judged=True)), "judged, as the policy wishes", id="wished"
        ),
        pytest.param(
            result(LATENCY), "no more than 1 % reached what a fail needs", id="nothing raised"
        ),
    ],
)
def test_each_signal_says_where_it_stands(made: AaResult, words: str) -> None:
    """And what an advisory one still lacks."""
    assert words in printed(made)


def test_too_few_say_so() -> None:
    """Twelve placebos prove nothing."""
    few = replace(result(), kinds=(AaKind(kind=PlaceboKind.OLD, placebos=12, failed=0, reached=0),))
    assert "too few to say anything of 1 %" in printed(few)


def test_json_holds_all_of_it() -> None:
    """In strict JSON, with what follows."""
    body = aa_json(replace(RAISED, signals=(replace(LATENCY, quantile=float("-inf")), TAIL)))
    body = json.loads(json.dumps(body, allow_nan=False))
    assert [kind["kind"] for kind in body["kinds"]] == ["old", "born"]
    assert (body["placebos"], body["reached"], body["raised"]) == (210, 3, 2.01)
    assert [signal["certified"] for signal in body["signals"]] == [False, True]
    assert body["at"].endswith("Z")
