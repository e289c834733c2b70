"""Lists of past rollouts that cannot be judged as they stand."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from detector.backtest.course import PastRollout, Truth
from detector.backtest.flaws import flaws
from tests.detector.backtest.courses import T0, past

NOW = T0 + 90 * 86_400.0


def at(line: int, begin: float, end: float, **request: object) -> PastRollout:
    """A line of the list; seconds after T0."""
    made = past(line=line, start=T0 + begin, end=T0 + end)
    canary = {"canary": f'version="v{line}"', **request}
    return replace(made, request=replace(made.request, **canary))  # type: ignore[arg-type]


def test_a_good_list_has_no_flaw() -> None:
    """One after the other, and another service at the same time."""
    listed = [at(1, 0, 600), at(2, 600, 900), at(3, 100, 500, service="cart")]
    assert flaws(listed, now=NOW) == ()


@pytest.mark.parametrize(
    ("made", "field", "words"),
    [
        pytest.param(at(4, 600, 600), "deadline", "is not after the start", id="no length"),
        pytest.param(at(4, 0, 100 * 86_400.0), "deadline", "has not ended yet", id="not over yet"),
        pytest.param(at(4, 0, 8 * 86_400.0), "deadline", "8 days are longer", id="a week"),
        pytest.param(
            at(4, 600, 600, as_of=datetime.fromtimestamp(T0 + 600, UTC)),
            "as_of",
            "is not after the start",
            id="the field that told the end",
        ),
        pytest.param(
            past(Truth.HEALTHY, effect_at=T0 + 60, line=4), "effect_at", "regressed", id="healthy"
        ),
        pytest.param(
            past(Truth.REGRESSED, effect_at=T0 + 601, line=4),
            "effect_at",
            "is not within",
            id="late",
        ),
    ],
)
def test_a_flaw_names_line_and_field(made: PastRollout, field: str, words: str) -> None:
    """Whoever has two hundred lines finds the one, and what to write instead."""
    (flaw,) = flaws([made], now=NOW)
    assert (flaw.line, flaw.field) == (4, field)
    assert words in flaw.text
    assert flaw.words == f"line 4: {field}: {flaw.text}; {flaw.advice}"


def test_two_rollouts_at_once_are_told() -> None:
    """The canary of one would be part of the other's control."""
    (flaw,) = flaws([at(1, 0, 600), at(2, 599, 900)], now=NOW)
    assert (flaw.line, flaw.field) == (2, "started_at")
    assert "by line 1: either canary would be part of the other's control" in flaw.text


def test_a_long_rollout_overlaps_more_than_its_neighbour() -> None:
    """Also the line after the next."""
    found = flaws([at(1, 0, 3600), at(2, 60, 120), at(3, 1800, 2400)], now=NOW)
    assert [flaw.line for flaw in found] == [2, 3]
    assert all("by line 1" in flaw.text for flaw in found)


def test_controls_of_their_own_let_two_run_at_once() -> None:
    """Several canaries at once are no mistake."""
    control = {"control": 'version="v0"'}
    assert flaws([at(1, 0, 600, **control), at(2, 60, 900, **control)], now=NOW) == ()


def test_a_line_twice_is_told_as_such() -> None:
    """It would count double."""
    twice = at(2, 0, 600, canary='version="v1"')
    (flaw,) = flaws([at(1, 0, 600), twice], now=NOW)
    assert (flaw.line, flaw.advice) == (2, "keep one of the two lines")


@given(st.permutations([at(1, 0, 600), at(2, 500, 900), at(3, 850, 1000), at(4, 2000, 2100)]))
def test_the_order_of_the_lines_does_not_matter(listed: list[PastRollout]) -> None:
    """A list need not be sorted by time."""
    assert [flaw.line for flaw in flaws(listed, now=NOW)] == [2, 3]
